use std::time::Duration;

use aws::Aws;
use aws_sdk_dynamodb::Client;
use runtime::{ConfigError, Vars};

/// How to reach DynamoDB.
#[derive(Debug, Clone)]
pub struct Config {
    /// `AWS_ENDPOINT_URL_DYNAMODB`: unset, the region's.
    pub endpoint: Option<String>,
    /// `DYNAMODB_TIMEOUT_SECONDS` (3): how long one attempt of an operation may take; there are three.
    pub attempt_timeout: Duration,
}

impl Config {
    pub fn from_vars(vars: &Vars) -> Result<Self, ConfigError> {
        Ok(Self {
            endpoint: vars.get("AWS_ENDPOINT_URL_DYNAMODB").map(str::to_owned),
            attempt_timeout: vars.seconds_or("DYNAMODB_TIMEOUT_SECONDS", Duration::from_secs(3))?,
        })
    }

    /// Connects with the first request.
    pub fn client(&self, aws: &Aws) -> Client {
        Client::new(&aws.sdk(self.endpoint.as_deref(), self.attempt_timeout))
    }
}

/// Connects with the first request.
pub fn client(vars: &Vars, aws: &Aws) -> Result<Client, ConfigError> {
    Ok(Config::from_vars(vars)?.client(aws))
}

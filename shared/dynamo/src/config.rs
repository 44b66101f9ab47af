use std::time::Duration;

use aws_credential_types::Credentials;
use aws_sdk_dynamodb::{
    Client,
    config::{BehaviorVersion, Region, retry::RetryConfig, timeout::TimeoutConfig},
};
use aws_smithy_http_client::{Builder, tls};
use runtime::{ConfigError, Vars};

/// How to reach DynamoDB. Lambda sets all but the endpoint by itself.
#[derive(Debug, Clone)]
pub struct Config {
    /// `AWS_REGION`.
    region: String,
    /// `AWS_ACCESS_KEY_ID`, `AWS_SECRET_ACCESS_KEY`, `AWS_SESSION_TOKEN`.
    credentials: Credentials,
    /// `AWS_ENDPOINT_URL_DYNAMODB`: unset, the region's.
    endpoint: Option<String>,
    /// `DYNAMODB_TIMEOUT_SECONDS` (3): how long one attempt of an operation may take; there are three.
    attempt_timeout: Duration,
}

impl Config {
    pub fn from_vars(vars: &Vars) -> Result<Self, ConfigError> {
        let credentials = Credentials::new(
            vars.require("AWS_ACCESS_KEY_ID", "an AWS access key, as Lambda sets it")?,
            vars.require("AWS_SECRET_ACCESS_KEY", "an AWS secret key, as Lambda sets it")?,
            vars.get("AWS_SESSION_TOKEN").map(str::to_owned),
            None,
            "environment",
        );
        Ok(Self {
            region: vars.require("AWS_REGION", "an AWS region")?.to_owned(),
            credentials,
            endpoint: vars.get("AWS_ENDPOINT_URL_DYNAMODB").map(str::to_owned),
            attempt_timeout: vars.seconds_or("DYNAMODB_TIMEOUT_SECONDS", Duration::from_secs(3))?,
        })
    }
}

/// Connects with the first request.
pub fn client(config: Config) -> Client {
    let http = Builder::new();
    // Loading the root certificates costs milliseconds of a cold start; a plain-HTTP endpoint needs none.
    let http = match &config.endpoint {
        Some(endpoint) if endpoint.starts_with("http://") => http.build_http(),
        _ => http.tls_provider(tls::Provider::Rustls(tls::rustls_provider::CryptoMode::Ring)).build_https(),
    };
    let mut builder = aws_sdk_dynamodb::Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new(config.region))
        .credentials_provider(config.credentials)
        .http_client(http)
        .retry_config(RetryConfig::standard().with_max_attempts(3))
        .timeout_config(TimeoutConfig::builder().operation_attempt_timeout(config.attempt_timeout).build());
    builder.set_endpoint_url(config.endpoint);
    Client::from_conf(builder.build())
}

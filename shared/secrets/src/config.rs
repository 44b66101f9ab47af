use std::time::Duration;

use runtime::{ConfigError, Vars};

/// How to reach Secrets Manager, and how long its answers are good.
#[derive(Debug, Clone)]
pub(crate) struct Config {
    /// `AWS_ENDPOINT_URL_SECRETS_MANAGER`: unset, the region's.
    pub(crate) endpoint: Option<String>,
    /// `SECRETS_TTL_SECONDS` (300): how long a secret is used before it is read again.
    pub(crate) ttl: Duration,
}

impl Config {
    pub(crate) fn from_vars(vars: &Vars) -> Result<Self, ConfigError> {
        Ok(Self {
            endpoint: vars.get("AWS_ENDPOINT_URL_SECRETS_MANAGER").map(str::to_owned),
            ttl: vars.seconds_or("SECRETS_TTL_SECONDS", Duration::from_mins(5))?,
        })
    }
}

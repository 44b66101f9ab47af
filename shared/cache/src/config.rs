use std::time::Duration;

use runtime::{ConfigError, Vars};
use valkey::KeyPrefix;

#[derive(Debug, Clone)]
pub struct Config {
    /// `CACHE_TTL_SECONDS` (60): how long a value may be served.
    pub ttl: Duration,
    /// `CACHE_TIMEOUT_MS` (100): how long one request to the cache may take.
    pub timeout: Duration,
    /// `CACHE_KEY_PREFIX` (joiner): stands before each key, where several stages share a cache.
    pub key_prefix: KeyPrefix,
}

impl Config {
    pub fn from_vars(vars: &Vars) -> Result<Self, ConfigError> {
        Ok(Self {
            ttl: vars.seconds_or("CACHE_TTL_SECONDS", Duration::from_mins(1))?,
            timeout: Duration::from_millis(vars.parse_or("CACHE_TIMEOUT_MS", 100, "milliseconds")?),
            key_prefix: KeyPrefix::from_vars(vars, "CACHE")?,
        })
    }
}

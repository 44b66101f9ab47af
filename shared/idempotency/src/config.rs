use std::time::Duration;

use runtime::{ConfigError, Vars};

/// Where keys are remembered.
#[derive(Debug, Clone)]
pub struct Config {
    /// `IDEMPOTENCY_TABLE`: key `id`, expiry `expires_at`.
    pub table: String,
    /// `IDEMPOTENCY_TIMEOUT_SECONDS` (0.3): how long a request waits for the table, before its work and after it.
    pub timeout: Duration,
    pub(crate) tables: dynamo::Config,
}

impl Config {
    /// `None` where no table is named.
    pub fn from_vars(vars: &Vars) -> Result<Option<Self>, ConfigError> {
        let Some(table) = vars.get("IDEMPOTENCY_TABLE").map(str::to_owned) else { return Ok(None) };
        let timeout = vars.seconds_or("IDEMPOTENCY_TIMEOUT_SECONDS", Duration::from_millis(300))?;
        Ok(Some(Self { table, timeout, tables: dynamo::Config::from_vars(vars)? }))
    }
}

//! The breakers before Okta and before the store of those who read, and which failures they count.

use breaker::{Breaker, Permit};
use cache::Cache;
use runtime::{Clock, ConfigError, Vars, telemetry};

use crate::store;

pub(crate) const OKTA: &str = "okta";
pub(crate) const STORE: &str = "store";

/// Before Okta. All sandboxes share it.
pub fn okta(vars: &Vars, cache: Cache, clock: Clock) -> Result<Breaker, ConfigError> {
    Breaker::from_vars(OKTA, vars, cache, clock)
}

/// Whether Okta didn't do its work, rather than had an answer that is no help.
pub(crate) fn is_failure(error: &okta::Error) -> bool {
    matches!(error, okta::Error::Unreachable(_) | okta::Error::Failed { .. })
}

/// Says how Okta has answered a call. An answer of any kind shows that Okta is there, also one that is no help: a rate limit
/// says itself when it is over, and a token is mended by no waiting.
pub(crate) async fn note(permit: &Permit, error: &okta::Error) {
    match error {
        okta::Error::Unreachable(_) | okta::Error::Failed { .. } => permit.failed(error).await,
        okta::Error::NotFound
        | okta::Error::Unauthorized { .. }
        | okta::Error::RateLimited { .. }
        | okta::Error::Malformed(_) => permit.succeeded().await,
        // Okta was not asked.
        okta::Error::NoToken(_) => {}
    }
}

/// The store of those who answer somebody who waits. One that is away is so at once, rather than after three attempts.
#[derive(Debug, Clone)]
pub struct Reads(Breaker);

impl Reads {
    pub fn from_vars(vars: &Vars, cache: Cache, clock: Clock) -> Result<Self, ConfigError> {
        Ok(Self(Breaker::from_vars(STORE, vars, cache, clock)?))
    }

    pub async fn read<T>(
        &self,
        read: impl Future<Output = Result<T, store::Error>>,
    ) -> Result<T, store::Error> {
        let permit = self.0.permit().await.map_err(|refused| store::Error::Unavailable(refused.into()))?;
        let result = read.await;
        match &result {
            Err(store::Error::Unavailable(error)) => {
                permit.failed(&telemetry::chain(error.as_ref())).await;
            }
            Ok(_) | Err(store::Error::Unstorable(_)) => permit.succeeded().await,
        }
        result
    }
}

#[cfg(test)]
pub(crate) mod tests;

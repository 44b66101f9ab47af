use cache::Cache;
use jiff::Timestamp;
use serde::Serialize;

use crate::stored::Stored;

/// A breaker that is not closed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(rename = "Breaker"))]
pub struct Standing {
    /// What it stands before.
    pub before: &'static str,
    pub state: State,
    /// When it first opened.
    pub since: Timestamp,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(rename = "BreakerState"))]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// Calls are refused.
    Open,
    /// A call has been let through, or the next one will be.
    HalfOpen,
}

/// How the breaker of that name is, for those who don't call. `None` where it is closed, and where the cache that would know is
/// away.
pub async fn standing(cache: &Cache, name: &'static str) -> Option<Standing> {
    let stored = Stored::new(name, cache.clone());
    let opened = stored.opened().await.ok()??;
    let state = if stored.is_open().await.ok()? { State::Open } else { State::HalfOpen };
    Some(Standing { before: name, state, since: opened.since })
}

//! How Okta was when it was asked last. The enrichment notes it where `user-query` reads it, so that nobody spends Okta's
//! rate limit on its health.

use cache::Cache;
use jiff::Timestamp;
use runtime::Clock;
use serde::{Deserialize, Serialize};

use crate::noted::{Note, Noted};

const KEY: &str = "okta-health";

/// A note that all sandboxes share, in the cache. Cheap to clone.
#[derive(Debug, Clone)]
pub struct OktaHealth(Noted<Asked>);

/// How asking Okta ended, with all its attempts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum OktaOutcome {
    /// Whatever the answer was: also that it knows nobody of that name.
    Answered,
    Unauthorized,
    RateLimited,
    NoToken,
    Unavailable,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
struct Asked {
    outcome: OktaOutcome,
}

/// What was noted last.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct LastAsked {
    pub status: OktaStatus,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub outcome: Option<OktaOutcome>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub noted_at: Option<Timestamp>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum OktaStatus {
    Up,
    Down,
    /// Nobody has asked Okta in the last five minutes, or the cache that would know is away.
    Unknown,
}

impl OktaHealth {
    pub fn new(cache: Cache, clock: Clock) -> Self {
        Self(Noted::new(KEY, cache, clock))
    }

    /// Costs a write to the cache when the outcome is another than this process has noted last, or a minute has passed.
    pub async fn note(&self, outcome: OktaOutcome) {
        self.0.note(Asked { outcome }, |last| last.outcome != outcome).await;
    }

    pub async fn last(&self) -> LastAsked {
        let Some(Note { seen: Asked { outcome }, at }) = self.0.last().await else {
            return LastAsked { status: OktaStatus::Unknown, outcome: None, noted_at: None };
        };
        let status = if outcome == OktaOutcome::Answered { OktaStatus::Up } else { OktaStatus::Down };
        LastAsked { status, outcome: Some(outcome), noted_at: Some(at) }
    }
}

impl From<&okta::Error> for OktaOutcome {
    fn from(error: &okta::Error) -> Self {
        match error {
            // It answered; what is wrong is about one object.
            okta::Error::NotFound | okta::Error::Malformed(_) => Self::Answered,
            okta::Error::Unauthorized { .. } => Self::Unauthorized,
            okta::Error::RateLimited { .. } => Self::RateLimited,
            okta::Error::NoToken(_) => Self::NoToken,
            okta::Error::Unreachable(_) | okta::Error::Failed { .. } => Self::Unavailable,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::{
        sync::atomic::{AtomicI64, Ordering::SeqCst},
        time::Duration,
    };

    use aws::Aws;
    use okta::Limit;
    use runtime::Vars;

    use super::*;
    use crate::{
        noted::KEPT,
        okta_health::OktaOutcome::{Answered, RateLimited, Unauthorized, Unavailable},
    };

    fn cache() -> Cache {
        let vars = Vars::from_iter(aws::EMULATED);
        Cache::from_vars(&vars, &Aws::from_vars(&vars).unwrap()).unwrap()
    }

    /// A clock that goes on when it is told to, and nearly stands still otherwise.
    fn clock() -> (Clock, &'static AtomicI64) {
        let ahead = Box::leak(Box::new(AtomicI64::new(0)));
        (Clock::ahead(ahead), ahead)
    }

    fn pass(ahead: &AtomicI64, seconds: i64) {
        ahead.fetch_add(seconds * 1000, SeqCst);
    }

    async fn outcome(health: &OktaHealth) -> (OktaStatus, Option<OktaOutcome>) {
        let last = health.last().await;
        assert_eq!(last.noted_at.is_some(), last.outcome.is_some());
        (last.status, last.outcome)
    }

    #[tokio::test]
    async fn what_one_sandbox_notes_another_reads() {
        let (cache, (clock, _)) = (cache(), clock());
        let [enrichment, query] = [(); 2].map(|()| OktaHealth::new(cache.clone(), clock));
        assert_eq!(outcome(&query).await, (OktaStatus::Unknown, None));
        for (noted, status) in [
            (Answered, OktaStatus::Up),
            (Unauthorized, OktaStatus::Down),
            (RateLimited, OktaStatus::Down),
            (Answered, OktaStatus::Up),
        ] {
            enrichment.note(noted).await;
            assert_eq!(outcome(&query).await, (status, Some(noted)));
        }
    }

    #[tokio::test]
    async fn what_a_process_has_noted_it_notes_again_after_a_minute() {
        let (cache, (clock, ahead)) = (cache(), clock());
        let [one, other] = [(); 2].map(|()| OktaHealth::new(cache.clone(), clock));
        one.note(Answered).await;
        other.note(Unavailable).await;
        pass(ahead, 30);
        one.note(Answered).await;
        assert_eq!(
            outcome(&one).await,
            (OktaStatus::Down, Some(Unavailable)),
            "nothing new, nothing written"
        );
        pass(ahead, 30);
        one.note(Answered).await;
        assert_eq!(outcome(&other).await, (OktaStatus::Up, Some(Answered)));
    }

    #[tokio::test]
    async fn a_note_that_is_five_minutes_old_says_nothing() {
        let (cache, (clock, ahead)) = (cache(), clock());
        let health = OktaHealth::new(cache, clock);
        health.note(Unavailable).await;
        pass(ahead, 4 * 60);
        assert_eq!(outcome(&health).await, (OktaStatus::Down, Some(Unavailable)));
        pass(ahead, 60);
        assert_eq!(outcome(&health).await, (OktaStatus::Unknown, None));
    }

    #[tokio::test]
    async fn without_the_cache_it_is_unknown_and_what_is_no_note_is_none() {
        let vars = Vars::from_iter(aws::EMULATED).with("CACHE_URL", "redis://127.0.0.1:1");
        let away = Cache::from_vars(&vars, &Aws::from_vars(&vars).unwrap()).unwrap();
        let health = OktaHealth::new(away, Clock::system());
        health.note(Answered).await;
        assert_eq!(outcome(&health).await, (OktaStatus::Unknown, None));
        let cache = cache();
        cache.put(KEY, r#"{"outcome":"amused"}"#, KEPT).await;
        assert_eq!(outcome(&OktaHealth::new(cache, Clock::system())).await, (OktaStatus::Unknown, None));
    }

    #[test]
    fn only_an_okta_that_serves_nobody_is_down() {
        let wait = Duration::from_secs(1);
        for (error, expected) in [
            (okta::Error::NotFound, Answered),
            (okta::Error::Malformed("groups"), Answered),
            (okta::Error::Unauthorized { status: 401 }, Unauthorized),
            (okta::Error::RateLimited { limit: Limit::Org, wait }, RateLimited),
            (okta::Error::Failed { status: 500 }, Unavailable),
        ] {
            assert_eq!(OktaOutcome::from(&error), expected, "{error}");
        }
    }
}

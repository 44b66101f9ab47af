use api::health::{Dependency, Readiness, Up, probe};
use breaker::{Standing, standing};
use cache::Cache;
use runtime::Clock;
use serde::Serialize;

use crate::{
    breakers,
    completion::{Completion, CompletionTimes},
    okta_health::{LastAsked, OktaHealth, OktaStatus},
    store::Store,
};

/// Asks each thing that the queries rest on whether it answers. Okta is not asked: the enrichment has noted how it was, and
/// how long its events took.
#[derive(Debug, Clone)]
pub struct CheckHealth {
    store: Store,
    cache: Cache,
    okta: OktaHealth,
    times: CompletionTimes,
}

#[derive(Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(rename = "QueryHealth"))]
pub struct Health {
    pub status: Readiness,
    pub store: Dependency,
    pub cache: Dependency,
    pub okta: LastAsked,
    /// Absent where no event was completed in the last five minutes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub completion: Option<Completion>,
    /// Those that are not closed. Absent where there are none.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub breakers: Vec<Standing>,
}

impl CheckHealth {
    pub fn new(store: Store, cache: Cache, clock: Clock) -> Self {
        let okta = OktaHealth::new(cache.clone(), clock);
        let times = CompletionTimes::new(cache.clone(), clock);
        Self { store, cache, okta, times }
    }

    pub async fn check(&self) -> Health {
        // Boxed: a read of the cache is a future of kilobytes.
        let notes = Box::pin(async { tokio::join!(self.okta.last(), self.times.last(), self.breakers()) });
        let (store, cache, (okta, completion, breakers)) =
            tokio::join!(probe("store", self.store.ping()), probe("cache", self.cache.ping()), notes);
        let optional = cache.is_up() && okta.status != OktaStatus::Down && breakers.is_empty();
        let status = Readiness::of(Up { required: store.is_up(), optional });
        Health { status, store, cache, okta, completion, breakers }
    }

    async fn breakers(&self) -> Vec<Standing> {
        let standing = |name| standing(&self.cache, name);
        let (okta, store) = tokio::join!(standing(breakers::OKTA), standing(breakers::STORE));
        okta.into_iter().chain(store).collect()
    }
}

#[cfg(test)]
mod tests {
    use api::health::DependencyStatus;
    use aws::Aws;
    use runtime::Vars;

    use super::*;
    use crate::{
        okta_health::OktaOutcome,
        store::{Memory, tests::away},
    };

    fn cache(url: Option<&str>) -> Cache {
        let mut vars = Vars::from_iter(aws::EMULATED);
        vars.extend(url.map(|url| ("CACHE_URL", url)));
        Cache::from_vars(&vars, &Aws::from_vars(&vars).unwrap()).unwrap()
    }

    async fn check(store: Store, cache: Cache, noted: Option<OktaOutcome>) -> Health {
        let health = CheckHealth::new(store, cache, Clock::system());
        if let Some(outcome) = noted {
            health.okta.note(outcome).await;
        }
        health.check().await
    }

    #[tokio::test]
    async fn without_the_cache_it_does_worse_and_without_the_store_nothing() {
        use DependencyStatus::{Down, Up};
        let up = || Store::Memory(Memory::default());
        let lost = || cache(Some("redis://127.0.0.1:1"));
        for (store, cache, expected) in [
            (up(), cache(None), (Readiness::Ready, Up, Up)),
            (up(), lost(), (Readiness::Degraded, Up, Down)),
            (away(), cache(None), (Readiness::Down, Down, Up)),
        ] {
            let health = check(store, cache, None).await;
            assert_eq!((health.status, health.store.status, health.cache.status), expected);
        }
    }

    #[tokio::test]
    async fn a_breaker_that_is_open_is_shown_and_degrades() {
        let cache = cache(None);
        let okta = breakers::okta(&Vars::default(), cache.clone(), Clock::system()).unwrap();
        let health = CheckHealth::new(Store::Memory(Memory::default()), cache, Clock::system());
        assert_eq!(health.check().await.breakers, []);
        for _ in 0..5 {
            okta.permit().await.unwrap().failed(&"it is away").await;
        }
        let since = okta.permit().await.unwrap_err().since;
        let health = health.check().await;
        let open = Standing { before: "okta", state: breaker::State::Open, since };
        assert_eq!((health.status, health.breakers), (Readiness::Degraded, vec![open]));
    }

    #[tokio::test]
    async fn an_okta_that_is_away_degrades_and_one_of_which_nothing_is_known_does_not() {
        for (noted, okta, status) in [
            (None, OktaStatus::Unknown, Readiness::Ready),
            (Some(OktaOutcome::Answered), OktaStatus::Up, Readiness::Ready),
            (Some(OktaOutcome::Unavailable), OktaStatus::Down, Readiness::Degraded),
            (Some(OktaOutcome::RateLimited), OktaStatus::Down, Readiness::Degraded),
        ] {
            let health = check(Store::Memory(Memory::default()), cache(None), noted).await;
            assert_eq!((health.status, health.okta.status), (status, okta), "{noted:?}");
        }
    }
}

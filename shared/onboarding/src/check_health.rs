use api::health::{Dependency, Readiness, probe};
use cache::Cache;
use serde::Serialize;

use crate::{
    okta_health::{LastAsked, OktaHealth, OktaStatus},
    store::Store,
};

/// Asks each thing that the queries rest on whether it answers. Okta is not asked: the enrichment has noted how it was.
#[derive(Debug, Clone)]
pub struct CheckHealth {
    store: Store,
    cache: Cache,
    okta: OktaHealth,
}

#[derive(Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(rename = "QueryHealth"))]
pub struct Health {
    pub status: Readiness,
    pub store: Dependency,
    pub cache: Dependency,
    pub okta: LastAsked,
}

impl CheckHealth {
    pub fn new(store: Store, cache: Cache, okta: OktaHealth) -> Self {
        Self { store, cache, okta }
    }

    pub async fn check(&self) -> Health {
        let (store, cache, okta) = tokio::join!(
            probe("store", self.store.ping()),
            probe("cache", self.cache.ping()),
            self.okta.last(),
        );
        let status = Readiness::of(store.is_up(), cache.is_up() && okta.status != OktaStatus::Down);
        Health { status, store, cache, okta }
    }
}

#[cfg(test)]
mod tests {
    use api::health::DependencyStatus;
    use aws::Aws;
    use runtime::{Clock, Vars};

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
        let okta = OktaHealth::new(cache.clone(), Clock::system());
        if let Some(outcome) = noted {
            okta.note(outcome).await;
        }
        CheckHealth::new(store, cache, okta).check().await
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

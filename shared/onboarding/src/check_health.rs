use std::time::Duration;

use cache::Cache;
use serde::Serialize;
use tokio::time::{Instant, timeout};

use crate::store::Store;

/// Long enough for a slow answer, short enough for a load balancer's patience.
const LIMIT: Duration = Duration::from_secs(2);

/// Asks each thing that the queries rest on whether it answers.
#[derive(Debug, Clone)]
pub struct CheckHealth {
    store: Store,
    cache: Cache,
}

#[derive(Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Health {
    pub status: Status,
    pub store: Dependency,
    pub cache: Dependency,
}

#[derive(Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Dependency {
    pub status: Status,
    pub latency_ms: f64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(rename = "HealthStatus"))]
#[serde(rename_all = "snake_case")]
pub enum Status {
    Up,
    /// Something is away that we can do without.
    Degraded,
    Down,
}

impl CheckHealth {
    pub fn new(store: Store, cache: Cache) -> Self {
        Self { store, cache }
    }

    pub async fn check(&self) -> Health {
        let (store, cache) =
            tokio::join!(probe("store", self.store.ping()), probe("cache", self.cache.ping()));
        let status = match (store.status, cache.status) {
            (Status::Up, Status::Up) => Status::Up,
            (Status::Up, _) => Status::Degraded,
            (_, _) => Status::Down,
        };
        Health { status, store, cache }
    }
}

async fn probe<E: std::error::Error + 'static>(
    dependency: &'static str,
    ping: impl Future<Output = Result<(), E>>,
) -> Dependency {
    let began = Instant::now();
    let status = match timeout(LIMIT, ping).await {
        Ok(Ok(())) => Status::Up,
        Ok(Err(error)) => {
            tracing::warn!(dependency, error = runtime::telemetry::chain(&error), "a dependency is down");
            Status::Down
        }
        Err(_elapsed) => {
            tracing::warn!(dependency, limit = ?LIMIT, "a dependency did not answer in time");
            Status::Down
        }
    };
    Dependency { status, latency_ms: began.elapsed().as_secs_f64() * 1000.0 }
}

#[cfg(test)]
mod tests {
    use std::future::{pending, ready};

    use aws::Aws;
    use runtime::Vars;
    use tokio::time::sleep;

    use super::*;
    use crate::store::{self, Memory, tests::away};

    fn cache(url: Option<&str>) -> Cache {
        let mut vars = Vars::from_iter(aws::EMULATED);
        vars.extend(url.map(|url| ("CACHE_URL", url)));
        Cache::from_vars(&vars, &Aws::from_vars(&vars).unwrap()).unwrap()
    }

    #[tokio::test]
    async fn without_the_cache_it_does_worse_and_without_the_store_nothing() {
        let up = || Store::Memory(Memory::default());
        let lost = || cache(Some("redis://127.0.0.1:1"));
        for (store, cache, expected) in [
            (up(), cache(None), [Status::Up, Status::Up, Status::Up]),
            (up(), lost(), [Status::Degraded, Status::Up, Status::Down]),
            (away(), cache(None), [Status::Down, Status::Down, Status::Up]),
        ] {
            let health = CheckHealth::new(store, cache).check().await;
            assert_eq!([health.status, health.store.status, health.cache.status], expected);
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_slow_answer_is_told_in_milliseconds() {
        let slow = async {
            sleep(Duration::from_millis(250)).await;
            Ok::<_, store::Error>(())
        };
        let slow = probe("store", slow).await;
        assert_eq!((slow.status, slow.latency_ms.round()), (Status::Up, 250.0));
    }

    #[tokio::test(start_paused = true)]
    async fn what_hangs_is_down_after_two_seconds_and_what_refuses_at_once() {
        let hung = probe("store", pending::<Result<(), store::Error>>()).await;
        assert_eq!((hung.status, hung.latency_ms.round()), (Status::Down, 2000.0));
        let refused = probe("store", ready(Err(store::Error::Unavailable("refused".into())))).await;
        assert_eq!((refused.status, refused.latency_ms), (Status::Down, 0.0));
    }
}

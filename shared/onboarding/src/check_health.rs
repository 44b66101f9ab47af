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

use api::{
    Problem,
    health::{self, Dependency, Readiness, Up, probe},
    json,
};
use contracts::topic;
use lambda_http::{Body, Response};
use serde::Serialize;

use crate::Function;

/// Whether dead letters can be read and acted on.
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(rename = "DeadLettersHealth"))]
pub(crate) struct Health {
    status: Readiness,
    /// The table of dead letters.
    store: Dependency,
    /// Without it a redrive is noted, and done by a later sweep.
    kafka: Dependency,
}

impl Function {
    pub(crate) async fn healthz(&self) -> Result<Response<Body>, Problem> {
        let brokers = self.producer.ping(topic::ENRICHMENT_REQUESTED, health::TIMEOUT);
        let (store, kafka) = tokio::join!(probe("store", self.letters.ping()), probe("kafka", brokers));
        let status = Readiness::of(Up { required: store.is_up(), optional: kafka.is_up() });
        Ok(json(status.http_status(), &Health { status, store, kafka }))
    }
}

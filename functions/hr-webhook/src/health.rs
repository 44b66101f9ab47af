use api::{
    Problem,
    health::{self, Dependency, Readiness, Up, probe},
    json,
};
use contracts::topic;
use lambda_http::{Body, Response};
use serde::Serialize;

use crate::Function;

/// Whether an event would be taken now.
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(rename = "WebhookHealth"))]
pub(crate) struct Health {
    status: Readiness,
    kafka: Dependency,
    /// The table of keys, where there is one: without it events are taken all the same.
    #[serde(skip_serializing_if = "Option::is_none")]
    keys: Option<Dependency>,
}

impl Function {
    pub(crate) async fn healthz(&self) -> Result<Response<Body>, Problem> {
        let keys = async {
            match self.memory.ping() {
                Some(ping) => Some(probe("keys", ping).await),
                None => None,
            }
        };
        let brokers = self.producer.ping(topic::ENRICHMENT_REQUESTED, health::TIMEOUT);
        let (kafka, keys) = tokio::join!(probe("kafka", brokers), keys);
        let optional = keys.as_ref().is_none_or(Dependency::is_up);
        let status = Readiness::of(Up { required: kafka.is_up(), optional });
        Ok(json(status.http_status(), &Health { status, kafka, keys }))
    }
}

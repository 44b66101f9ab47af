use api::health::{self, Dependency, Readiness, probe};
use contracts::topic;
use idempotency::Memory;
use kafka::Producer;
use serde::Serialize;

/// Whether an event would be taken now.
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(rename = "WebhookHealth"))]
pub(crate) struct Health {
    pub(crate) status: Readiness,
    kafka: Dependency,
    /// The table of keys, where there is one: without it events are taken all the same.
    #[serde(skip_serializing_if = "Option::is_none")]
    keys: Option<Dependency>,
}

pub(crate) async fn check(producer: &Producer, memory: &Memory) -> Health {
    let keys = async {
        match memory.ping() {
            Some(ping) => Some(probe("keys", ping).await),
            None => None,
        }
    };
    let brokers = producer.ping(topic::ENRICHMENT_REQUESTED, health::LIMIT);
    let (kafka, keys) = tokio::join!(probe("kafka", brokers), keys);
    let status = Readiness::of(kafka.is_up(), keys.as_ref().is_none_or(Dependency::is_up));
    Health { status, kafka, keys }
}

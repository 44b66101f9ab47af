//! The on-failure destination of kind Kafka:
//! <https://docs.aws.amazon.com/lambda/latest/dg/kafka-on-failure.html>.

use std::time::Duration;

use rdkafka::{
    ClientConfig,
    producer::{FutureProducer, FutureRecord},
};
use runtime::event::Record;
use serde_json::json;

/// Why Lambda stopped trying.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Condition {
    RetryAttemptsExhausted,
    RecordAgeExceeded,
}

#[derive(Clone)]
pub(super) struct OnFailure {
    producer: FutureProducer,
    topic: String,
}

impl OnFailure {
    pub(super) fn new(bootstrap_servers: &str, topic: &str) -> anyhow::Result<Self> {
        let mut config = ClientConfig::new();
        config
            .set("bootstrap.servers", bootstrap_servers)
            .set("acks", "all")
            .set("enable.idempotence", "true");
        Ok(Self { producer: config.create()?, topic: topic.to_owned() })
    }

    /// Sends the record there, wrapped, with its own key. Tries until it is acknowledged.
    pub(super) async fn send(&self, record: &Record, condition: Condition, invocations: u32) {
        let value = json!({
            "requestContext": {
                "requestId": "local",
                "functionArn": "local",
                "condition": format!("{condition:?}"),
                "approximateInvokeCount": invocations,
            },
            "responseContext": {"statusCode": 200, "executedVersion": "$LATEST", "functionError": "Unhandled"},
            "version": "1.0",
            "KafkaBatchInfo": {"batchSize": 1, "bootstrapServers": "", "payloadSize": 0},
            "recordInfo": {"offset": record.offset.to_string(), "timestamp": record.timestamp.to_string()},
            "payload": record,
        })
        .to_string();
        loop {
            let mut letter = FutureRecord::to(&self.topic).payload(&value);
            letter.key = record.key.as_ref();
            match self.producer.send(letter, Duration::from_secs(10)).await {
                Ok(_) => return,
                Err((error, _)) => {
                    tracing::warn!(%error, ?record, "the on-failure topic did not take a record");
                }
            }
        }
    }
}

//! The on-failure destination of kind Kafka:
//! <https://docs.aws.amazon.com/lambda/latest/dg/kafka-on-failure.html>.

use kafka::{Error, Outgoing, Producer};
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
    producer: Producer,
    topic: String,
}

impl OnFailure {
    pub(super) fn new(producer: Producer, topic: String) -> Self {
        Self { producer, topic }
    }

    /// Sends the record there, wrapped, with its own key.
    pub(super) async fn send(
        &self,
        record: &Record,
        condition: Condition,
        invocations: u32,
    ) -> Result<(), Error> {
        let mut wrapped = json!({
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
        });
        let sent = self.publish(record, &wrapped).await;
        if matches!(sent, Err(Error::TooLarge(_))) {
            tracing::error!(
                ?record,
                "the on-failure topic takes no record of this size; it goes without the value"
            );
            wrapped["payload"]["value"] = serde_json::Value::Null;
            return self.publish(record, &wrapped).await;
        }
        sent
    }

    async fn publish(&self, record: &Record, wrapped: &serde_json::Value) -> Result<(), Error> {
        let value = wrapped.to_string();
        let letter =
            Outgoing { topic: &self.topic, key: record.key.as_deref(), value: Some(value.as_bytes()) };
        self.producer.publish(letter, std::iter::empty::<(&str, &[u8])>()).await
    }
}

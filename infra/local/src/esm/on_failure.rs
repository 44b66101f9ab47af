//! The on-failure destination of kind Kafka:
//! <https://docs.aws.amazon.com/lambda/latest/dg/kafka-on-failure-destination.html>.

use std::{slice, sync::Arc};

use jiff::Timestamp;
use kafka::{Error, Outgoing, Producer};
use runtime::{Clock, record::Record};
use serde_json::{Value, json};

use super::event;
use crate::template::{ACCOUNT, REGION};

/// Why Lambda stopped trying, in its words.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Condition {
    RetriesExhausted,
    RecordAgeExceeded,
    MaximumPayloadSizeExceeded,
}

#[derive(Clone)]
pub(super) struct OnFailure {
    pub(super) producer: Producer,
    pub(super) topic: String,
    pub(super) function: String,
    pub(super) bootstrap_servers: Arc<str>,
}

impl OnFailure {
    /// Sends the record there, wrapped, with its own key.
    pub(super) async fn send(
        &self,
        record: &Record,
        condition: Condition,
        invocations: u32,
    ) -> Result<(), Error> {
        let sent = self.publish(record, &self.wrap(record, condition, invocations)).await;
        if matches!(sent, Err(Error::TooLarge(_))) {
            tracing::error!(
                ?record,
                "the on-failure topic takes no record of this size; it goes without the value"
            );
            return self.publish(record, &self.wrap(&shortened(record), condition, invocations)).await;
        }
        sent
    }

    fn wrap(&self, record: &Record, condition: Condition, invocations: u32) -> Value {
        let payload = json!(event::of(slice::from_ref(record), &self.bootstrap_servers));
        // Nothing answered where nothing was invoked.
        let response = (invocations > 0)
            .then(|| json!({"statusCode": 200, "executedVersion": "$LATEST", "functionError": "Unhandled"}));
        json!({
            "requestContext": {
                "requestId": "local",
                "functionArn": format!("arn:aws:lambda:{REGION}:{ACCOUNT}:function:{}:$LATEST", self.function),
                "condition": format!("{condition:?}"),
                "approximateInvokeCount": invocations,
            },
            "responseContext": response,
            "version": "1.0",
            "timestamp": iso(Clock::system().now()),
            "KafkaBatchInfo": {
                "batchSize": 1,
                "eventSourceArn": event::cluster_arn(),
                "bootstrapServers": &*self.bootstrap_servers,
                "payloadSize": payload.to_string().len(),
                "recordInfo": {
                    "offset": record.offset.to_string(),
                    "timestamp": iso(Timestamp::from_millisecond(record.timestamp).unwrap_or_default()),
                },
            },
            "payload": payload,
        })
    }

    async fn publish(&self, record: &Record, wrapped: &Value) -> Result<(), Error> {
        let value = wrapped.to_string();
        let letter =
            Outgoing { topic: &self.topic, key: record.key.as_deref(), value: Some(value.as_bytes()) };
        self.producer.publish(letter, std::iter::empty::<(&str, &[u8])>()).await
    }
}

/// What a person needs to find the record on its topic.
fn shortened(record: &Record) -> Record {
    const MAX_ID_BYTES: usize = 256;
    let headers = record.headers.iter().filter(|header| header.value.len() <= MAX_ID_BYTES);
    Record { value: None, headers: headers.cloned().collect(), ..record.clone() }
}

fn iso(at: Timestamp) -> String {
    at.strftime("%Y-%m-%dT%H:%M:%S%.3fZ").to_string()
}

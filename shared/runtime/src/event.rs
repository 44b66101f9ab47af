//! The event that Lambda's event source mapping makes of Kafka records.
//!
//! `aws_lambda_events` has this type, but rejects the whole batch where one record has no `headers` or a header byte
//! above 127, which Lambda sends: a single record must not be able to fail the others.

use std::collections::BTreeMap;

use base64::{Engine, prelude::BASE64_STANDARD};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use contracts::{CorrelationId, EventId, header};
use tracing::Span;

use crate::batch::ItemIdentifier;

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct KafkaEvent {
    /// `aws:kafka` for MSK, `SelfManagedKafka` otherwise.
    pub event_source: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub event_source_arn: Option<String>,
    #[serde(default)]
    pub bootstrap_servers: String,
    /// By "topic-partition". The records say both themselves, and say it without doubt: a topic may contain '-'.
    pub records: BTreeMap<String, Vec<Record>>,
}

#[derive(Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Record {
    pub topic: String,
    pub partition: i32,
    pub offset: i64,
    /// Milliseconds since 1970.
    #[serde(default)]
    pub timestamp: i64,
    #[serde(default = "create_time")]
    pub timestamp_type: String,
    #[serde(default, with = "base64_bytes", skip_serializing_if = "Option::is_none")]
    pub key: Option<Vec<u8>>,
    /// `None` is Kafka's null: a tombstone.
    #[serde(default, with = "base64_bytes")]
    pub value: Option<Vec<u8>>,
    #[serde(default)]
    pub headers: Vec<RecordHeader>,
}

/// One name and its bytes. Lambda writes bytes above 127 as negative or as positive numbers.
#[derive(Clone, PartialEq, Eq)]
pub struct RecordHeader {
    pub name: String,
    pub value: Vec<u8>,
}

impl KafkaEvent {
    /// The records, those of one partition in their order.
    pub fn into_records(self) -> Vec<Record> {
        self.records.into_values().flatten().collect()
    }
}

impl FromIterator<Record> for KafkaEvent {
    fn from_iter<I: IntoIterator<Item = Record>>(all: I) -> Self {
        let mut records = BTreeMap::<String, Vec<Record>>::new();
        for record in all {
            records.entry(format!("{}-{}", record.topic, record.partition)).or_default().push(record);
        }
        Self {
            event_source: "aws:kafka".to_owned(),
            event_source_arn: None,
            bootstrap_servers: String::new(),
            records,
        }
    }
}

impl Record {
    /// The last header of that name, if it is text.
    pub fn header(&self, name: &str) -> Option<&str> {
        let last = self.headers.iter().rev().find(|header| header.name == name)?;
        std::str::from_utf8(&last.value).ok()
    }

    /// The header's id, if it is one: whoever writes to the topic can write anything there.
    pub fn correlation_id(&self) -> Option<CorrelationId> {
        CorrelationId::parse(self.header(header::CORRELATION_ID)?).ok()
    }

    pub fn event_id(&self) -> Option<EventId> {
        EventId::parse(self.header(header::EVENT_ID)?).ok()
    }

    pub fn identifier(&self) -> ItemIdentifier {
        ItemIdentifier { partition: format!("{}-{}", self.topic, self.partition), offset: self.offset }
    }

    /// What every log line about the record carries.
    pub fn span(&self) -> Span {
        let (correlation_id, event_id) = (self.correlation_id(), self.event_id());
        tracing::info_span!(
            "record",
            topic = self.topic,
            partition = self.partition,
            offset = self.offset,
            correlation_id = correlation_id.as_ref().map(CorrelationId::as_str),
            event_id = event_id.as_ref().map(EventId::as_str),
        )
    }
}

impl std::fmt::Debug for Record {
    /// Coordinates only: key, value and headers may be personal.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}-{}@{}", self.topic, self.partition, self.offset)
    }
}

impl std::fmt::Debug for RecordHeader {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.name)
    }
}

impl Serialize for RecordHeader {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map([(&self.name, &self.value)])
    }
}

impl<'de> Deserialize<'de> for RecordHeader {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let pair = BTreeMap::<String, Option<Vec<i16>>>::deserialize(deserializer)?;
        let (name, bytes) = pair.into_iter().next().unwrap_or_default();
        // Two's complement: -1 and 255 are the same byte.
        let value = bytes.into_iter().flatten().map(|byte| byte.to_le_bytes()[0]).collect();
        Ok(Self { name, value })
    }
}

fn create_time() -> String {
    "CREATE_TIME".to_owned()
}

mod base64_bytes {
    use super::{BASE64_STANDARD, Deserialize, Deserializer, Engine, Serializer};

    #[expect(clippy::ref_option, reason = "serde passes a reference to the field")]
    pub(super) fn serialize<S: Serializer>(
        bytes: &Option<Vec<u8>>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        match bytes {
            Some(bytes) => serializer.serialize_str(&BASE64_STANDARD.encode(bytes)),
            None => serializer.serialize_none(),
        }
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Option<Vec<u8>>, D::Error> {
        Option::<std::borrow::Cow<'de, str>>::deserialize(deserializer)?
            .map(|text| BASE64_STANDARD.decode(text.as_bytes()))
            .transpose()
            .map_err(|_| serde::de::Error::custom("a record's key or value is not base64"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(record: &serde_json::Value) -> Record {
        let event = serde_json::json!({
            "eventSource": "aws:kafka",
            "eventSourceArn": "arn:aws:kafka:eu-west-1:123456789012:cluster/joiner/x",
            "bootstrapServers": "b-2:9092,b-1:9092",
            "records": {"user.enrichment.requested-0": [record]}
        });
        serde_json::from_value::<KafkaEvent>(event).unwrap().into_records().remove(0)
    }

    #[test]
    fn header_bytes_come_as_signed_or_unsigned_numbers() {
        let record = event(&serde_json::json!({
            "topic": "user.enrichment.requested", "partition": 0, "offset": 15, "timestamp": 1_545_084_650_987_i64,
            "timestampType": "CREATE_TIME", "key": "RTE=", "value": "e30=",
            "headers": [{"name": [-61, -87]}, {"name": [195, 169, 33]}, {"null": null}]
        }));
        assert_eq!(record.header("name"), Some("é!"));
        assert_eq!(record.headers[0].value, "é".as_bytes());
        assert_eq!((record.key.as_deref(), record.header("null")), (Some(&b"E1"[..]), Some("")));
    }

    #[test]
    fn a_record_without_key_value_and_headers_is_still_a_record() {
        let record = event(&serde_json::json!({"topic": "t-1", "partition": 0, "offset": 3, "value": null}));
        assert_eq!((record.value.as_ref(), record.header("x")), (None, None));
        assert_eq!(record.identifier(), ItemIdentifier { partition: "t-1-0".to_owned(), offset: 3 });
    }

    #[test]
    fn an_event_round_trips() {
        let json = serde_json::json!({
            "topic": "t", "partition": 0, "offset": 15, "timestamp": 1, "timestampType": "CREATE_TIME",
            "key": "RTE=", "value": "e30=", "headers": [{"correlation-id": [99, 45, 49]}]
        });
        assert_eq!(serde_json::to_value(event(&json)).unwrap(), json);
    }
}

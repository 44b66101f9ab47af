//! The event that Lambda's event source mapping makes of Kafka records.
//!
//! `aws_lambda_events` has this type, but rejects the whole batch where one record has no `headers` or a header byte
//! above 127, which Lambda sends: a single record must not be able to fail the others.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::record::Record;

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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::ItemIdentifier;

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

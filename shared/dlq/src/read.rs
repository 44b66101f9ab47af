//! A failed topic has two writers: the consumer of its source, which adds headers to the record, and Lambda's event source
//! mapping, which wraps it when it gives up on an invocation. Whatever else stands there is a letter all the same.

use base64::{Engine, prelude::BASE64_STANDARD};
use contracts::{
    DEAD_LETTER_PREFIX, EmployeeId, FailedTopic, FailureHeaders, Origin, Reason, RedriveHeaders, header,
};
use jiff::Timestamp;
use runtime::{event::KafkaEvent, record::Record};
use serde::Deserialize;

use crate::{
    letter::{Ids, LetterId},
    payload::Payload,
};

/// Lambda's record of a failed invocation, as far as it is needed. Written leniently: its numbers come as strings.
/// <https://docs.aws.amazon.com/lambda/latest/dg/kafka-on-failure-destination.html>
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Invocation {
    request_context: RequestContext,
    payload: Option<serde_json::Value>,
}

/// The triggers' `BatchSize`: a wrapper of more is not Lambda's, and could take longer to park than there is time.
const MAX_RECORDS: usize = 100;

/// What the function was invoked with: an event, as documented with the one record that failed.
#[derive(Deserialize)]
#[serde(untagged)]
enum Invoked {
    Event(KafkaEvent),
    Record(Record),
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct RequestContext {
    condition: String,
    #[serde(default)]
    approximate_invoke_count: serde_json::Value,
}

impl RequestContext {
    fn invocations(&self) -> u32 {
        let count = &self.approximate_invoke_count;
        let number = count.as_u64().and_then(|count| u32::try_from(count).ok());
        number.or_else(|| count.as_str()?.parse().ok()).unwrap_or_default()
    }
}

/// A record from a failed topic, understood.
pub(crate) struct FailedRecord {
    pub(crate) topic: &'static FailedTopic,
    pub(crate) failure: FailureHeaders,
    pub(crate) payload: Payload,
    pub(crate) ids: Ids,
    /// The letter that was redriven with it, and which redrive it was.
    pub(crate) redrive: Option<(LetterId, u32)>,
}

impl FailedRecord {
    /// Whether another try can succeed with nothing changed by a person.
    pub(crate) fn is_retriable(&self) -> bool {
        self.failure.reason.is_transient() && self.payload.has_value()
    }
}

/// One, or those of a wrapper: each of its records is an event of its own, and the wrapper itself is none.
pub(crate) fn failed_records(record: Record) -> Vec<FailedRecord> {
    let topic = FailedTopic::of(&record.topic);
    if let Ok(failure) = FailureHeaders::read(|name| record.header(name)) {
        return vec![failed_record(topic, record, failure)];
    }
    let failed_at = created_at(&record);
    if let Some((records, invocation)) = wrapped(&record) {
        let message = format!("Lambda gave up: {}", invocation.condition);
        let given_up = |record: Record| {
            let failure = unprocessed(&record, message.clone(), invocation.invocations(), failed_at);
            failed_record(topic, record, failure)
        };
        return records.into_iter().map(given_up).collect();
    }
    let message = "the record says nothing of its failure".to_owned();
    let failure = unprocessed(&record, message, 0, failed_at);
    vec![failed_record(topic, record, failure)]
}

/// The records that Lambda could not get processed, if this is a wrapper of some.
fn wrapped(record: &Record) -> Option<(Vec<Record>, RequestContext)> {
    let invocation: Invocation = serde_json::from_slice(record.value.as_deref()?).ok()?;
    let payload = match invocation.payload? {
        // Some destinations carry it as a string of JSON, or of base64.
        serde_json::Value::String(text) => serde_json::from_str(&text)
            .ok()
            .or_else(|| serde_json::from_slice(&BASE64_STANDARD.decode(&text).ok()?).ok())?,
        other => other,
    };
    let records = match serde_json::from_value(payload).ok()? {
        Invoked::Event(event) => event.into_records(),
        Invoked::Record(record) => vec![record],
    };
    (1..=MAX_RECORDS).contains(&records.len()).then_some((records, invocation.request_context))
}

fn unprocessed(record: &Record, message: String, attempts: u32, failed_at: Timestamp) -> FailureHeaders {
    let origin = Origin {
        topic: record.topic.clone(),
        partition: record.partition,
        offset: record.offset,
        timestamp: created_at(record),
    };
    FailureHeaders { reason: Reason::Unprocessed, message, attempts, origin, failed_at }
}

fn created_at(record: &Record) -> Timestamp {
    Timestamp::from_millisecond(record.timestamp).unwrap_or_default()
}

fn failed_record(topic: &'static FailedTopic, record: Record, failure: FailureHeaders) -> FailedRecord {
    let ids = ids(topic, &record);
    let redrive = RedriveHeaders::read(|name| record.header(name))
        .and_then(|redrive| Some((LetterId::parse(redrive.letter_id)?, redrive.redrive)));
    let mut headers = record.headers;
    // What was added since the record was published is in the letter itself.
    headers.retain(|header| !header.name.starts_with(DEAD_LETTER_PREFIX));
    FailedRecord { topic, failure, payload: Payload::of(record.key, record.value, headers), ids, redrive }
}

/// The headers and the key, where they say it: a value may be anything.
fn ids(topic: &FailedTopic, record: &Record) -> Ids {
    let key = record.key.as_deref().and_then(|key| std::str::from_utf8(key).ok());
    let ids = Ids {
        correlation: record.correlation_id(),
        event: record.event_id(),
        employee: key.and_then(|key| EmployeeId::parse(key).ok()),
    };
    if ids.correlation.is_some() && ids.event.is_some() && ids.employee.is_some() {
        return ids;
    }
    let version = record.header(header::SCHEMA_VERSION);
    match record.value.as_deref().and_then(|value| (topic.read)(version, value)) {
        Some(said) => Ids {
            correlation: ids.correlation.or(Some(said.correlation_id)),
            event: ids.event.or(Some(said.event_id)),
            employee: ids.employee.or(Some(said.employee_id)),
        },
        None => ids,
    }
}

#[cfg(test)]
mod tests {
    use runtime::record::RecordHeader;
    use serde_json::json;

    use super::*;
    use crate::payload::Bytes;

    fn only(record: Record) -> FailedRecord {
        let mut failed_records = failed_records(record);
        assert_eq!(failed_records.len(), 1);
        failed_records.remove(0)
    }

    fn record(value: &[u8], headers: Vec<(&str, String)>) -> Record {
        Record {
            topic: "user.enrichment.failed".to_owned(),
            partition: 0,
            offset: 2,
            timestamp: 1_700_000_000_000,
            timestamp_type: "CREATE_TIME".to_owned(),
            key: Some(b"E1".to_vec()),
            value: Some(value.to_vec()),
            headers: headers
                .into_iter()
                .map(|(name, value)| RecordHeader { name: name.to_owned(), value: value.into_bytes() })
                .collect(),
        }
    }

    fn failure() -> FailureHeaders {
        FailureHeaders {
            reason: Reason::UserNotFound,
            message: "Okta knows nobody with this e-mail address".to_owned(),
            attempts: 1,
            origin: Origin {
                topic: "user.enrichment.requested".to_owned(),
                partition: 3,
                offset: 41,
                timestamp: "2026-01-31T18:42:00Z".parse().unwrap(),
            },
            failed_at: "2026-01-31T18:42:02Z".parse().unwrap(),
        }
    }

    #[test]
    fn a_dead_letter_of_the_enrichment_says_where_it_failed_and_why() {
        let mut headers: Vec<_> = failure().pairs().into_iter().collect();
        headers.push((contracts::header::CORRELATION_ID, "c-1".to_owned()));
        let failed = only(record(b"{}", headers));
        assert_eq!(failed.failure, failure());
        assert_eq!(failed.ids.correlation.unwrap().as_str(), "c-1");
        assert_eq!(failed.ids.employee.unwrap().as_str(), "E1");
        let own: Vec<_> = failed.payload.headers.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!((own, failed.redrive), (vec![contracts::header::CORRELATION_ID], None));
    }

    #[test]
    fn a_record_that_was_redriven_names_its_letter_and_its_redrive() {
        let id = "0123456789abcdef0123456789abcdef";
        let mut headers: Vec<_> = RedriveHeaders { letter_id: id, redrive: 2 }.pairs().into_iter().collect();
        headers.extend(failure().pairs());
        assert_eq!(only(record(b"{}", headers)).redrive, Some((LetterId::parse(id).unwrap(), 2)));
    }

    #[test]
    fn what_the_headers_leave_out_the_value_says() {
        let value = json!({
            "eventId": "evt-1", "eventType": "hired", "correlationId": "c-1", "occurredAt": "2026-01-31T18:42:00Z",
            "receivedAt": "2026-01-31T18:42:01Z", "employee": {
                "id": "E9", "firstName": "Ada", "lastName": "Lovelace", "email": "ada@example.com", "details": {}
            }
        });
        let ids =
            only(record(value.to_string().as_bytes(), vec![(header::SCHEMA_VERSION, "1".to_owned())])).ids;
        assert_eq!((ids.correlation.unwrap().as_str(), ids.event.unwrap().as_str()), ("c-1", "evt-1"));
        assert_eq!(ids.employee.unwrap().as_str(), "E1", "the key decides the order");
    }

    /// As Lambda documents it.
    fn given_up(payload: &serde_json::Value) -> Record {
        let invocation = json!({
            "requestContext": {
                "requestId": "r", "functionArn": "arn", "condition": "RetriesExhausted",
                "approximateInvokeCount": 4
            },
            "responseContext": {"statusCode": 200, "executedVersion": "$LATEST", "functionError": "Unhandled"},
            "version": "1.0",
            "timestamp": "2026-01-31T18:42:02.000Z",
            "KafkaBatchInfo": {
                "batchSize": 1, "eventSourceArn": "arn", "bootstrapServers": "b-1:9098", "payloadSize": 1162,
                "recordInfo": {"offset": "7", "timestamp": "2026-01-31T18:42:00.000Z"}
            },
            "payload": payload,
        });
        record(invocation.to_string().as_bytes(), vec![])
    }

    fn requested(offset: i64) -> serde_json::Value {
        json!({
            "topic": "user.enrichment.requested", "partition": 1, "offset": offset,
            "timestamp": 1_700_000_000_000_i64, "timestampType": "CREATE_TIME", "key": "RTI=", "value": "e30=",
            "headers": [{"event-id": [101, 45, 50]}]
        })
    }

    fn event(records: &[serde_json::Value]) -> serde_json::Value {
        json!({"eventSource": "aws:kafka", "records": {"user.enrichment.requested-1": records}})
    }

    #[test]
    fn a_record_that_lambda_gave_up_on_is_unwrapped() {
        let documented = event(&[requested(7)]);
        let text = documented.to_string();
        for payload in [documented, json!(text), json!(BASE64_STANDARD.encode(text)), requested(7)] {
            let FailedRecord { failure, payload, ids, .. } = only(given_up(&payload));
            assert_eq!((failure.reason, failure.attempts), (Reason::Unprocessed, 4));
            assert_eq!((failure.origin.partition, failure.origin.offset), (1, 7));
            assert_eq!(payload.value, Some(Bytes::Text("{}".to_owned())));
            assert_eq!(ids.employee.unwrap().as_str(), "E2");
            assert_eq!(ids.event.unwrap().as_str(), "e-2");
        }
    }

    #[test]
    fn each_record_of_a_wrapper_of_several_is_a_failed_record_of_its_own() {
        let failed_records = failed_records(given_up(&event(&[requested(7), requested(8)])));
        let told: Vec<_> = failed_records
            .iter()
            .map(|FailedRecord { failure, payload, .. }| {
                (failure.origin.offset, failure.attempts, &payload.value)
            })
            .collect();
        let value = Some(Bytes::Text("{}".to_owned()));
        assert_eq!(told, [(7, 4, &value), (8, 4, &value)]);
    }

    #[test]
    fn a_wrapper_of_nothing_or_of_more_than_a_batch_is_a_letter_all_the_same() {
        for records in [0, 101] {
            let wrapper = given_up(&event(&vec![requested(7); records]));
            let value = String::from_utf8(wrapper.value.clone().unwrap()).unwrap();
            assert_eq!(only(wrapper).payload.value, Some(Bytes::Text(value)));
        }
    }

    #[test]
    fn a_wrapper_holds_as_many_records_as_the_triggers_batches() {
        let trigger = include_str!("../../../infra/trigger.yaml");
        let sizes = trigger.lines().filter_map(|line| line.trim().strip_prefix("BatchSize: "));
        assert_eq!(sizes.collect::<Vec<_>>(), [MAX_RECORDS.to_string()]);
    }

    #[test]
    fn what_nobody_explains_is_a_letter_all_the_same() {
        let failed = only(record(&[0xff, 0xfe], vec![]));
        assert_eq!(failed.failure.reason, Reason::Unprocessed);
        assert_eq!(failed.failure.origin.topic, "user.enrichment.failed");
        assert_eq!(failed.payload.value, Some(Bytes::Base64("//4=".to_owned())));
    }
}

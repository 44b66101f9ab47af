//! The failed topic has two writers: the enrichment, which adds headers to the record, and Lambda's event source
//! mapping, which wraps it when it gives up on an invocation. Whatever else stands there is a letter all the same.

use base64::{Engine, prelude::BASE64_STANDARD};
use contracts::{EmployeeId, FailureHeaders, Origin, Reason};
use jiff::Timestamp;
use runtime::event::{KafkaEvent, Record};
use serde::Deserialize;

use crate::letter::{self, DeadLetter, LetterId, LetterState, fingerprint};

/// Lambda's record of a failed invocation, as far as it is needed. Written leniently: its numbers come as strings.
/// <https://docs.aws.amazon.com/lambda/latest/dg/kafka-on-failure-destination.html>
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Invocation {
    request_context: RequestContext,
    payload: Option<serde_json::Value>,
}

/// What the function was invoked with: as documented an event, with the one record that failed.
#[derive(Deserialize)]
#[serde(untagged)]
enum Payload {
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

pub(crate) fn letter(record: Record, now: Timestamp) -> DeadLetter {
    if let Ok(failure) = FailureHeaders::read(|name| record.header(name)) {
        return write(record, failure, now);
    }
    if let Some((inner, invocation)) = wrapped(&record) {
        let message = format!("Lambda gave up: {}", invocation.condition);
        let attempts = invocation.invocations();
        let failure = unprocessed(&inner, message, attempts, created_at(&record));
        return write(inner, failure, now);
    }
    let failure =
        unprocessed(&record, "the record says nothing of its failure".to_owned(), 0, created_at(&record));
    write(record, failure, now)
}

/// The record that Lambda could not get processed, if this is such a wrapper.
fn wrapped(record: &Record) -> Option<(Record, RequestContext)> {
    let invocation: Invocation = serde_json::from_slice(record.value.as_deref()?).ok()?;
    let payload = match invocation.payload? {
        // Some destinations carry it as a string of JSON, or of base64.
        serde_json::Value::String(text) => serde_json::from_str(&text)
            .ok()
            .or_else(|| serde_json::from_slice(&BASE64_STANDARD.decode(&text).ok()?).ok())?,
        other => other,
    };
    let mut records = match serde_json::from_value(payload).ok()? {
        Payload::Event(event) => event.into_records(),
        Payload::Record(record) => vec![record],
    };
    // Several can't become one letter: then the wrapper is it, with all of them.
    let only = if records.len() == 1 { records.pop() } else { None };
    Some((only?, invocation.request_context))
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

fn write(record: Record, failure: FailureHeaders, parked_at: Timestamp) -> DeadLetter {
    let key = record.key.as_deref().and_then(|key| std::str::from_utf8(key).ok());
    let employee_id = key.and_then(|key| EmployeeId::parse(key).ok());
    let (correlation_id, event_id) = (record.correlation_id(), record.event_id());
    DeadLetter {
        id: LetterId::of(&failure.origin, record.value.as_deref()),
        state: LetterState::Parked,
        fingerprint: fingerprint(failure.reason, &failure.origin, &failure.message),
        reason: failure.reason,
        message: failure.message,
        attempts: failure.attempts,
        failed_at: failure.failed_at,
        parked_at,
        correlation_id,
        event_id,
        employee_id,
        origin: failure.origin,
        payload: letter::Payload::of(record.key, record.value, record.headers),
    }
}

#[cfg(test)]
mod tests {
    use runtime::event::RecordHeader;
    use serde_json::json;

    use super::*;
    use crate::letter::Bytes;

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

    fn now() -> Timestamp {
        "2026-01-31T18:50:00Z".parse().unwrap()
    }

    #[test]
    fn a_dead_letter_of_the_enrichment_says_where_it_failed_and_why() {
        let mut headers: Vec<_> = failure().pairs().into_iter().collect();
        headers.push((contracts::header::CORRELATION_ID, "c-1".to_owned()));
        let letter = letter(record(b"{}", headers), now());
        assert_eq!((letter.reason, &letter.origin), (Reason::UserNotFound, &failure().origin));
        assert_eq!(letter.correlation_id.unwrap().as_str(), "c-1");
        assert_eq!(letter.employee_id.unwrap().as_str(), "E1");
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
            let letter = letter(given_up(&payload), now());
            assert_eq!((letter.reason, letter.attempts), (Reason::Unprocessed, 4));
            assert_eq!((letter.origin.partition, letter.origin.offset), (1, 7));
            assert_eq!(letter.payload.value, Some(Bytes::Text("{}".to_owned())));
            assert_eq!(letter.employee_id.unwrap().as_str(), "E2");
            assert_eq!(letter.event_id.unwrap().as_str(), "e-2");
        }
    }

    #[test]
    fn a_wrapper_of_several_records_loses_none_of_them() {
        let wrapper = given_up(&event(&[requested(7), requested(8)]));
        let value = String::from_utf8(wrapper.value.clone().unwrap()).unwrap();
        let letter = letter(wrapper, now());
        assert_eq!(letter.payload.value, Some(Bytes::Text(value)));
    }

    #[test]
    fn what_nobody_explains_is_a_letter_all_the_same() {
        let letter = letter(record(&[0xff, 0xfe], vec![]), now());
        assert_eq!(letter.reason, Reason::Unprocessed);
        assert_eq!(letter.origin.topic, "user.enrichment.failed");
        assert_eq!(letter.payload.value, Some(Bytes::Base64("//4=".to_owned())));
    }
}

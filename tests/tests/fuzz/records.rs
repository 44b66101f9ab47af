//! Whatever stands on a topic is dealt with: a record that were reported back for what it is would come for ever, and
//! hold up its partition.

use base64::{Engine, prelude::BASE64_STANDARD};
use lambda::{Batch, Context, Deadline, Function};
use proptest::{prelude::*, test_runner::TestCaseError};
use runtime::{Clock, event::KafkaEvent};
use serde_json::{Value, json};
use tokio::runtime::Runtime;

use crate::{
    damage::{damaged, garbled, text},
    for_each, sample, world,
};

/// A record whose value, key and headers may be wrong; what Lambda writes around them is right.
pub(crate) fn record(values: Vec<Value>) -> impl Strategy<Value = Value> {
    let names = prop::sample::select(
        &[
            "correlation-id",
            "event-id",
            "event-type",
            "traceparent",
            "schema-version",
            "dlq-reason",
            "dlq-message",
            "dlq-attempts",
            "dlq-origin-topic",
            "dlq-origin-partition",
            "dlq-origin-offset",
            "dlq-origin-timestamp",
            "dlq-failed-at",
            "dlq-letter-id",
            "dlq-redrive",
            "",
        ][..],
    );
    let bytes = prop_oneof![
        4 => text().prop_map(String::into_bytes),
        1 => prop::collection::vec(any::<u8>(), 0..20),
        1 => (0..90_000_usize).prop_map(|length| vec![b'm'; length]),
    ];
    let headers = prop::collection::vec((names, bytes), 0..8);
    let key = prop::option::of(prop_oneof![Just("E1".to_owned()), text()]);
    let value = prop_oneof![
        9 => garbled(values, 3).prop_map(Some),
        1 => Just(None),
        1 => (200_000..300_000_usize).prop_map(|length| Some(vec![0xff; length])),
    ];
    (value, key, headers, any::<i64>(), 0..i64::MAX).prop_map(|(value, key, headers, timestamp, offset)| {
        let headers: Vec<_> = headers.into_iter().map(|(name, value)| json!({ name: value })).collect();
        json!({
            "topic": "t", "partition": 0, "offset": offset, "timestamp": timestamp, "timestampType": "CREATE_TIME",
            "key": key.map(|key| BASE64_STANDARD.encode(key)),
            "value": value.map(|value| BASE64_STANDARD.encode(value)), "headers": headers,
        })
    })
}

/// Invokes the function with the record, which it must not report back.
async fn assert_dealt_with(function: &impl Function, record: &Value) -> Result<(), TestCaseError> {
    let event = json!({"eventSource": "aws:kafka", "records": {"t-0": [record]}}).to_string();
    let answer = lambda::invoke(function, event.as_bytes(), Context::default(), Clock::system()).await;
    let answer: Value = serde_json::from_slice(&answer.unwrap()).unwrap();
    prop_assert_eq!(&answer["batchItemFailures"], &json!([]));
    Ok(())
}

/// Every header of a failure, so that single ones can be wrong.
fn failed(record: Value, wrong: &[(String, String)]) -> Value {
    let mut record = record;
    let right = [
        ("dlq-reason", "okta_unavailable"),
        ("dlq-message", "Okta failed with status 503"),
        ("dlq-attempts", "3"),
        ("dlq-origin-topic", "user.enrichment.requested"),
        ("dlq-origin-partition", "0"),
        ("dlq-origin-offset", "7"),
        ("dlq-origin-timestamp", "2026-01-31T18:42:00Z"),
        ("dlq-failed-at", "2026-01-31T18:42:01Z"),
    ];
    let pairs = right.iter().map(|(name, value)| (*name, *value));
    let wrong = wrong.iter().map(|(name, value)| (name.as_str(), value.as_str()));
    let headers = pairs.chain(wrong).map(|(name, value)| json!({ name: value.as_bytes() }));
    record["headers"].as_array_mut().unwrap().extend(headers);
    record
}

fn messages() -> Vec<Value> {
    let newest = json!({
        "eventId": "evt-1", "eventType": "updated", "correlationId": "c-1", "receivedAt": "2026-01-31T18:42:01Z",
        "edition": 1, "employeeId": "E1",
        "stated": {"title": null, "email": "ada@acme.example", "startDate": "2026-02-01", "country": "SE"},
        "warnings": [{"pointer": "/office", "code": "unreadable", "message": "must be a string: left out"}],
    });
    let erasure = json!({
        "eventId": "evt-2", "eventType": "erased", "correlationId": "c-2", "receivedAt": "2026-01-31T18:42:01Z",
        "employeeId": "E1", "stated": {},
    });
    vec![message_of_the_version_before(), newest, erasure]
}

fn message_of_the_version_before() -> Value {
    json!({
        "eventId": "evt-1", "eventType": "hired", "correlationId": "c-1", "occurredAt": "2026-01-31T18:42:00Z",
        "receivedAt": "2026-01-31T18:42:01Z", "employee": {
            "id": "E1", "firstName": "Ada", "lastName": "Lovelace", "email": "ada@acme.example", "startDate": "2026-02-01",
            "details": {"country": "SE", "timeZone": "Europe/Stockholm"},
        },
    })
}

/// As Lambda wraps a record that it gave up on.
fn given_up(payload: &Value) -> Value {
    json!({
        "requestContext": {
            "requestId": "r", "functionArn": "arn", "condition": "RetryAttemptsExhausted", "approximateInvokeCount": "4",
        },
        "version": "1.0", "recordInfo": {"offset": "7", "timestamp": "1700000000000"}, "payload": payload,
    })
}

#[test]
fn no_message_is_reported_back_for_what_it_is() {
    let (runtime, clock) = (Runtime::new().unwrap(), Clock::system());
    let world = runtime.block_on(world());
    let enrichment = {
        let _entered = runtime.enter();
        enrichment::Function::from_vars(&world.vars_of("enrichment"), clock).unwrap()
    };
    for_each(100, &record(messages()), |record| runtime.block_on(assert_dealt_with(&enrichment, &record)));
    runtime.block_on(async {
        world.settle().await;
        world.stop().await;
    });
}

#[test]
fn no_dead_letter_is_reported_back_for_what_it_is() {
    let (runtime, clock) = (Runtime::new().unwrap(), Clock::system());
    let world = runtime.block_on(world());
    let reprocessor = {
        let _entered = runtime.enter();
        dlq_reprocessor::Function::from_vars(&world.vars_of("dlq-reprocessor"), clock).unwrap()
    };
    let inner = json!({
        "topic": "user.enrichment.requested", "partition": 1, "offset": 7, "timestamp": 1_700_000_000_000_i64,
        "timestampType": "CREATE_TIME", "key": "RTI=", "value": "e30=", "headers": [{"dlq-redrive": [49]}],
    });
    let given_up = [given_up(&inner), given_up(&json!(inner.to_string()))];
    let values = messages().into_iter().chain(given_up).collect();
    let wrong = prop::collection::vec(
        (
            prop::sample::select(
                &["dlq-reason", "dlq-attempts", "dlq-redrive", "dlq-message", "dlq-letter-id"][..],
            ),
            text(),
        ),
        0..2,
    );
    let cases = (record(values), prop::option::of(wrong));
    for_each(100, &cases, |(record, wrong)| {
        let record = match wrong {
            Some(wrong) => {
                let wrong: Vec<_> = wrong.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
                failed(record, &wrong)
            }
            None => record,
        };
        runtime.block_on(assert_dealt_with(&reprocessor, &record))
    });
    runtime.block_on(world.stop());
}

#[test]
fn an_event_of_lambdas_is_read_or_refused_whole_and_answers_name_its_own_records() {
    let samples = vec![sample("enrichment/batch.json"), sample("dlq-reprocessor/given-up-by-lambda.json")];
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
    for_each(500, &damaged(samples, 4), |tree| {
        let Ok(event) = serde_json::from_str::<KafkaEvent>(&tree.to_string()) else { return Ok(()) };
        let records = event.into_records();
        let known: Vec<_> = records.iter().map(runtime::record::Record::identifier).collect();
        let batch = Batch { records, deadline: Deadline::after(std::time::Duration::from_mins(1)) };
        let answer = runtime.block_on(batch.process(4, |record| async move {
            if record.offset % 2 == 1 { Err(runtime::record::Retry) } else { Ok(()) }
        }));
        for failure in answer.batch_item_failures {
            prop_assert!(known.contains(&failure.item_identifier));
        }
        Ok(())
    });
}

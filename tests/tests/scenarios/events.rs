//! The sample events: what `sam local invoke` and `joiner send` take, and what every function must understand.

use contracts::{EnrichmentRequestedV2, header};
use joiner::{Function, template::FunctionSpec};
use lambda_http::RequestExt;
use runtime::{Clock, event::KafkaEvent};
use scenarios::{Sample, functions, samples};
use serde_json::Value;
use testkit::{Employee, World};

fn all() -> impl Iterator<Item = (String, Value)> {
    functions().into_iter().flat_map(|FunctionSpec { name: function, .. }| {
        let samples = samples(&function);
        samples.into_iter().map(move |sample| {
            (format!("{function}/{}", sample.name), serde_json::from_str(&sample.event).unwrap())
        })
    })
}

#[test]
fn every_http_sample_is_a_request_of_api_gateway() {
    for (name, event) in all().filter(|(_, event)| event.get("requestContext").is_some()) {
        let request = lambda_http::request::from_str(&event.to_string()).unwrap();
        assert_eq!(request.raw_http_path(), event["rawPath"], "{name}");
        assert_eq!(request.method().as_str(), event["requestContext"]["http"]["method"], "{name}");
    }
}

#[test]
fn every_kafka_sample_is_a_batch_and_survives_a_round_trip() {
    for (name, event) in all().filter(|(_, event)| event.get("eventSource").is_some()) {
        let batch: KafkaEvent = serde_json::from_value(event.clone()).unwrap();
        assert_eq!(serde_json::to_value(&batch).unwrap(), event, "{name}");
        assert!(!batch.into_records().is_empty(), "{name}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_sample_is_answered_as_is_written_beside_it() {
    let world = World::new().await;
    // Whom the samples are about.
    world.knows(&Employee::new("ingrid.lindqvist", "Ingrid", "Lindqvist"));
    for spec in functions() {
        let function = Function::start(&spec, &world.vars_of(&spec.name), Clock::system()).unwrap();
        for sample in samples(&spec.name) {
            let answer = function.invoke(sample.event.clone().into_bytes()).await.unwrap();
            let answer: Value = serde_json::from_slice(&answer).unwrap();
            assert!(sample.is_answered_by(&answer), "{}/{}: {answer}", spec.name, sample.name);
        }
        world.settle().await;
    }
    let ingrid = world.user("E1001").await;
    assert_eq!(ingrid["employmentStatus"], "terminated", "by the newest of the samples");
    assert_eq!(
        (&ingrid["title"], &ingrid["startDate"]),
        (&"Engineering Manager".into(), &"2026-02-01".into())
    );
    let letters = world.dead_letters().await;
    let unknown = letters.iter().filter(|letter| letter["employee_id"] == "E1999");
    assert_eq!(unknown.count(), 1, "of the unknown person");
}

#[test]
fn the_records_of_the_enrichments_samples_are_what_their_names_say() {
    for Sample { name, event, .. } in samples("enrichment") {
        let event: KafkaEvent = serde_json::from_str(&event).unwrap();
        for record in event.into_records() {
            let version = record.header(header::SCHEMA_VERSION);
            let decoded = record.value.as_deref().map(|value| EnrichmentRequestedV2::decode(version, value));
            let understood = matches!(decoded, Some(Ok(_)));
            assert_eq!(understood, name != "malformed-record", "{name}: {record:?}");
        }
    }
}

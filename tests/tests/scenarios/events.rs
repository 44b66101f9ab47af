//! The sample events: what `sam local invoke` and `joiner send` take, and what every function must understand.

use std::{fs, path::PathBuf};

use contracts::EnrichmentRequestedV2;
use lambda_http::RequestExt;
use reqwest::Method;
use runtime::event::KafkaEvent;
use serde_json::Value;
use testkit::{Employee, World};

fn samples(function: &str) -> Vec<(String, String)> {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../events").join(function);
    let mut samples: Vec<_> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| !path.to_str().unwrap().ends_with(".body.json"))
        .map(|path| {
            (path.file_stem().unwrap().to_str().unwrap().to_owned(), fs::read_to_string(path).unwrap())
        })
        .collect();
    samples.sort();
    assert!(!samples.is_empty(), "{function} has no sample event");
    samples
}

#[test]
fn every_http_sample_is_a_request_of_api_gateway() {
    for function in ["hr-webhook", "user-query", "dead-letters"] {
        for (name, json) in samples(function) {
            let request = lambda_http::request::from_str(&json).unwrap();
            let event: Value = serde_json::from_str(&json).unwrap();
            assert_eq!(request.raw_http_path(), event["rawPath"], "{function}/{name}");
            assert_eq!(
                request.method().as_str(),
                event["requestContext"]["http"]["method"],
                "{function}/{name}"
            );
        }
    }
}

#[test]
fn every_kafka_sample_is_a_batch_and_survives_a_round_trip() {
    for function in ["enrichment", "dlq-reprocessor"] {
        for (name, json) in samples(function) {
            let event: KafkaEvent = serde_json::from_str(&json).unwrap();
            let again: Value = serde_json::to_value(&event).unwrap();
            assert_eq!(again, serde_json::from_str::<Value>(&json).unwrap(), "{function}/{name}");
            assert!(!event.into_records().is_empty(), "{function}/{name}");
        }
    }
}

#[test]
fn the_records_of_the_enrichments_samples_are_what_their_names_say() {
    for (name, json) in samples("enrichment") {
        let event: KafkaEvent = serde_json::from_str(&json).unwrap();
        for record in event.into_records() {
            let decoded = record.value.as_deref().map(EnrichmentRequestedV2::decode);
            let understood = matches!(decoded, Some(Ok(_)));
            assert_eq!(understood, name != "malformed-record", "{name}: {record:?}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_webhook_sample_is_answered_as_its_name_says() {
    let world = World::new().await;
    for (name, json) in samples("hr-webhook") {
        let event: Value = serde_json::from_str(&json).unwrap();
        if name == "healthz" {
            assert_eq!(world.get(event["rawPath"].as_str().unwrap()).await.status.as_u16(), 200);
            continue;
        }
        if event["requestContext"]["http"]["method"] == "DELETE" {
            world.hr().forgets(event["pathParameters"]["id"].as_str().unwrap()).await;
            continue;
        }
        let body: Value = serde_json::from_str(event["body"].as_str().unwrap()).unwrap_or_default();
        if let Some(email) = body["email"].as_str().filter(|_| name != "unknown-person") {
            let mut person = Employee::ada().in_okta();
            (person.id, person.login, person.email) = (name.clone(), email.to_owned(), email.to_owned());
            world.okta().add(person);
        }
        let answer = world.hr().posts(event["body"].as_str().unwrap(), &[]).await;
        let expected = match name.as_str() {
            "malformed" => 400,
            "invalid-fields" => 422,
            _ => 202,
        };
        assert_eq!(answer.status.as_u16(), expected, "{name}: {answer:?}");
    }
    world.settle().await;
    let ingrid = world.user("E1001").await;
    assert_eq!(ingrid["employmentStatus"], "terminated", "by the newest of the samples");
    assert_eq!(
        (&ingrid["title"], &ingrid["startDate"]),
        (&"Engineering Manager".into(), &"2026-02-01".into())
    );
    assert_eq!(world.dead_letters().await.len(), 1, "of the unknown person");
}

#[tokio::test(flavor = "multi_thread")]
async fn every_query_sample_is_answered_as_its_name_says() {
    let world = World::new().await;
    let mut answered = Vec::new();
    for (name, json) in [samples("user-query"), samples("dead-letters")].concat() {
        let event: Value = serde_json::from_str(&json).unwrap();
        let path =
            format!("{}?{}", event["rawPath"].as_str().unwrap(), event["rawQueryString"].as_str().unwrap());
        answered.push((name, world.call(Method::GET, &path, &[], None).await.status.as_u16()));
    }
    let expected = [
        ("healthz", 200),
        ("history", 404),
        ("request", 404),
        ("unknown-route", 404),
        ("user", 404),
        ("users-of-department", 200),
        ("healthz", 200),
        ("letter", 404),
        ("list", 200),
    ];
    assert_eq!(answered, expected.map(|(name, status)| (name.to_owned(), status)));
}

//! What happened is told on `joiner.events`, once it is written, in its order.

use std::time::Duration;

use reqwest::Method;
use serde_json::{Value, json};
use testkit::{Employee, Told, World};

fn types_of<'t>(told: &'t [Told], key: &str) -> Vec<&'t str> {
    told.iter().filter(|fact| fact.key == key).map(|fact| fact.header("ce_type")).collect()
}

/// The newest that was told of somebody.
fn newest(told: &[Told], id: &str) -> Value {
    told.iter().rfind(|fact| fact.key == id).unwrap().data.clone()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_life_is_told_in_its_order_as_a_reader_would_see_it() {
    let world = World::new().await;
    let ada = Employee::ada();
    world.knows(&ada);
    let receipt = world.hr().hires(&ada).await;
    world.settle().await;
    let hired = world.user("E100").await;
    world.hr().updates(&Employee::of("E100").with("event_id", "promotion").with("title", "Countess")).await;
    world.settle().await;
    // Says nothing new.
    world.hr().updates(&Employee::of("E100").with("event_id", "again").with("title", "Countess")).await;
    world.hr().terminates(&Employee::of("E100").with("event_id", "leave")).await;
    world.settle().await;
    world.hr().forgets("E100").await;
    world.settle().await;

    let told = world.told().await;
    let expected = ["user.created", "user.completed", "user.updated", "user.terminated", "user.erased"];
    assert_eq!(types_of(&told, "E100"), expected);
    let of_ada: Vec<_> = told.iter().filter(|fact| fact.key == "E100").collect();
    let versions: Vec<_> = of_ada.iter().map(|fact| fact.data["version"].as_u64().unwrap()).collect();
    assert_eq!(versions, [1, 1, 2, 3, 4]);
    assert_eq!(of_ada[1].data["user"], hired);
    assert_eq!(
        (&of_ada[2].data["changed"], &of_ada[2].data["user"]["title"]),
        (&json!(["title"]), &json!("Countess"))
    );
    assert_eq!((&of_ada[4].data["user"], &of_ada[4].data["generation"]), (&Value::Null, &json!(1)));

    let correlation_id = receipt.json["correlation_id"].as_str().unwrap();
    let first = of_ada[0];
    assert_eq!(first.header("ce_specversion"), "1.0");
    assert_eq!(first.header("ce_subject"), "E100");
    assert_eq!(first.header("correlation-id"), correlation_id);
    assert_eq!(types_of(&told, correlation_id), ["request.enriched"]);
    let mut ids: Vec<_> = told.iter().map(|fact| fact.header("ce_id")).collect();
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), told.len(), "each has an id of its own");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failure_is_told_and_its_end() {
    let world = World::new().await;
    let ada = Employee::ada();
    let receipt = world.hr().hires(&ada).await;
    world.settle().await;
    world.knows(&ada);
    let letter = world.dead_letters().await[0]["id"].as_str().unwrap().to_owned();
    world.post(&format!("/v1/dead-letters/{letter}/redrive"), &json!({})).await;
    world.settle().await;
    let told = world.told().await;
    assert_eq!(types_of(&told, "E100"), ["user.created", "user.completed"]);
    let request = receipt.json["correlation_id"].as_str().unwrap();
    assert_eq!(types_of(&told, request), ["request.failed", "request.enriched"]);
    let failed = told.iter().find(|fact| fact.key == request).unwrap();
    assert_eq!(
        (&failed.data["outcome"], &failed.data["reason"]),
        (&json!("failed"), &json!("user_not_found"))
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_letter_tells_each_state_that_it_comes_to() {
    let world = World::new().await;
    let ada = Employee::ada();
    let receipt = world.hr().hires(&ada).await;
    world.settle().await;
    let letter = world.dead_letters().await[0]["id"].as_str().unwrap().to_owned();
    world.post(&format!("/v1/dead-letters/{letter}/discard"), &json!({"because": "a test's"})).await;
    world.knows(&ada);
    world.post(&format!("/v1/dead-letters/{letter}/redrive"), &json!({})).await;
    world.settle().await;
    world.passes(Duration::from_mins(3));
    world.tick("dlq-reprocessor").await;
    world.settle().await;
    let told = world.told().await;
    let expected = ["dead_letter.parked", "dead_letter.discarded", "dead_letter.resolved"];
    assert_eq!(types_of(&told, &letter), expected);
    let parked = told.iter().find(|fact| fact.key == letter).unwrap();
    assert_eq!(parked.header("correlation-id"), receipt.json["correlation_id"]);
    assert_eq!(
        (&parked.data["state"], &parked.data["reason"], &parked.data["employee_id"]),
        (&json!("parked"), &json!("user_not_found"), &json!("E100"))
    );
}

/// Twice on the topic, as a producer that isn't idempotent may put it there: two letters, which fail at different times.
#[tokio::test(flavor = "multi_thread")]
async fn each_failure_of_an_event_is_a_fact_of_its_own() {
    let world = World::new().await;
    let body = json!({
        "employee_id": "E100", "first_name": "Ada", "last_name": "Lovelace", "email": "nobody@acme.example",
        "event_id": "evt-1",
    });
    for _ in 0..2 {
        let headers = [("X-Correlation-Id", "c-1"), ("Content-Type", "application/json")];
        world.call(Method::POST, "/v1/hr/webhook", &headers, Some(body.to_string().into())).await;
        world.settle().await;
    }
    assert_eq!(world.dead_letters().await.len(), 2);
    let told = world.told().await;
    let of_request: Vec<_> = told.iter().filter(|fact| fact.key == "c-1").collect();
    let mut ids: Vec<_> = of_request.iter().map(|fact| fact.header("ce_id")).collect();
    ids.dedup();
    assert_eq!((types_of(&told, "c-1"), ids.len()), (vec!["request.failed"; 2], 2));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_repeat_tells_nothing() {
    let world = World::new().await;
    let ada = Employee::ada().with("event_id", "hire");
    world.knows(&ada);
    world.hr().hires(&ada).await;
    world.settle().await;
    let before = world.told().await;
    let receipt = world.hr().hires(&ada).await;
    world.settle().await;
    let told = world.told().await;
    let request = receipt.json["correlation_id"].as_str().unwrap();
    assert_eq!(
        types_of(&told, request),
        ["request.enriched"],
        "another request for the same event has its end"
    );
    assert_eq!(told.len(), before.len() + 1);
}

/// The function's publisher has no brokers, and its records come all the same: as if it had ended after its write.
#[tokio::test(flavor = "multi_thread")]
async fn what_a_function_has_left_the_sweep_publishes_in_its_order() {
    let world = World::new().await;
    world
        .knows(&Employee::new("E1101", "Ingrid", "Lindqvist").with("email", "ingrid.lindqvist@acme.example"));
    let sample = concat!(env!("CARGO_MANIFEST_DIR"), "/../events/enrichment/new-hire.json");
    let event = serde_json::from_str(&std::fs::read_to_string(sample).unwrap()).unwrap();
    let nobody = [("KAFKA_BOOTSTRAP_SERVERS", "127.0.0.1:1"), ("KAFKA_ACK_TIMEOUT_SECONDS", "0.1")];
    world.invokes_with::<enrichment::Function>(&event, &nobody).await;
    world.tick("fact-publisher").await;
    assert_eq!(world.told().await, [], "whoever has written them may be at it");
    world.passes(Duration::from_secs(30));
    world.tick("fact-publisher").await;
    let told = world.told().await;
    assert_eq!(types_of(&told, "E1101"), ["user.created", "user.completed"]);
    assert_eq!(types_of(&told, "c-101"), ["request.enriched"]);
    assert_eq!(newest(&told, "E1101")["user"], world.user("E1101").await);
    world.tick("fact-publisher").await;
    assert_eq!(world.told().await.len(), told.len(), "nothing is left");
    world.settle().await;
}

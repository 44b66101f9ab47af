//! Messages of other versions than today's.

use serde_json::{Value, json};
use testkit::{Employee, World};

const KEPT: &str = include_str!("../../../shared/contracts/samples/user.enrichment.requested/v1/hired.json");

fn headers(version: &str) -> [(&'static str, &str); 4] {
    [
        ("correlation-id", "c-102"),
        ("event-id", "hr-2026-000102"),
        ("event-type", "hired"),
        ("schema-version", version),
    ]
}

async fn only_letter(world: &World) -> Value {
    let letters = world.dead_letters().await;
    assert_eq!(letters.len(), 1, "{letters:?}");
    letters[0].clone()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_of_the_first_version_makes_a_person_as_it_did() {
    let world = World::new().await;
    world.knows(&Employee::new("ingrid.lindqvist", "Ingrid", "Lindqvist"));
    world.publishes(Some("E1102"), Some(KEPT.as_bytes()), &headers("1")).await;
    world.settle().await;
    let user = world.user("E1102").await;
    assert_eq!((&user["name"], &user["onboarded"]), (&json!("Ingrid Lindqvist"), &json!(true)), "{user}");
    assert_eq!((&user["startDate"], &user["details"]), (&json!("2026-02-01"), &json!({"country": "SE"})));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_of_a_newer_version_is_a_dead_letter_that_says_so_also_when_it_is_redriven() {
    let world = World::new().await;
    // What it holds would be read, if it were of today's version.
    let value = json!({
        "eventId": "hr-2026-000102", "eventType": "hired", "correlationId": "c-102",
        "receivedAt": "2026-01-31T18:42:00Z", "employeeId": "E1102",
        "stated": {"firstName": "Ingrid", "lastName": "Lindqvist", "email": "ingrid.lindqvist@acme.example"},
    });
    world.publishes(Some("E1102"), Some(value.to_string().as_bytes()), &headers("3")).await;
    world.settle().await;
    assert_eq!(world.user("E1102").await, Value::Null);
    let letter = only_letter(&world).await;
    assert_eq!((&letter["reason"], &letter["state"]), (&json!("unknown_version"), &json!("parked")));
    let says = "its schema-version is 3, and the newest that is known is 2";
    assert!(letter["message"].as_str().unwrap().ends_with(says), "{letter}");
    let request = world.get("/v1/requests/c-102").await.json;
    assert_eq!(request["events"][0]["reason"], "unknown_version", "{request}");

    let redrive = format!("/v1/dead-letters/{}/redrive", letter["id"].as_str().unwrap());
    let foreseen = world.post(&format!("{redrive}?dry_run=true"), &json!({})).await.json;
    assert_eq!((&foreseen["outcome"], &foreseen["reason"]), (&json!("failed"), &json!("unknown_version")));
    world.post(&redrive, &json!({})).await;
    world.settle().await;
    let letter = only_letter(&world).await;
    assert_eq!((&letter["reason"], &letter["redrives"]), (&json!("unknown_version"), &json!(1)));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_that_cannot_be_read_in_its_version_is_a_dead_letter_that_names_the_field() {
    let world = World::new().await;
    let value = KEPT.replace("ingrid.lindqvist@acme.example", "ingrid at acme");
    world.publishes(Some("E1102"), Some(value.as_bytes()), &headers("1")).await;
    world.settle().await;
    let letter = only_letter(&world).await;
    assert_eq!(letter["reason"], "invalid");
    assert_eq!(letter["message"], "not an enrichment request: wrong or incomplete at stated.email");
}

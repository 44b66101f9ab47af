use std::collections::BTreeSet;

use base64::{Engine, prelude::BASE64_STANDARD};
use serde_json::{Value, json};
use testkit::{Employee, World};

use crate::redacted;

#[tokio::test(flavor = "multi_thread")]
async fn a_letter_keeps_the_record_as_it_was() {
    let world = World::new().await;
    let headers = [("correlation-id", "c-1"), ("event-id", "evt-1"), ("traceparent", "00-x")];
    world.publishes(Some("E100"), Some(b"{broken"), &headers).await;
    world.settle().await;
    let id = world.dead_letters().await[0]["id"].as_str().unwrap().to_owned();
    let letter = world.get(&format!("/v1/dead-letters/{id}")).await.json;
    let payload = &letter["payload"];
    assert_eq!((&payload["key"]["text"], &payload["value"]["text"]), (&json!("E100"), &json!("{broken")));
    for (name, value) in headers {
        let kept = json!([name, {"text": value}]);
        assert!(payload["headers"].as_array().unwrap().contains(&kept), "{name} is not among {payload}");
    }
    redacted(|| {
        insta::assert_json_snapshot!("letter", letter, {
            ".payload.headers" => "[checked above]",
            ".origin.partition" => "[partition]",
        });
    });
}

#[tokio::test(flavor = "multi_thread")]
async fn letters_are_listed_by_page_the_newest_first() {
    let world = World::new().await;
    for n in 0..7 {
        world.hr().hires(&Employee::new(&format!("E{n}"), "No", "Body")).await;
    }
    world.settle().await;
    let (mut ids, mut path) = (Vec::new(), "/v1/dead-letters?limit=3".to_owned());
    loop {
        let page = world.get(&path).await.json;
        let letters = page["dead_letters"].as_array().unwrap();
        ids.extend(letters.iter().map(|letter| letter["id"].as_str().unwrap().to_owned()));
        let Some(cursor) = page["next_cursor"].as_str() else { break };
        path = format!("/v1/dead-letters?limit=3&cursor={cursor}");
    }
    assert_eq!((ids.len(), ids.iter().collect::<BTreeSet<_>>().len()), (7, 7));
}

#[tokio::test(flavor = "multi_thread")]
async fn each_record_that_lambda_gave_up_on_at_once_is_a_letter_that_can_be_redriven() {
    let world = World::new().await;
    let people = [Employee::new("E1", "Ada", "Lovelace"), Employee::new("E2", "Grace", "Hopper")];
    // As Lambda does: it delivers at least once.
    for _delivery in 0..2 {
        lambda_gives_up_on(&world, &people).await;
    }
    let letters = world.dead_letters().await;
    let of: BTreeSet<_> = letters.iter().map(|letter| letter["employee_id"].as_str().unwrap()).collect();
    assert_eq!((letters.len(), of), (2, BTreeSet::from(["E1", "E2"])));
    assert_eq!(world.get("/v1/requests/c-E2").await.json["status"], "failed");

    for person in &people {
        world.knows(person);
    }
    world.post("/v1/dead-letter-jobs", &json!({"action": "redrive"})).await;
    world.settle().await;
    assert_eq!(world.users().await.len(), 2);
}

/// Hands their hires, of long ago, to the DLQ reprocessor as Lambda does when the enrichment keeps failing.
pub(crate) async fn lambda_gives_up_on(world: &World, people: &[Employee]) {
    let records: Vec<_> = people.iter().zip(7..).map(|(person, offset)| record(person, offset)).collect();
    let wrapper = json!({
        "requestContext": {"condition": "RetriesExhausted", "approximateInvokeCount": 4},
        "version": "1.0",
        "payload": {"eventSource": "aws:kafka", "records": {"user.enrichment.requested-0": records}},
    });
    let failed =
        json!({"topic": "user.enrichment.failed", "partition": 0, "offset": 0, "value": base64(&wrapper)});
    let event = json!({"eventSource": "aws:kafka", "records": {"user.enrichment.failed-0": [failed]}});
    let answer = world.invokes::<dlq_reprocessor::Function>(&event).await;
    assert_eq!(answer, json!({"batchItemFailures": []}));
}

/// As Lambda hands it to the enrichment.
fn record(person: &Employee, offset: i64) -> Value {
    let body = person.body("hired");
    let id = body["employee_id"].as_str().unwrap();
    let value = json!({
        "eventId": format!("evt-{id}"), "eventType": "hired", "correlationId": format!("c-{id}"),
        "occurredAt": "2026-01-31T18:42:00Z", "receivedAt": "2026-01-31T18:42:01Z", "employeeId": id, "stated": {
            "firstName": body["first_name"], "lastName": body["last_name"], "email": body["email"],
        },
    });
    json!({
        "topic": "user.enrichment.requested", "partition": 0, "offset": offset, "timestamp": 1_769_884_920_000_i64,
        "timestampType": "CREATE_TIME", "key": BASE64_STANDARD.encode(id), "value": base64(&value), "headers": [],
    })
}

fn base64(value: &Value) -> String {
    BASE64_STANDARD.encode(value.to_string())
}

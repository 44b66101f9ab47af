//! Forgetting a person: what HR wants to be gone is gone, everywhere that we keep something.

use std::time::Duration;

use lambda::{Batch, Deadline, Function};
use reqwest::{Method, StatusCode};
use runtime::Clock;
use serde_json::{Value, json};
use testkit::{Answer, Employee, Setup, World};

use crate::{dead_letters::lambda_gives_up_on, waiting::requested};

/// What of Zephyrine no store may hold once she is forgotten.
const PERSONAL: [&str; 10] = [
    "Zephyrine",
    "Quillfeather",
    "Zephy Østerå",
    "zephyrine.q@acme.example",
    "zephys_own@home.example",
    "wolfgangsen@acme.example",
    "Grand Cartographer",
    "Department of Maps",
    "+47 22 98 76 54",
    "Secret Society",
];

fn zephyrine(id: &str) -> Employee {
    Employee::new(id, "Zephyrine", "Quillfeather")
        .with("preferred_name", "Zephy Østerå")
        .with("email", "zephyrine.q@acme.example")
        .with("personal_email", "zephys_own@home.example")
        .with("manager_email", "wolfgangsen@acme.example")
        .with("title", "Grand Cartographer")
        .with("department", "Department of Maps")
        .with("phone", "+47 22 98 76 54")
}

async fn letters_of(world: &World, id: &str) -> Vec<Value> {
    let mut letters = world.dead_letters().await;
    letters.retain(|letter| letter["employee_id"] == id);
    letters
}

/// Leaves something of Zephyrine wherever something can be left, and forgets her.
pub(crate) async fn everything_of_a_person_is_gone(world: &World, id: &str) {
    let employee = zephyrine(id).with("event_id", "hire");
    let mut account = employee.in_okta();
    account.groups.push("Secret Society".to_owned());
    world.okta().add(account.clone());
    let hire = employee.body("hired").to_string();
    world.hr().posts(&hire, &[("idempotency-key", id)]).await;
    world.settle().await;
    assert_eq!(world.user(id).await["name"], "Zephy Østerå", "it is in the cache now");
    world.hr().updates(&Employee::of(id).with("phone", "+47 22 98 76 54").with("country", "Zephyrine")).await;
    world.settle().await;
    // Of her dead letters one is broken, one is edited and fails again, and one is discarded.
    world.publishes(Some(id), Some("{broken, of Zephyrine".as_bytes()), &[]).await;
    world.okta().remove(&account.id);
    let edited = world.hr().updates(&Employee::of(id).with("title", "Grand Cartographer")).await;
    let discarded = world.hr().updates(&Employee::of(id).with("office", "Department of Maps")).await;
    world.settle().await;
    let letters = letters_of(world, id).await;
    assert_eq!(letters.len(), 3, "{letters:?}");
    let path = |receipt: &Answer, verb: &str| {
        let is_of = |letter: &&Value| letter["correlation_id"] == receipt.json["correlation_id"];
        let letter = letters.iter().find(is_of).unwrap();
        format!("/v1/dead-letters/{}/{verb}", letter["id"].as_str().unwrap())
    };
    let edit = Employee::of(id).with("title", "Grand Cartographer").with("mobile", "+47 22 98 76 54");
    let edit = world.post(&path(&edited, "edit"), &edit.body("updated")).await;
    assert_eq!(edit.status, StatusCode::ACCEPTED, "{edit:?}");
    world.settle().await;
    let because = json!({"because": "hired by mistake"});
    assert_eq!(world.post(&path(&discarded, "discard"), &because).await.status, StatusCode::OK);
    world.okta().add(account.clone());
    let held = world.still_holds(&PERSONAL).await;
    assert_eq!(held, PERSONAL, "all of it is there before");

    let receipt = world.hr().forgets(id).await;
    world.settle().await;
    assert_eq!(world.request(&receipt).await["status"], "enriched");
    assert_eq!(world.still_holds(&PERSONAL).await, [""; 0]);
    assert_nobody_is_there(world, id).await;
    for letter in letters_of(world, id).await {
        assert_eq!(letter["state"], "discarded", "{letter}");
        let redrive = format!("/v1/dead-letters/{}/redrive", letter["id"].as_str().unwrap());
        let refused = world.post(&redrive, &json!({})).await;
        assert_eq!((refused.status, &refused.json["code"]), (StatusCode::CONFLICT, &json!("payload_gone")));
    }

    // What was sent before is not heard again, however it comes; nor is what has no hire.
    world.hr().posts(&hire, &[]).await;
    world.hr().updates(&Employee::of(id).with("title", "Grand Cartographer")).await;
    world.hr().terminates(&Employee::of(id)).await;
    world.hr().forgets(id).await;
    world.settle().await;
    assert_nobody_is_there(world, id).await;
    assert_eq!(world.still_holds(&PERSONAL).await, [""; 0]);

    world.hr().hires(&zephyrine(id).with("event_id", "hired-again")).await;
    world.settle().await;
    let user = world.user(id).await;
    assert_eq!((&user["name"], &user["onboarded"]), (&json!("Zephy Østerå"), &json!(true)));
    let history = world.history(id).await;
    let events: Vec<_> = history.iter().map(|item| item["event_id"].as_str().unwrap()).collect();
    assert_eq!(events, ["hired-again"]);
}

async fn assert_nobody_is_there(world: &World, id: &str) {
    for path in [format!("/v1/users/{id}"), format!("/v1/users/{id}/history")] {
        let answer = world.get(&path).await;
        assert_eq!((answer.status, &answer.json["code"]), (StatusCode::NOT_FOUND, &json!("user_not_found")));
    }
    for query in ["email=zephyrine.q@acme.example", "department=Department+of+Maps", "limit=100"] {
        let page = world.get(&format!("/v1/users?{query}")).await.json;
        assert!(!page["users"].as_array().unwrap().iter().any(|user| user["id"] == id), "{query}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_person_who_is_forgotten_leaves_nothing_behind() {
    let world = World::new().await;
    everything_of_a_person_is_gone(&world, "E7001").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_record_that_is_delivered_after_its_person_was_forgotten_changes_nothing() {
    let world = World::new().await;
    let employee = zephyrine("E7001");
    world.knows(&employee);
    let record = json!({
        "eventId": "evt-1", "eventType": "hired", "correlationId": "c-1", "receivedAt": "2026-01-31T18:42:01Z",
        "employeeId": "E7001",
        "stated": {"firstName": "Zephyrine", "lastName": "Quillfeather", "email": employee.email()},
    });
    let publish = async || world.publishes(Some("E7001"), Some(record.to_string().as_bytes()), &[]).await;
    publish().await;
    world.settle().await;
    assert_eq!(world.user("E7001").await["onboarded"], true);
    world.hr().forgets("E7001").await;
    publish().await;
    // Also one that was never seen before.
    let other = record.to_string().replace("evt-1", "evt-0");
    world.publishes(Some("E7001"), Some(other.as_bytes()), &[]).await;
    world.settle().await;
    assert_nobody_is_there(&world, "E7001").await;
    assert_eq!(world.still_holds(&PERSONAL).await, [""; 0]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dead_letter_that_arrives_after_its_person_was_forgotten_holds_nothing() {
    let world = World::new().await;
    world.hr().forgets("E7001").await;
    world.settle().await;
    lambda_gives_up_on(&world, &[zephyrine("E7001"), Employee::ada()]).await;
    let letters = world.dead_letters().await;
    for (id, state) in [("E7001", "discarded"), ("E100", "scheduled")] {
        let letter = letters.iter().find(|letter| letter["employee_id"] == id).unwrap();
        assert_eq!(letter["state"], state, "{letter}");
    }
    assert_eq!(world.still_holds(&PERSONAL).await, [""; 0]);
    assert_eq!(world.still_holds(&["Lovelace"]).await, ["Lovelace"], "the others' are kept");
}

#[tokio::test(flavor = "multi_thread")]
async fn others_are_as_they_were_when_somebody_is_forgotten() {
    let world = World::new().await;
    let ada = Employee::ada();
    world.knows(&ada);
    world.hr().hires(&ada).await;
    world.hr().hires(&Employee::new("E101", "No", "Body")).await;
    world.hr().hires(&Employee::new("E102", "Some", "Body")).await;
    world.settle().await;
    let (users, letters) = (world.users().await, world.dead_letters().await);
    let is_of_others = |item: &Value, field: &str| item[field] != "E101";
    world.hr().forgets("E101").await;
    world.hr().forgets("E404").await;
    world.settle().await;
    let others = |items: Vec<Value>, field: &str| -> Vec<Value> {
        items.into_iter().filter(|item| is_of_others(item, field)).collect()
    };
    assert_eq!(world.users().await, others(users, "id"));
    let after = others(world.dead_letters().await, "employee_id");
    assert_eq!(after, others(letters, "employee_id"));
}

#[tokio::test(flavor = "multi_thread")]
async fn somebody_who_was_never_here_is_forgotten_too() {
    let world = World::new().await;
    world.hr().forgets("E404").await;
    world.settle().await;
    assert_eq!(world.user("E404").await, Value::Null);
    assert_eq!(world.users().await, Vec::<Value>::new());
    world.knows(&Employee::new("E404", "Ada", "Lovelace"));
    world.hr().updates(&Employee::of("E404").with("title", "Countess")).await;
    world.settle().await;
    assert_eq!(world.user("E404").await, Value::Null, "only a hire brings somebody back");
    world.hr().hires(&Employee::new("E404", "Ada", "Lovelace")).await;
    world.settle().await;
    assert_eq!(world.user("E404").await["onboarded"], true);
}

#[tokio::test(flavor = "multi_thread")]
async fn to_forget_somebody_takes_the_admin_key() {
    let vars = vec![("API_KEY", "everybody's".to_owned()), ("ADMIN_KEY", "mine".to_owned())];
    let world = World::with(Setup { vars, ..Setup::default() }).await;
    for (key, status) in [
        (None, StatusCode::UNAUTHORIZED),
        (Some("everybody's"), StatusCode::FORBIDDEN),
        (Some("mine"), StatusCode::ACCEPTED),
    ] {
        let headers: Vec<_> = key.into_iter().map(|key| ("x-api-key", key)).collect();
        let answer = world.call(Method::DELETE, "/v1/users/E100", &headers, None).await;
        assert_eq!(answer.status, status, "{key:?}");
        let read = world.call(Method::GET, "/v1/users/E100", &headers, None).await;
        assert_ne!(read.status, StatusCode::OK, "{key:?}");
    }
    world.settle().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_person_is_not_said_to_be_forgotten_before_their_letters_are() {
    let world = World::new().await;
    let erased = json!({
        "eventId": "forget", "eventType": "erased", "correlationId": "c-forget", "employeeId": "E7001",
        "receivedAt": "2026-01-31T18:42:01Z", "stated": {}
    });
    let usual = world.vars_of("enrichment");
    let without_letters = usual.clone().with("DEAD_LETTERS_TABLE", "nowhere");
    for (vars, failures, status) in [(without_letters, 1, "accepted"), (usual, 0, "enriched")] {
        let function = enrichment::Function::from_vars(&vars, Clock::system()).unwrap();
        let records = vec![requested(&erased, 1)];
        let deadline = Deadline::after(Duration::from_mins(10));
        let response = function.handle(Batch { records, deadline }).await;
        assert_eq!(response.batch_item_failures.len(), failures);
        assert_eq!(world.get("/v1/requests/c-forget").await.json["status"], status);
    }
}

//! The ways back from a dead letter: by itself, by hand, edited, many at once.

mod jobs;

use std::time::Duration;

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use testkit::{Employee, Setup, World};

const MINUTE: Duration = Duration::from_mins(1);

/// The sweep's minute, and what it set going.
async fn sweep_after(world: &World, time: Duration) {
    world.passes(time);
    world.tick("dlq-reprocessor").await;
    world.settle().await;
}

async fn only_letter(world: &World) -> Value {
    let letters = world.dead_letters().await;
    assert_eq!(letters.len(), 1, "{letters:?}");
    let id = letters[0]["id"].as_str().unwrap();
    world.get(&format!("/v1/dead-letters/{id}")).await.json
}

fn path(letter: &Value, verb: &str) -> String {
    format!("/v1/dead-letters/{}/{verb}", letter["id"].as_str().unwrap())
}

fn states(letter: &Value) -> Vec<&str> {
    letter["history"].as_array().unwrap().iter().map(|entry| entry["state"].as_str().unwrap()).collect()
}

fn last_note(letter: &Value) -> &str {
    letter["history"].as_array().unwrap().last().unwrap()["note"].as_str().unwrap_or_default()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_failed_in_an_outage_goes_through_by_itself_after_it() {
    let world = World::new().await;
    let ada = Employee::ada();
    world.knows(&ada);
    world.okta_is_away(true);
    let receipt = world.hr().hires(&ada).await;
    world.settle().await;
    assert_eq!(only_letter(&world).await["state"], "scheduled");

    sweep_after(&world, MINUTE / 2).await;
    assert_eq!(only_letter(&world).await["redrives"], 0, "its time has not come");
    world.okta_is_away(false);
    sweep_after(&world, MINUTE).await;
    assert_eq!(world.user("E100").await["onboarded"], true);
    sweep_after(&world, 2 * MINUTE).await;

    let letter = only_letter(&world).await;
    assert_eq!((states(&letter), last_note(&letter)), (vec!["scheduled", "redriven", "resolved"], ""));
    assert_eq!(letter["due_at"], Value::Null);
    let request = world.request(&receipt).await;
    assert_eq!(
        (&request["status"], &request["events"][0]["outcome"]),
        (&json!("enriched"), &json!("changed"))
    );
    assert_eq!(request["correlation_id"], letter["correlation_id"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_keeps_failing_is_redriven_five_times_and_then_waits_for_a_person() {
    let world = World::new().await;
    world.okta_is_away(true);
    world.hr().hires(&Employee::ada()).await;
    world.settle().await;
    for (redrives, hours) in [(1, 1), (2, 1), (3, 1), (4, 3), (5, 15), (5, 100)] {
        sweep_after(&world, Duration::from_hours(hours)).await;
        assert_eq!(only_letter(&world).await["redrives"], redrives);
    }
    let letter = only_letter(&world).await;
    assert_eq!((&letter["state"], &letter["attempts"]), (&json!("quarantined"), &json!(18)));
    assert_eq!(world.dead_letters().await.len(), 1, "a redrive that fails makes no second letter");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_person_redrives_what_they_have_mended() {
    let world = World::new().await;
    let ada = Employee::ada().with("event_id", "hr-7");
    world.hr().hires(&ada).await;
    world.settle().await;
    let letter = only_letter(&world).await;
    assert_eq!((&letter["state"], &letter["reason"]), (&json!("parked"), &json!("user_not_found")));
    sweep_after(&world, Duration::from_hours(100)).await;
    assert_eq!(only_letter(&world).await["redrives"], 0, "nobody mends it by waiting");

    let redrive = path(&letter, "redrive");
    let dry = world.post(&format!("{redrive}?dry_run=true"), &json!({})).await;
    assert_eq!((dry.status, &dry.json["outcome"]), (StatusCode::OK, &json!("failed")));
    world.knows(&ada);
    let dry = world.post(&format!("{redrive}?dry_run=true"), &json!({})).await;
    assert_eq!(dry.json["outcome"], "changed");
    assert_eq!(only_letter(&world).await, letter, "a dry run changes nothing");

    let answer = world.post(&redrive, &json!({})).await;
    assert_eq!((answer.status, &answer.json["state"]), (StatusCode::ACCEPTED, &json!("redriven")));
    world.settle().await;
    let user = world.user("E100").await;
    assert_eq!((&user["onboarded"], &user["version"]), (&json!(true), &json!(2)));
    sweep_after(&world, 2 * MINUTE).await;
    assert_eq!(only_letter(&world).await["state"], "resolved");
    let refused = world.post(&redrive, &json!({})).await;
    assert_eq!((refused.status, &refused.json["code"]), (StatusCode::CONFLICT, &json!("wrong_state")));
    world.settle().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_redriven_event_never_overwrites_a_newer_one() {
    let world = World::new().await;
    let ada = Employee::ada();
    world.okta_is_away(true);
    let older = world.hr().hires(&ada.clone().with("title", "Analyst")).await;
    world.settle().await;
    world.okta_is_away(false);
    world.knows(&ada);
    world.hr().updates(&ada.clone().with("title", "Countess")).await;
    world.settle().await;

    let letter = only_letter(&world).await;
    let dry = world.post(&format!("{}?dry_run=true", path(&letter, "redrive")), &json!({})).await;
    assert_eq!(dry.json["outcome"], "nothing_new");
    world.post(&path(&letter, "redrive"), &json!({})).await;
    world.settle().await;
    sweep_after(&world, 2 * MINUTE).await;
    let user = world.user("E100").await;
    assert_eq!((&user["title"], &user["version"]), (&json!("Countess"), &json!(2)));
    let event = &world.request(&older).await["events"][0];
    assert_eq!(event["outcome"], "nothing_new", "what HR said in it was stored before Okta failed: {event}");
    let resolved = only_letter(&world).await;
    assert_eq!(resolved["state"], "resolved");
    let note = resolved["history"].as_array().unwrap().last().unwrap()["note"].as_str().unwrap_or_default();
    assert!(note.starts_with("it changed nothing"), "its history says so: {resolved}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_event_that_is_on_its_topic_twice_is_two_letters_and_is_applied_once() {
    let world = World::new().await;
    let ada = Employee::ada();
    let event = json!({
        "eventId": "evt-1", "eventType": "hired", "correlationId": "c-1", "occurredAt": "2026-01-31T18:42:00Z",
        "receivedAt": "2026-01-31T18:42:01Z", "employee": {
            "id": ada.id(), "firstName": "Ada", "lastName": "Lovelace", "email": ada.email(), "details": {}
        }
    });
    let headers = [("correlation-id", "c-1"), ("event-id", "evt-1"), ("schema-version", "1")];
    for _copy in 0..2 {
        world.publishes(Some(ada.id()), Some(event.to_string().as_bytes()), &headers).await;
    }
    world.settle().await;
    let letters = world.dead_letters().await;
    assert_eq!(letters.len(), 2, "{letters:?}");
    world.knows(&ada);
    for letter in &letters {
        let answer = world.post(&path(letter, "redrive"), &json!({})).await;
        assert_eq!(answer.status, StatusCode::ACCEPTED, "{answer:?}");
        world.settle().await;
    }
    sweep_after(&world, 2 * MINUTE).await;
    let user = world.user(ada.id()).await;
    assert_eq!((&user["onboarded"], &user["version"]), (&json!(true), &json!(2)));
    let letters = world.dead_letters().await;
    assert!(letters.iter().all(|letter| letter["state"] == "resolved"), "{letters:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn two_events_of_one_person_that_are_redriven_at_once_end_with_the_newer_one() {
    let world = World::new().await;
    let ada = Employee::ada();
    world.knows(&ada);
    world.okta_is_away(true);
    world.hr().hires(&ada.clone().with("title", "Analyst")).await;
    world.passes(MINUTE / 60);
    world.hr().updates(&ada.clone().with("title", "Countess")).await;
    world.settle().await;
    assert_eq!(world.dead_letters().await.len(), 2);
    world.okta_is_away(false);
    sweep_after(&world, 2 * MINUTE).await;
    assert_eq!(world.user(ada.id()).await["title"], "Countess");
    sweep_after(&world, 2 * MINUTE).await;
    let letters = world.dead_letters().await;
    assert!(letters.iter().all(|letter| letter["state"] == "resolved"), "{letters:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_wrong_is_edited_and_redriven_as_the_same_event() {
    let world = World::new().await;
    let ada = Employee::ada();
    world.knows(&ada);
    let headers = [("correlation-id", "c-1"), ("event-id", "evt-1")];
    world.publishes(Some("E100"), Some(b"{broken"), &headers).await;
    world.settle().await;
    let letter = only_letter(&world).await;
    let edit = path(&letter, "edit");

    for (field, value, pointer) in [("email", "nobody", "/email"), ("employee_id", "E200", "/employee_id")] {
        let refused = world.post(&edit, &ada.clone().with(field, value).body("hired")).await;
        assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY);
        assert_eq!(refused.json["errors"][0]["pointer"], pointer);
    }
    assert_eq!(only_letter(&world).await, letter);

    let edited = world.post(&edit, &ada.body("hired")).await;
    assert_eq!(edited.status, StatusCode::ACCEPTED, "{edited:?}");
    world.settle().await;
    sweep_after(&world, 2 * MINUTE).await;
    assert_eq!(world.user("E100").await["onboarded"], true);
    let request = world.get("/v1/requests/c-1").await.json;
    assert_eq!(
        (&request["status"], &request["events"][0]["event_id"]),
        (&json!("enriched"), &json!("evt-1"))
    );
    let letter = only_letter(&world).await;
    assert_eq!(letter["state"], "resolved");
    assert_eq!(letter["original"]["value"]["text"], "{broken", "what had failed is still there");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_edit_of_an_event_that_had_been_applied_meanwhile_takes_its_place() {
    let world = World::new().await;
    let ada = Employee::ada().with("event_id", "evt-1");
    world
        .publishes(Some("E100"), Some(b"{broken"), &[("correlation-id", "c-1"), ("event-id", "evt-1")])
        .await;
    world.settle().await;
    let letter = only_letter(&world).await;
    world.knows(&ada);
    // HR has sent it again, and got another correlation id.
    world.hr().hires(&ada).await;
    world.settle().await;
    world.post(&path(&letter, "edit"), &ada.clone().with("title", "Countess").body("hired")).await;
    world.settle().await;
    sweep_after(&world, 2 * MINUTE).await;
    let letter = only_letter(&world).await;
    assert_eq!((&letter["state"], last_note(&letter)), (&json!("resolved"), ""));
    let user = world.user("E100").await;
    assert_eq!((&user["title"], &user["version"]), (&json!("Countess"), &json!(2)));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_edit_that_comes_after_its_own_redrive_takes_its_place() {
    let world = World::new().await;
    let ada = Employee::ada();
    world.hr().hires(&ada).await;
    world.settle().await;
    let letter = only_letter(&world).await;
    world.knows(&ada);
    world.post(&path(&letter, "redrive"), &json!({})).await;
    world.settle().await;
    world.passes(MINUTE / 2);
    world.post(&path(&letter, "edit"), &ada.clone().with("title", "Countess").body("hired")).await;
    world.settle().await;
    sweep_after(&world, 2 * MINUTE).await;
    let letter = only_letter(&world).await;
    assert_eq!(letter["state"], "resolved");
    assert!(last_note(&letter).ends_with("unless it was edited"), "{letter}");
    let user = world.user("E100").await;
    assert_eq!((&user["title"], &user["version"]), (&json!("Countess"), &json!(3)));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_letter_that_has_lost_what_it_held_is_shown_and_says_why_it_cannot_go_on() {
    let world = World::new().await;
    let ada = Employee::ada();
    world.hr().hires(&ada).await;
    world.settle().await;
    let letter = only_letter(&world).await;
    world.forgets_what_it_held(letter["id"].as_str().unwrap()).await;

    let shown = only_letter(&world).await;
    assert_eq!((&shown["state"], &shown["payload"]), (&json!("parked"), &Value::Null));
    for (verb, body) in [("redrive", json!({})), ("edit", ada.body("hired"))] {
        let refused = world.post(&path(&letter, verb), &body).await;
        assert_eq!((refused.status, &refused.json["code"]), (StatusCode::CONFLICT, &json!("payload_gone")));
        assert!(
            refused.json["detail"].as_str().unwrap().contains("the letter's payload is gone"),
            "{refused:?}"
        );
    }
    let dry = world.post(&format!("{}?dry_run=true", path(&letter, "redrive")), &json!({})).await;
    assert_eq!(dry.json["because"], "its payload is gone");
    let job = world.post("/v1/dead-letter-jobs", &json!({"action": "redrive"})).await.json;
    assert_eq!(job["progress"], json!({"done": 0, "skipped": 1}));
    let nobody = path(&json!({"id": "0123456789abcdef0123456789abcdef"}), "redrive");
    assert_eq!(world.post(&nobody, &json!({})).await.status, StatusCode::NOT_FOUND);
    assert_eq!(only_letter(&world).await, shown);
    world.settle().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_discard_needs_a_reason_and_can_be_regretted() {
    let world = World::new().await;
    let ada = Employee::ada();
    world.hr().hires(&ada).await;
    world.settle().await;
    let letter = only_letter(&world).await;
    for body in [
        json!({}),
        json!({"because": " "}),
        json!({"because": "x\u{0}"}),
        json!({"because": 7}),
        json!({"because": "x", "or": "y"}),
    ] {
        let refused = world.post(&path(&letter, "discard"), &body).await;
        assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY, "{body}: {refused:?}");
    }
    let because = json!({"because": "hired by mistake"});
    let dry = world.post(&format!("{}?dry_run=true", path(&letter, "discard")), &because).await;
    assert_eq!((dry.status, &dry.json["outcome"]), (StatusCode::OK, &json!("discarded")));
    assert_eq!(only_letter(&world).await, letter, "a dry run changes nothing");
    let discarded = world.post(&path(&letter, "discard"), &because).await;
    assert_eq!((discarded.status, &discarded.json["state"]), (StatusCode::OK, &json!("discarded")));
    assert_eq!(discarded.json["history"][1]["note"], "hired by mistake");
    assert_eq!(world.post(&path(&letter, "discard"), &because).await.status, StatusCode::CONFLICT);

    world.knows(&ada);
    world.post(&path(&letter, "redrive"), &json!({})).await;
    world.settle().await;
    assert_eq!(world.user("E100").await["onboarded"], true);
    let audit = world.get("/v1/dead-letter-audit").await.json;
    let deeds: Vec<_> =
        audit["audit"].as_array().unwrap().iter().map(|record| &record["deed"]["action"]).collect();
    assert_eq!(deeds, ["redrive", "discard", "discard"], "what is tried is recorded, too");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_redrive_while_the_brokers_are_away_is_sent_when_they_are_back() {
    let vars = vec![("KAFKA_ACK_TIMEOUT_SECONDS", "2".to_owned())];
    let world = World::with(Setup { vars, embedded: true, ..Setup::default() }).await;
    let ada = Employee::ada();
    world.hr().hires(&ada).await;
    world.settle().await;
    let letter = only_letter(&world).await;
    world.knows(&ada);
    world.kafka_is_away(true);
    let answer = world.post(&path(&letter, "redrive"), &json!({})).await;
    assert_eq!((answer.status, &answer.json["state"]), (StatusCode::ACCEPTED, &json!("redriven")));
    world.kafka_is_away(false);
    // The producer takes its time to find the brokers again: the sweep tries once more, an hour later at the most.
    for _hour in 0..20 {
        sweep_after(&world, Duration::from_hours(1)).await;
        if only_letter(&world).await["state"] == "resolved" {
            break;
        }
    }
    assert_eq!(world.user("E100").await["version"], 2);
    assert_eq!(only_letter(&world).await["state"], "resolved");
}

#[tokio::test(flavor = "multi_thread")]
async fn letters_are_found_by_state_reason_group_employee_and_age() {
    let world = World::new().await;
    world.hr().hires(&Employee::ada()).await;
    world.publishes(Some("E2"), Some(b"{broken"), &[]).await;
    world.settle().await;
    let found = async |query: &str| {
        let answer = world.get(&format!("/v1/dead-letters?{query}")).await;
        answer.json["dead_letters"].as_array().map(|letters| {
            letters
                .iter()
                .map(|letter| letter["employee_id"].as_str().unwrap().to_owned())
                .collect::<Vec<_>>()
        })
    };
    let of = |ids: &[&str]| Some(ids.iter().map(|&id| id.to_owned()).collect::<Vec<_>>());
    assert_eq!(found("reason=undecodable").await, of(&["E2"]));
    assert_eq!(found("employee_id=E100&state=parked").await, of(&["E100"]));
    assert_eq!(found("state=resolved").await, of(&[]));
    assert_eq!(found("parked_after=2100-01-01T00:00:00Z").await, of(&[]));
    assert_eq!(found("parked_before=2100-01-01T00:00:00Z&reason=user_not_found").await, of(&["E100"]));
    assert_eq!(found("parked_after=2100-01-01T00:00:00Z&parked_before=2000-01-01T00:00:00Z").await, of(&[]));
    for wrong in
        ["state=lost", "reason=bad", "group=x", "parked_after=yesterday", "employee_id=%00", "reason="]
    {
        let answer = world.get(&format!("/v1/dead-letters?{wrong}")).await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{wrong}: {answer:?}");
        let name = wrong.split('=').next().unwrap();
        assert!(answer.json["detail"].as_str().unwrap().starts_with(&format!("`{name}` must be ")));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn dead_letters_are_for_those_with_the_admin_key() {
    let vars = vec![("API_KEY", "everybody's".to_owned()), ("ADMIN_KEY", "mine".to_owned())];
    let world = World::with(Setup { vars, ..Setup::default() }).await;
    for (path, key, status) in [
        ("/v1/dead-letters", None, StatusCode::UNAUTHORIZED),
        ("/v1/dead-letters", Some("everybody's"), StatusCode::FORBIDDEN),
        ("/v1/dead-letters", Some("mine"), StatusCode::OK),
        ("/v1/users", Some("mine"), StatusCode::FORBIDDEN),
    ] {
        let headers: Vec<_> = key.into_iter().map(|key| ("x-api-key", key)).collect();
        assert_eq!(world.call(Method::GET, path, &headers, None).await.status, status, "{path} {key:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_edit_says_what_of_it_was_left_out() {
    let world = World::new().await;
    world.hr().hires(&Employee::ada()).await;
    world.settle().await;
    let letter = only_letter(&world).await;
    let edit = Employee::ada().with("country", "Atlantis").body("hired");
    let path = path(&letter, "edit");
    for (path, status) in [(format!("{path}?dry_run=true"), StatusCode::OK), (path, StatusCode::ACCEPTED)] {
        let answer = world.post(&path, &edit).await;
        assert_eq!((answer.status, &answer.json["id"]), (status, &letter["id"]), "{answer:?}");
        let warnings = answer.json["warnings"].as_array().unwrap();
        assert_eq!((warnings.len(), &warnings[0]["pointer"]), (1, &json!("/country")));
    }
    world.settle().await;
}

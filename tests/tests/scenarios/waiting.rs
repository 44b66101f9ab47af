//! People whose part of Okta's is missing: what HR says of them is there, and why they wait.

use std::time::Duration;

use contracts::topic;
use lambda::{Batch, Deadline, Function};
use okta::fake::Behaviour;
use reqwest::StatusCode;
use runtime::{Clock, record::Record};
use serde_json::{Value, json};
use testkit::{Employee, Setup, World};

/// State and reason.
fn enrichment(user: &Value) -> (&Value, &Value) {
    (&user["enrichment"]["state"], &user["enrichment"]["reason"])
}

async fn redrives_all(world: &World) {
    let job = world.post("/v1/dead-letter-jobs", &json!({"action": "redrive"})).await;
    assert_eq!(job.status, StatusCode::ACCEPTED, "{job:?}");
    world.settle().await;
}

pub(crate) async fn what_hr_says_of_whom_okta_does_not_know_is_there_and_completes(world: &World, id: &str) {
    let ada = Employee::new(id, "Ada", "Lovelace").with("title", "Analyst").with("department", id);
    world.hr().hires(&ada).await;
    world.settle().await;
    let user = world.user(id).await;
    assert_eq!((&user["name"], &user["title"]), (&json!("Ada Lovelace"), &json!("Analyst")));
    assert_eq!(enrichment(&user), (&json!("pending"), &json!("user_not_found")));
    assert_eq!((&user["onboarded"], &user["oktaId"]), (&json!(false), &Value::Null));
    assert_eq!(user["enrichment"]["since"], user["updatedAt"]);
    let listed = world.get(&format!("/v1/users?department={id}")).await.json;
    assert_eq!(listed["users"], json!([user]));

    world.knows(&ada);
    redrives_all(world).await;
    let complete = world.user(id).await;
    assert_eq!(enrichment(&complete), (&json!("complete"), &Value::Null));
    assert_eq!((&complete["onboarded"], &complete["version"]), (&json!(true), &json!(2)));
    assert!(complete["enrichment"]["since"].as_str() > user["enrichment"]["since"].as_str());
}

#[tokio::test(flavor = "multi_thread")]
async fn whom_okta_does_not_know_is_there_and_is_completed_by_a_redrive() {
    let world = World::new().await;
    what_hr_says_of_whom_okta_does_not_know_is_there_and_completes(&world, "E100").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn while_okta_is_away_what_hr_says_is_there_and_what_okta_said_stays() {
    let world = World::new().await;
    let ada = Employee::ada();
    world.knows(&ada);
    world.hr().hires(&ada).await;
    world.settle().await;
    world.okta_is_away(true);
    world.hr().updates(&Employee::of("E100").with("title", "Countess")).await;
    world.settle().await;
    let user = world.user("E100").await;
    assert_eq!(enrichment(&user), (&json!("pending"), &json!("okta_unavailable")));
    assert_eq!((&user["title"], &user["onboarded"]), (&json!("Countess"), &json!(true)));
    assert_eq!(user["groups"].as_array().unwrap().len(), 2);

    world.okta_is_away(false);
    world.okta().update("00uE100", |ada| ada.groups.push("Countesses".to_owned()));
    world.passes(Duration::from_mins(2));
    world.tick("dlq-reprocessor").await;
    world.settle().await;
    let user = world.user("E100").await;
    assert_eq!(enrichment(&user), (&json!("complete"), &Value::Null));
    assert_eq!(user["groups"].as_array().unwrap().len(), 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failed_event_and_its_person_say_when_it_is_tried_again() {
    let world = World::new().await;
    let ada = Employee::ada();
    world.knows(&ada);
    world.okta_is_away(true);
    let receipt = world.hr().hires(&ada).await;
    world.settle().await;
    let letter = world.dead_letters().await.remove(0);
    let due = letter["due_at"].as_str().unwrap();
    let event = world.request(&receipt).await["events"][0].clone();
    assert_eq!((&event["status"], &event["next_attempt"]), (&json!("failed"), &json!(due)));
    assert_eq!(world.user("E100").await["enrichment"]["next_attempt"], due);
    assert_eq!(world.user("E100").await["version"], 1, "nothing of the person has changed");

    world.okta_is_away(false);
    world.passes(Duration::from_mins(2));
    world.tick("dlq-reprocessor").await;
    world.settle().await;
    let event = world.request(&receipt).await["events"][0].clone();
    assert_eq!((&event["status"], &event["next_attempt"]), (&json!("enriched"), &Value::Null));
    assert_eq!(world.user("E100").await["enrichment"]["next_attempt"], Value::Null);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_attempt_that_a_person_called_off_is_promised_no_more() {
    let world = World::new().await;
    let ada = Employee::ada();
    world.knows(&ada);
    world.okta_is_away(true);
    let receipt = world.hr().hires(&ada).await;
    world.settle().await;
    let discard =
        format!("/v1/dead-letters/{}/discard", world.dead_letters().await[0]["id"].as_str().unwrap());
    let because = json!({"because": "hired by mistake"});
    assert_eq!(world.post(&discard, &because).await.status, StatusCode::OK);
    world.tick("dlq-reprocessor").await;
    world.settle().await;
    let event = world.request(&receipt).await["events"][0].clone();
    assert_eq!((&event["status"], &event["next_attempt"]), (&json!("failed"), &Value::Null));
    let user = world.user("E100").await;
    assert_eq!(enrichment(&user), (&json!("pending"), &json!("okta_unavailable")));
    assert_eq!(user["enrichment"]["next_attempt"], Value::Null);
    assert_eq!(world.dead_letters().await[0]["due_at"], Value::Null, "there is nothing left to do");
}

#[tokio::test(flavor = "multi_thread")]
async fn whom_no_sweep_will_mend_is_promised_no_attempt() {
    let world = World::new().await;
    let receipt = world.hr().hires(&Employee::ada()).await;
    world.settle().await;
    assert_eq!(world.request(&receipt).await["events"][0]["next_attempt"], Value::Null);
    assert_eq!(world.user("E100").await["enrichment"]["next_attempt"], Value::Null);
}

#[tokio::test(flavor = "multi_thread")]
async fn somebody_of_whom_hr_has_sent_no_address_waits_for_it() {
    let world = World::new().await;
    let ada = Employee::ada();
    world.knows(&ada);
    world.hr().updates(&Employee::of("E100").with("title", "Countess")).await;
    world.settle().await;
    let user = world.user("E100").await;
    assert_eq!(enrichment(&user), (&json!("pending"), &json!("no_email")));
    assert_eq!((&user["name"], &user["email"]), (&Value::Null, &Value::Null));
    assert_eq!(world.dead_letters().await, Vec::<Value>::new(), "there is nothing to redrive");
    assert_eq!(world.okta().requests(), 0);

    world.hr().hires(&ada).await;
    world.settle().await;
    let user = world.user("E100").await;
    assert_eq!(enrichment(&user), (&json!("complete"), &Value::Null));
    assert_eq!((&user["title"], &user["name"]), (&json!("Countess"), &json!("Ada Lovelace")));
}

#[tokio::test(flavor = "multi_thread")]
async fn of_a_request_with_many_events_the_one_that_failed_is_shown() {
    let world = World::new().await;
    // By its key it is the last.
    let people: Vec<_> = (0..130).map(|n| Employee::new(&format!("E{n:03}"), "Robin", "Smith")).collect();
    let unknown = people.last().unwrap().id();
    for person in &people {
        if person.id() != unknown {
            world.knows(person);
        }
        let import = [("x-correlation-id", "import-1")];
        world.hr().posts(&person.body("hired").to_string(), &import).await;
    }
    world.settle().await;
    let report = world.get("/v1/requests/import-1").await.json;
    assert_eq!((&report["status"], &report["total"]), (&json!("failed"), &json!(130)));
    let events = report["events"].as_array().unwrap();
    assert_eq!((events.len(), &events[0]["employee_id"]), (100, &json!(unknown)));
    assert!(events[1..].iter().all(|event| event["status"] == "enriched"), "{report}");
}

#[tokio::test(flavor = "multi_thread")]
async fn of_two_employees_with_one_address_the_second_waits_until_the_first_has_left() {
    let world = World::new().await;
    let ada = Employee::ada();
    let grace = Employee::new("E200", "Grace", "Hopper").with("email", ada.email().to_uppercase());
    world.knows(&ada);
    world.hr().hires(&ada).await;
    world.settle().await;
    world.hr().hires(&grace).await;
    world.settle().await;
    let user = world.user("E200").await;
    assert_eq!(enrichment(&user), (&json!("pending"), &json!("email_taken")));
    assert_eq!((&user["name"], &user["oktaId"]), (&json!("Grace Hopper"), &Value::Null));
    assert_eq!(world.user("E100").await["oktaId"], "00uE100", "the first keeps the account");
    let letters = world.dead_letters().await;
    assert_eq!((letters.len(), &letters[0]["reason"]), (1, &json!("email_taken")));
    let mut letter = letters[0].clone();
    // Made up, of digits and letters to f: one of them may spell a name.
    for id in ["id", "correlation_id", "group"] {
        letter.as_object_mut().unwrap().remove(id).unwrap();
    }
    let said = letter.to_string().to_lowercase();
    for personal in ["e100", "ada", "lovelace", "grace", "hopper", "acme.example"] {
        assert!(!said.contains(personal), "{personal}: {said}");
    }

    let redrive = format!("/v1/dead-letters/{}/redrive", letters[0]["id"].as_str().unwrap());
    let dry = world.post(&format!("{redrive}?dry_run=true"), &json!({})).await.json;
    assert_eq!((&dry["outcome"], &dry["reason"]), (&json!("failed"), &json!("email_taken")));
    world.hr().terminates(&Employee::of("E100")).await;
    world.settle().await;
    let dry = world.post(&format!("{redrive}?dry_run=true"), &json!({})).await.json;
    assert_eq!(dry["outcome"], "changed");
    assert_eq!(world.post(&redrive, &json!({})).await.status, StatusCode::ACCEPTED);
    world.settle().await;
    let user = world.user("E200").await;
    assert_eq!(enrichment(&user), (&json!("complete"), &Value::Null));
    assert_eq!((&user["oktaId"], &user["onboarded"]), (&json!("00uE100"), &json!(true)));
    assert_eq!(world.user("E100").await["enrichment"]["state"], "left");
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_of_a_batch_waits_for_what_okta_says_of_the_others() {
    let vars = [("ENRICHMENT_CONCURRENCY", "1"), ("API_TIMEOUT_SECONDS", "600")];
    let vars = vars.map(|(name, value)| (name, value.to_owned())).to_vec();
    let world = World::with(Setup { vars, ..Setup::default() }).await;
    let ids = ["E100", "E200", "E300"];
    for id in ids {
        world.knows(&Employee::new(id, "Robin", "Smith"));
    }
    // Whoever is asked for is asked for until the test is over.
    world.okta().set_behaviour(Behaviour { latency: Duration::from_mins(10), ..Behaviour::default() });
    let function = enrichment::Function::from_vars(&world.vars_of("enrichment"), Clock::system()).unwrap();
    let records = ids.into_iter().zip(1..).map(|(id, offset)| hire(id, offset)).collect();
    let batch = Batch { records, deadline: Deadline::after(Duration::from_mins(10)) };
    let looking = async {
        for id in ids {
            world.until(&format!("/v1/users/{id}"), |user| user["id"] == id).await;
        }
        for id in ids {
            assert_eq!(enrichment(&world.user(id).await), (&json!("pending"), &json!("okta_unavailable")));
        }
        assert_eq!(world.okta().requests(), 3, "only the first of them is asked for");
    };
    tokio::select! {
        response = function.handle(batch) => panic!("Okta has not answered: {response:?}"),
        () = looking => {}
    }
}

fn hire(id: &str, offset: i64) -> Record {
    let event = json!({
        "eventId": format!("evt-{id}"), "eventType": "hired", "correlationId": format!("c-{id}"),
        "receivedAt": "2026-01-31T18:42:01Z", "employeeId": id,
        "stated": {"firstName": "Robin", "lastName": "Smith", "email": format!("{id}@acme.example")}
    });
    requested(&event, offset)
}

/// The event on its topic.
pub(crate) fn requested(event: &Value, offset: i64) -> Record {
    Record {
        topic: topic::ENRICHMENT_REQUESTED.to_owned(),
        partition: 0,
        offset,
        timestamp: 0,
        timestamp_type: "CREATE_TIME".to_owned(),
        key: Some(event["employeeId"].as_str().unwrap().as_bytes().to_vec()),
        value: Some(event.to_string().into_bytes()),
        headers: vec![],
    }
}

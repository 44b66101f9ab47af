//! What HR says of a person after the hire: each statement holds until a later one, in whatever order they come.

use std::time::Duration;

use jiff::Timestamp;
use okta::fake::Behaviour;
use reqwest::StatusCode;
use runtime::Clock;
use serde_json::{Value, json};
use testkit::{Employee, World};

/// With Ada, hired a year ago.
async fn with_ada() -> World {
    let world = World::new().await;
    let ada = Employee::ada().with("title", "Analyst").with("phone", "+46 8 1").with("country", "SE");
    world.knows(&ada);
    world.hr().hires(&ada.with("department", "Engines").with("occurred_at", "2025-01-31T00:00:00Z")).await;
    world.settle().await;
    world
}

fn ada() -> Employee {
    Employee::of("E100")
}

fn okta_is_away(world: &World, away: bool) {
    let error_rate = if away { 1.0 } else { 0.0 };
    world.okta().set_behaviour(Behaviour { error_rate, ..Behaviour::default() });
}

/// The employment and how far the profile is.
fn standing(user: &Value) -> (&str, &str) {
    (user["employmentStatus"].as_str().unwrap(), user["enrichment"]["state"].as_str().unwrap())
}

#[tokio::test(flavor = "multi_thread")]
async fn an_update_leaves_what_it_does_not_name_and_clears_what_it_empties() {
    let world = with_ada().await;
    let update = ada().with("title", "Countess").with("phone", " ").with("department", Value::Null);
    let receipt = world.hr().updates(&update).await;
    world.settle().await;
    let user = world.user("E100").await;
    assert_eq!((&user["title"], &user["name"]), (&json!("Countess"), &json!("Ada Lovelace")));
    assert_eq!(user["details"], json!({"country": "SE"}));
    assert_eq!(user["department"], "Engineering", "Okta's stands in for what HR has cleared");
    let event = &world.request(&receipt).await["events"][0];
    assert_eq!(
        (&event["outcome"], &event["fields"]),
        (&json!("changed"), &json!(["title", "department", "details.phone"]))
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_name_and_an_address_are_replaced_and_never_cleared() {
    let world = with_ada().await;
    let update = ada().with("first_name", "").with("email", Value::Null).with("last_name", "King");
    let receipt = world.hr().updates(&update).await;
    world.settle().await;
    let warned = |pointer: &str| {
        json!({
            "pointer": pointer, "code": "not_clearable", "message": "can be replaced and not cleared: left out",
        })
    };
    let mut warnings = receipt.json["warnings"].as_array().unwrap().clone();
    warnings.sort_by_key(|warning| warning["pointer"].to_string());
    assert_eq!(warnings, ["/email", "/first_name"].map(warned));
    let user = world.user("E100").await;
    assert_eq!((&user["name"], &user["email"]), (&json!("Ada King"), &json!("e100@acme.example")));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_termination_is_not_undone_by_an_update_that_says_nothing_of_it() {
    let world = with_ada().await;
    world.hr().terminates(&ada()).await;
    world.hr().updates(&ada().with("title", "Countess")).await;
    world.settle().await;
    let user = world.user("E100").await;
    assert_eq!((standing(&user), &user["title"]), (("terminated", "left"), &json!("Countess")));
    assert_eq!(user["onboarded"], false);

    world.hr().updates(&ada().with("status", "Active")).await;
    world.settle().await;
    assert_eq!(
        standing(&world.user("E100").await),
        ("employed", "complete"),
        "HR's own word brings them back"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_late_termination_behind_a_newer_update_ends_the_employment() {
    let world = with_ada().await;
    let newer = ada().with("title", "Countess").with("occurred_at", "2026-03-01T00:00:00Z");
    let older = ada().with("title", "Clerk").with("occurred_at", "2026-02-01T00:00:00Z");
    world.hr().updates(&newer).await;
    world.hr().terminates(&older).await;
    world.settle().await;
    let user = world.user("E100").await;
    assert_eq!((standing(&user), &user["title"]), (("terminated", "left"), &json!("Countess")));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_late_termination_ends_the_employment_by_its_redrive_too() {
    let world = with_ada().await;
    okta_is_away(&world, true);
    let headers = [("correlation-id", "c-1"), ("event-id", "evt-1")];
    world.publishes(Some("E100"), Some(b"{broken"), &headers).await;
    world.settle().await;
    world.hr().updates(&ada().with("title", "Countess").with("occurred_at", "2026-03-01T00:00:00Z")).await;
    world.settle().await;
    let letters = world.dead_letters().await;
    assert_eq!(letters.len(), 2, "{letters:?}");
    let broken = letters.iter().find(|letter| letter["correlation_id"] == "c-1").unwrap();
    let termination = ada().with("occurred_at", "2026-02-01T00:00:00Z").body("terminated");
    let edit = format!("/v1/dead-letters/{}/edit", broken["id"].as_str().unwrap());
    assert_eq!(world.post(&edit, &termination).await.status, StatusCode::ACCEPTED);
    world.settle().await;
    let user = world.user("E100").await;
    assert_eq!((standing(&user), &user["title"]), (("terminated", "left"), &json!("Countess")));

    okta_is_away(&world, false);
    world.passes(Duration::from_hours(1));
    world.tick("dlq-reprocessor").await;
    world.settle().await;
    let user = world.user("E100").await;
    assert_eq!((standing(&user), &user["title"]), (("terminated", "left"), &json!("Countess")));
    assert_eq!(user["enrichment"]["reason"], Value::Null);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_hr_dates_later_stays_though_it_came_first() {
    let world = with_ada().await;
    let soon = Clock::system().now() + Duration::from_mins(2);
    world.hr().updates(&ada().with("title", "Countess").with("occurred_at", soon.to_string())).await;
    // The first has no date, and counts from when it was received.
    for older in [ada(), ada().with("occurred_at", (soon - Duration::from_mins(1)).to_string())] {
        world.hr().updates(&older.with("title", "Clerk").with("office", "HQ 3")).await;
        world.settle().await;
        let user = world.user("E100").await;
        assert_eq!((&user["title"], &user["details"]["office"]), (&json!("Countess"), &json!("HQ 3")));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_edit_of_a_failed_termination_is_one_too_and_takes_no_empty_type() {
    let world = with_ada().await;
    okta_is_away(&world, true);
    world.hr().terminates(&ada()).await;
    world.settle().await;
    let letter = world.dead_letters().await.remove(0);
    let edit = format!("/v1/dead-letters/{}/edit", letter["id"].as_str().unwrap());
    okta_is_away(&world, false);

    let refused = world.post(&edit, &ada().body("")).await;
    assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY, "{refused:?}");
    assert_eq!(refused.json["errors"][0]["pointer"], "/event_type");
    let corrected = json!({"employee_id": "E100", "end_date": "2026-06-30"});
    assert_eq!(world.post(&edit, &corrected).await.status, StatusCode::ACCEPTED);
    world.settle().await;
    let user = world.user("E100").await;
    assert_eq!((standing(&user), &user["endDate"]), (("terminated", "left"), &json!("2026-06-30")));
    let history = world.history("E100").await;
    assert_eq!((history.len(), &history[0]["event_type"]), (2, &json!("terminated")));
}

#[tokio::test(flavor = "multi_thread")]
async fn who_has_left_by_hrs_own_word_needs_no_account() {
    let world = with_ada().await;
    world.okta().remove("00uE100");
    for id in ["E100", "E200"] {
        world.hr().updates(&Employee::of(id).with("status", "Terminated")).await;
        world.settle().await;
        let user = world.user(id).await;
        assert_eq!(standing(&user), ("terminated", "left"));
        assert_eq!((&user["status"], &user["oktaId"]), (&json!("Terminated"), &Value::Null));
        assert_eq!((&user["onboarded"], &user["enrichment"]["reason"]), (&json!(false), &Value::Null));
    }
    assert_eq!(world.dead_letters().await, Vec::<Value>::new());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rehire_gets_the_account_that_is_in_use() {
    let world = with_ada().await;
    world.hr().terminates(&ada()).await;
    world.okta().update("00uE100", |former| former.status = okta::UserStatus::Deprovisioned);
    let mut again = Employee::ada().in_okta();
    (again.id, again.login) = ("00u-again".to_owned(), "lovelace".to_owned());
    world.okta().add(again);
    world.hr().hires(&Employee::ada()).await;
    world.settle().await;
    let user = world.user("E100").await;
    assert_eq!((&user["oktaId"], &user["onboarded"]), (&json!("00u-again"), &json!(true)));
    assert!(user["updatedAt"].as_str().unwrap().parse::<Timestamp>().is_ok());
}

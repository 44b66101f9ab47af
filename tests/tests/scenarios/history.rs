//! Which event changed what of a person.

use reqwest::StatusCode;
use serde_json::{Value, json};
use testkit::{Employee, World};

/// Ada's path: hired unknown to Okta, completed, promoted, and an update that says nothing new.
async fn with_ada() -> World {
    let world = World::new().await;
    let ada = Employee::ada().with("event_id", "hire").with("title", "Analyst");
    world.knows(&ada);
    world.hr().hires(&ada).await;
    let update = Employee::of("E100").with("event_id", "promotion").with("title", "Countess");
    world.hr().updates(&update.clone().with("phone", "+46 8 1")).await;
    world.hr().updates(&update.with("event_id", "again").with("country", "Sweden")).await;
    world.hr().hires(&ada).await;
    world.settle().await;
    world
}

pub(crate) async fn events_are_listed_once_and_by_page(world: &World, id: &str) {
    let ada = Employee::new(id, "Ada", "Lovelace").with("event_id", "0");
    world.knows(&ada);
    world.hr().hires(&ada).await;
    for level in 1..7 {
        let update =
            Employee::of(id).with("event_id", level.to_string()).with("title", format!("Level {level}"));
        world.hr().updates(&update).await;
        // A second delivery is no second event.
        world.hr().updates(&update).await;
    }
    world.settle().await;
    let (mut listed, mut path) = (Vec::new(), format!("/v1/users/{id}/history?limit=3"));
    for pages_left in (0..3).rev() {
        let page = world.get(&path).await;
        let items = page.json["history"].as_array().unwrap();
        listed.extend(items.iter().map(|item| item["event_id"].as_str().unwrap().to_owned()));
        match page.json["next_cursor"].as_str() {
            Some(cursor) => path = format!("/v1/users/{id}/history?limit=3&cursor={cursor}"),
            None => assert_eq!((pages_left, page.headers.contains_key("link")), (0, false), "{page:?}"),
        }
    }
    assert_eq!(listed, ["6", "5", "4", "3", "2", "1", "0"], "the newest first");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_history_is_listed_by_page_the_newest_first() {
    let world = World::new().await;
    events_are_listed_once_and_by_page(&world, "E100").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_history_says_what_each_event_changed() {
    let world = with_ada().await;
    let history = world.history("E100").await;
    let events: Vec<_> = history.iter().map(|item| item["event_id"].as_str().unwrap()).collect();
    assert_eq!(events, ["again", "promotion", "hire"]);
    assert_eq!(
        history[1]["changes"],
        json!([
            {"field": "title", "old": "Analyst", "new": "Countess"},
            {"field": "details.phone", "old": null, "new": "+46 8 1"},
        ])
    );
    assert_eq!((&history[0]["changes"], &history[0]["version"]), (&json!([]), &json!(2)));
    assert_eq!(history[0]["warnings"][0]["pointer"], "/country");
    let groups =
        history[2]["changes"].as_array().unwrap().iter().find(|change| change["field"] == "groups").unwrap();
    let names: Vec<_> =
        groups["added"].as_array().unwrap().iter().map(|group| group["name"].as_str().unwrap()).collect();
    assert_eq!((names, &groups["removed"]), (vec!["Engineering", "Everyone"], &json!([])));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_redrive_adds_is_part_of_its_events_history() {
    let world = World::new().await;
    let ada = Employee::ada().with("event_id", "hire");
    world.hr().hires(&ada).await;
    world.settle().await;
    let changes = |item: &Value, name: &str| {
        let changes = item["changes"].as_array().unwrap();
        changes.iter().any(|change| change["field"] == name)
    };
    world.hr().updates(&Employee::of("E100").with("event_id", "promotion").with("title", "Countess")).await;
    world.settle().await;
    let before = world.history("E100").await;
    assert!(changes(&before[1], "name") && !changes(&before[1], "oktaId"), "{before:?}");
    world.knows(&ada);
    world
        .post("/v1/dead-letter-jobs", &json!({"action": "redrive", "filter": {"employee_id": "E100"}}))
        .await;
    world.settle().await;
    let after = world.history("E100").await;
    let events: Vec<_> = after.iter().map(|item| item["event_id"].as_str().unwrap()).collect();
    assert_eq!(events, ["promotion", "hire"], "each keeps its place");
    assert_eq!(after[1]["changes"], before[1]["changes"], "what it changed first");
    let later: Vec<_> = after.iter().flat_map(|item| item["later"].as_array().unwrap()).collect();
    assert_eq!(later.len(), 1, "one of the two finds Okta's answer, and the other nothing new: {after:?}");
    assert!(changes(later[0], "oktaId") && !changes(later[0], "name"), "{later:?}");
    assert_eq!(later[0]["version"], 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cursor_of_one_history_opens_no_other() {
    let world = with_ada().await;
    let bob = Employee::new("E200", "Bob", "Babbage");
    world.knows(&bob);
    world.hr().hires(&bob).await;
    world.settle().await;
    let page = world.get("/v1/users/E100/history?limit=1").await;
    let cursor = page.json["next_cursor"].as_str().unwrap();
    for path in [
        format!("/v1/users/E200/history?cursor={cursor}"),
        format!("/v1/users?cursor={cursor}"),
        format!("/v1/users/E100/history?cursor={}", cursor.to_uppercase()),
    ] {
        let refused = world.get(&path).await;
        assert_eq!(
            (refused.status, &refused.json["code"]),
            (StatusCode::BAD_REQUEST, &json!("invalid_cursor"))
        );
    }
    let refused = world.get("/v1/users/E100/history?limit=0").await;
    assert_eq!(refused.json["code"], "invalid_parameter");
    let unknown = world.get("/v1/users/E404/history").await;
    assert_eq!((unknown.status, &unknown.json["code"]), (StatusCode::NOT_FOUND, &json!("user_not_found")));
}

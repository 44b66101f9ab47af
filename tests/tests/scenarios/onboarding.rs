use std::collections::{BTreeMap, BTreeSet};

use okta::UserStatus;
use serde_json::{Value, json};
use testkit::{Employee, Setup, World};

use crate::redacted;

fn status_counts(reports: &[Value]) -> BTreeMap<&str, usize> {
    let mut counts = BTreeMap::new();
    for report in reports {
        *counts.entry(report["status"].as_str().unwrap()).or_default() += 1;
    }
    counts
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stage_that_shares_its_cluster_has_topics_and_tables_of_its_own() {
    let setup = Setup {
        vars: vec![("KAFKA_TOPIC_PREFIX", "staging.".to_owned())],
        parameters: vec![("Stage", "staging")],
        ..Setup::default()
    };
    let world = World::with(setup).await;
    world.knows(&Employee::ada());
    world.hr().hires(&Employee::ada()).await;
    world.hr().hires(&Employee::new("E404", "Nobody", "Knows")).await;
    world.settle().await;
    assert_eq!(world.user("E100").await["version"], 1);
    let letters = world.dead_letters().await;
    let letter = world.get(&format!("/v1/dead-letters/{}", letters[0]["id"].as_str().unwrap())).await.json;
    assert_eq!((letters.len(), &letter["origin"]["topic"]), (1, &"staging.user.enrichment.requested".into()));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hire_becomes_an_enriched_user() {
    let world = World::new().await;
    let ada = Employee::ada().with("title", "Analyst").with("start_date", "2026-02-01");
    world.knows(&ada);
    let receipt = world.hr().hires(&ada).await;
    world.settle().await;
    let user = world.user("E100").await;
    let request = world.request(&receipt).await;
    assert_eq!(user["correlationId"], receipt.json["correlation_id"]);
    redacted(|| {
        insta::assert_json_snapshot!("receipt", receipt.json);
        insta::assert_json_snapshot!("user", user);
        insta::assert_json_snapshot!("request", request);
    });
}

#[tokio::test(flavor = "multi_thread")]
async fn an_update_is_seen_by_the_next_reader() {
    let world = World::new().await;
    let ada = Employee::ada().with("title", "Analyst");
    world.knows(&ada);
    world.hr().hires(&ada).await;
    world.settle().await;
    assert_eq!(world.user("E100").await["title"], "Analyst", "it is in the cache now");
    world.hr().updates(&ada.with("title", "Programmer")).await;
    world.settle().await;
    let user = world.user("E100").await;
    assert_eq!((&user["title"], &user["version"]), (&json!("Programmer"), &json!(2)));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_older_event_never_overwrites_a_newer_one() {
    let world = World::new().await;
    let ada = Employee::ada();
    world.knows(&ada);
    let newer = ada.clone().with("title", "Director").with("occurred_at", "2026-03-01T00:00:00Z");
    let older = ada.with("title", "Analyst").with("occurred_at", "2026-02-01T00:00:00Z");
    world.hr().updates(&newer).await;
    let late = world.hr().updates(&older).await;
    world.settle().await;
    let user = world.user("E100").await;
    assert_eq!((&user["title"], &user["version"]), (&json!("Director"), &json!(1)));
    let request = world.request(&late).await;
    assert_eq!(
        (&request["status"], &request["events"][0]["outcome"]),
        (&json!("enriched"), &json!("nothing_new"))
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_duplicate_changes_nothing_and_costs_no_call_to_okta() {
    let world = World::new().await;
    let ada = Employee::ada().with("event_id", "hr-1").with("title", "Analyst");
    world.knows(&ada);
    world.hr().hires(&ada).await;
    world.settle().await;
    world.hr().updates(&ada.clone().with("event_id", "hr-2").with("title", "Director")).await;
    world.settle().await;
    let asked = world.okta().requests();

    let again = world.hr().hires(&ada).await;
    world.settle().await;
    let user = world.user("E100").await;
    assert_eq!((&user["title"], &user["version"]), (&json!("Director"), &json!(2)));
    assert_eq!(world.request(&again).await["events"][0]["outcome"], "nothing_new");
    assert_eq!(world.okta().requests(), asked);
}

#[tokio::test(flavor = "multi_thread")]
async fn somebody_whom_okta_does_not_know_is_a_dead_letter() {
    let world = World::new().await;
    let receipt = world.hr().hires(&Employee::ada()).await;
    world.settle().await;
    assert_eq!(world.user("E100").await["onboarded"], false);
    let request = world.request(&receipt).await;
    let letters = world.dead_letters().await;
    assert_eq!(letters.len(), 1);
    redacted(|| {
        insta::assert_json_snapshot!("failed_request", request);
        insta::assert_json_snapshot!("dead_letters", letters);
    });
}

#[tokio::test(flavor = "multi_thread")]
async fn a_leaver_is_no_longer_onboarded_even_without_an_account() {
    let world = World::new().await;
    let ada = Employee::ada();
    let account = world.knows(&ada);
    world.hr().hires(&ada).await;
    world.settle().await;
    assert_eq!(world.user("E100").await["onboarded"], true);

    world.okta().update(&account.id, |person| person.status = UserStatus::Deprovisioned);
    world.hr().terminates(&ada).await;
    world.settle().await;
    let user = world.user("E100").await;
    assert_eq!((&user["onboarded"], &user["employmentStatus"]), (&json!(false), &json!("terminated")));
    assert_eq!(user["oktaStatus"], "DEPROVISIONED");

    world.okta().remove(&account.id);
    world.hr().terminates(&ada).await;
    world.settle().await;
    assert_eq!(world.user("E100").await["oktaId"], Value::Null);
    assert_eq!(world.dead_letters().await, Vec::<Value>::new());
}

#[tokio::test(flavor = "multi_thread")]
async fn names_of_every_script_arrive_as_they_were_sent() {
    let world = World::new().await;
    let people = [
        ("E1", "José Ángel", "Ñúñez-Öström"),
        ("E2", "李", "小龍"),
        ("E3", "نور", "الدین"),
        ("E4", "Зоя", "Ёлкина"),
        ("E5", "👩‍💻 Robin", "O’Neil d'Årc"),
        ("E6", "e\u{301}lise", "ﬁn"),
    ]
    .map(|(id, first, last)| (Employee::new(id, first, last), format!("{first} {last}")));
    for (employee, _) in &people {
        world.knows(employee);
        world.hr().hires(employee).await;
    }
    world.settle().await;
    for (employee, name) in &people {
        assert_eq!(world.user(employee.id()).await["name"], **name);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn five_hundred_hires_at_once_all_arrive() {
    let world = std::sync::Arc::new(World::new().await);
    let mut senders = tokio::task::JoinSet::new();
    for n in 0..500 {
        let employee = Employee::new(&format!("E{n:03}"), "Robin", "Smith");
        // Every tenth is a stranger to Okta.
        if n % 10 != 9 {
            world.knows(&employee);
        }
        let world = std::sync::Arc::clone(&world);
        senders.spawn(async move { world.hr().hires(&employee).await });
    }
    let receipts = senders.join_all().await;
    world.settle().await;

    let mut reports = Vec::new();
    for receipt in &receipts {
        reports.push(world.request(receipt).await);
    }
    assert_eq!(status_counts(&reports), BTreeMap::from([("enriched", 450), ("failed", 50)]));
    let users = world.users().await;
    assert_eq!(users.len(), 500);
    assert_eq!(users.iter().filter(|user| user["onboarded"] == true).count(), 450);
    for user in &users {
        let id = user["id"].as_str().unwrap();
        let history = world.get(&format!("/v1/users/{id}/history")).await.json["history"].clone();
        assert_eq!(history.as_array().map(Vec::len), Some(1), "{id} was applied twice");
    }
    let letters = world.dead_letters().await;
    assert_eq!(letters.len(), 50);
    let groups: BTreeSet<_> = letters.iter().map(|letter| letter["group"].as_str().unwrap()).collect();
    assert_eq!(groups.len(), 1, "one cause, one group");
}

#[tokio::test(flavor = "multi_thread")]
async fn one_persons_events_apply_in_order_whatever_else_goes_on() {
    let world = World::new().await;
    let people: Vec<_> = (0..10).map(|n| Employee::new(&format!("E{n}"), "Robin", "Smith")).collect();
    for person in &people {
        world.knows(person);
    }
    for round in 1..=10 {
        for person in &people {
            world.hr().updates(&person.clone().with("title", format!("Level {round}"))).await;
        }
    }
    world.settle().await;
    for person in &people {
        assert_eq!(world.user(person.id()).await["title"], "Level 10");
        // Not the version: where Okta takes more than a second, HR's part and Okta's have one each.
        assert_eq!(world.history(person.id()).await.len(), 10);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_stored_on_disk_is_there_after_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let on_disk = || testkit::Setup { data_dir: Some(folder.path().to_owned()), ..Default::default() };
    let world = World::with(on_disk()).await;
    let ada = Employee::ada();
    world.knows(&ada);
    let receipt = world.hr().hires(&ada).await;
    world.hr().hires(&Employee::new("E101", "No", "Body")).await;
    // Stopping works off what was accepted.
    world.stop().await;

    let world = World::with(on_disk()).await;
    assert_eq!(world.user("E100").await["name"], "Ada Lovelace");
    assert_eq!(world.request(&receipt).await["status"], "enriched");
    // The broker starts over at offset 0: another letter from there is another letter.
    world.hr().hires(&Employee::new("E102", "Some", "Body")).await;
    world.settle().await;
    assert_eq!(world.dead_letters().await.len(), 2);
}

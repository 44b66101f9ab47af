//! Many letters at once: a group, a filter, and the job that is made of them.

use reqwest::{Method, StatusCode};
use serde_json::json;
use testkit::{Employee, World};

use super::{MINUTE, only_letter, path, sweep_after};

#[tokio::test(flavor = "multi_thread")]
async fn the_letters_of_one_outage_are_one_group_that_is_redriven_at_once() {
    let world = World::new().await;
    let people: Vec<_> =
        (0..25).map(|n| Employee::new(&format!("E{n}"), "No", &format!("Body{n}"))).collect();
    for person in &people {
        world.hr().hires(person).await;
    }
    world.publishes(Some("E1"), Some(b"{broken"), &[]).await;
    world.settle().await;
    let groups = world.get("/v1/dead-letter-groups").await.json["groups"].clone();
    assert_eq!(groups.as_array().unwrap().len(), 2, "{groups}");
    let group = groups.as_array().unwrap().iter().find(|group| group["reason"] == "user_not_found").unwrap();
    assert_eq!((&group["count"], &group["waiting"]), (&json!(25), &json!(25)));

    for person in &people {
        world.knows(person);
    }
    let task = json!({"action": "redrive", "filter": {"group": group["group"]}, "per_second": 100});
    let dry = world.post("/v1/dead-letter-jobs?dry_run=true&limit=100", &task).await.json;
    assert_eq!(dry["dry_run"].as_array().unwrap().len(), 25);
    assert!(dry["dry_run"].as_array().unwrap().iter().all(|letter| letter["outcome"] == "changed"), "{dry}");

    let started = world.post("/v1/dead-letter-jobs", &task).await;
    assert_eq!(started.status, StatusCode::ACCEPTED, "{started:?}");
    let path = format!("/v1/dead-letter-jobs/{}", started.json["id"].as_str().unwrap());
    // On a busy machine its first slice is not enough.
    while world.get(&path).await.json["state"] == "running" {
        sweep_after(&world, MINUTE).await;
    }
    let job = world.get(&path).await.json;
    assert_eq!((&job["total"], &job["progress"]), (&json!(25), &json!({"done": 25, "skipped": 0})));
    world.settle().await;
    assert_eq!(world.users().await.len(), 25);
    sweep_after(&world, 2 * MINUTE).await;
    let id = group["group"].as_str().unwrap();
    let group = world.get(&format!("/v1/dead-letter-groups/{id}")).await.json;
    assert_eq!((&group["states"], &group["waiting"]), (&json!({"resolved": 25}), &json!(0)));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_says_wrongly_which_letters_starts_no_job() {
    let world = World::new().await;
    let jobs = "/v1/dead-letter-jobs";
    for (path, task, status) in [
        (jobs, json!({"action": "redrive", "filter": []}), 422),
        (jobs, json!({"action": "redrive", "filter": {"group": "none"}}), 422),
        (jobs, json!({"action": "redrive", "filter": {"grupo": "0123456789abcdef"}}), 422),
        (jobs, json!({"action": 0}), 422),
        (jobs, json!(["redrive"]), 400),
        ("/v1/dead-letter-jobs?limit=none", json!({"action": "redrive"}), 400),
    ] {
        assert_eq!(world.post(path, &task).await.status.as_u16(), status, "{path} {task}");
    }
    assert_eq!(world.get(jobs).await.json["jobs"], json!([]));
    world.settle().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_with_a_field_that_it_has_not_does_nothing() {
    let world = World::new().await;
    world.hr().hires(&Employee::ada()).await;
    world.settle().await;
    let letter = only_letter(&world).await;
    for (task, field) in [
        (json!({"action": "discard", "because": "x", "filters": {"state": "quarantined"}}), "/filters"),
        (json!({"action": "redrive", "because": "x"}), "/because"),
        (json!({"action": "discard", "because": "x\u{0}y"}), "/because"),
        (json!({"action": "redrive", "filter": {"employee_id": null}}), "/filter/employee_id"),
        (json!({"action": "redrive", "filter": {"state": null}}), "/filter/state"),
        (json!({"action": "redrive", "filter": {"states": "quarantined"}}), "/filter/states"),
        (json!({"action": "redrive", "filter": []}), "/filter"),
        (json!({"action": 0}), "/action"),
    ] {
        let refused = world.post("/v1/dead-letter-jobs", &task).await;
        assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY, "{task}: {refused:?}");
        assert_eq!(refused.json["errors"][0]["pointer"], field, "{task}: {refused:?}");
    }
    assert_eq!(only_letter(&world).await, letter);
    world.settle().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_body_of_which_a_part_could_be_overlooked_does_nothing() {
    let world = World::new().await;
    world.hr().hires(&Employee::ada()).await;
    world.settle().await;
    let letter = only_letter(&world).await;
    let (jobs, discard) = ("/v1/dead-letter-jobs", path(&letter, "discard"));
    for (path, body, code) in [
        (
            jobs,
            r#"{"action": "discard", "because": "only DL0"}, "filter": {"group": "0"}}"#,
            "malformed_json",
        ),
        (jobs, r#"{"action": "redrive", "filter": {"state": "resolved"}, "filter": {}}"#, "invalid_fields"),
        (jobs, r#"{"action": "redrive", "filter": {}, "action": "redrive"}"#, "invalid_fields"),
        (jobs, r#"{"action": "discard", "because": "a", "because": "b"}"#, "invalid_fields"),
        (&discard, r#"{"because": "x"} {"because": "y"}"#, "malformed_json"),
        (&discard, r#"{"because": "x", "because": "y"}"#, "invalid_fields"),
        (&discard, r#"{"because": "x", "dry_run": true}"#, "invalid_fields"),
    ] {
        let headers = [("content-type", "application/json")];
        let refused = world.call(Method::POST, path, &headers, Some(body.into())).await;
        assert_eq!(refused.json["code"], code, "{body}: {refused:?}");
    }
    assert_eq!(only_letter(&world).await, letter);
    assert_eq!(world.get(jobs).await.json["jobs"], json!([]));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_letter_of_a_large_import_is_resolved_too() {
    let world = World::new().await;
    // They are read in the order of their ids: the one that fails is past the first hundred.
    let people: Vec<_> =
        (0..120).map(|n| Employee::new(&format!("E{n:03}"), "No", &format!("Body{n}"))).collect();
    for person in &people[..119] {
        world.knows(person);
    }
    for person in &people {
        let import = [("x-correlation-id", "import-1")];
        let answer = world.hr().posts(&person.body("hired").to_string(), &import).await;
        assert_eq!(answer.status, StatusCode::ACCEPTED);
    }
    world.settle().await;
    let letter = only_letter(&world).await;
    world.knows(&people[119]);
    world.post(&path(&letter, "redrive"), &json!({})).await;
    world.settle().await;
    sweep_after(&world, 2 * MINUTE).await;
    assert_eq!(only_letter(&world).await["state"], "resolved");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_can_be_stopped_and_goes_on_where_it_was() {
    let world = World::new().await;
    for n in 0..12 {
        world.hr().hires(&Employee::new(&format!("E{n}"), "No", "Body")).await;
    }
    world.settle().await;
    let task = json!({"action": "discard", "because": "a test's", "per_second": 3});
    let job = world.post("/v1/dead-letter-jobs", &task).await.json;
    assert_eq!(job["state"], "running", "its first slice is shorter than the job: {job}");
    let path = format!("/v1/dead-letter-jobs/{}", job["id"].as_str().unwrap());
    let stopped = world.post(&format!("{path}/stop"), &json!({})).await.json;
    sweep_after(&world, MINUTE).await;
    assert_eq!(world.get(&path).await.json["progress"], stopped["progress"], "nobody goes on with it");
    world.post(&format!("{path}/resume"), &json!({})).await;
    sweep_after(&world, MINUTE).await;
    let done = world.get(&path).await.json;
    assert_eq!((&done["state"], &done["progress"]), (&json!("done"), &json!({"done": 12, "skipped": 0})));
    assert_eq!(world.get("/v1/dead-letter-jobs").await.json["jobs"], json!([done]));
}

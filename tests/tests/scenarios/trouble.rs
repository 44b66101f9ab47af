//! When something that Joiner rests on misbehaves.

use std::{collections::BTreeSet, time::Duration};

use okta::fake::{Behaviour, Fault};
use reqwest::StatusCode;
use serde_json::{Value, json};
use testkit::{Employee, Setup, World};

/// Lets every look-up of Ada fail: what is asked for beside goes through.
fn okta_fails_for_ada(world: &World, fault: Fault) {
    world.okta().fail_look_ups_of(&Employee::ada().email(), Some(fault));
}

/// Hires Ada and returns the reason of her dead letter; null if she was enriched.
async fn reason_of_a_hire(world: &World) -> Value {
    world.knows(&Employee::ada());
    let receipt = world.hr().hires(&Employee::ada()).await;
    world.settle().await;
    world.request(&receipt).await["events"][0]["reason"].clone()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_passing_failure_of_okta_is_retried() {
    let world = World::new().await;
    world.okta().fail_next(Fault::Status(503));
    world.okta().fail_next(Fault::Status(500));
    assert_eq!(reason_of_a_hire(&world).await, Value::Null);
    assert_eq!(world.user("E100").await["onboarded"], true);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lasting_failure_of_okta_is_a_dead_letter_after_three_attempts() {
    let world = World::new().await;
    world.okta().set_behaviour(Behaviour { error_rate: 1.0, ..Behaviour::default() });
    assert_eq!(reason_of_a_hire(&world).await, "okta_unavailable");
    assert_eq!(world.dead_letters().await[0]["attempts"], 3);
    assert_eq!(world.okta().requests(), 5, "groups and applications, which are asked for beside, once");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_okta_that_hangs_is_given_up_in_time() {
    let world =
        World::with(Setup { vars: vec![("API_TIMEOUT_SECONDS", "0.1".to_owned())], ..Setup::default() })
            .await;
    okta_fails_for_ada(&world, Fault::Hang);
    assert_eq!(reason_of_a_hire(&world).await, "okta_unavailable");
}

#[tokio::test(flavor = "multi_thread")]
async fn both_kinds_of_rate_limit_are_waited_out() {
    let world = World::new().await;
    world.okta().fail_next(Fault::OrgLimit { reset_in: Duration::from_secs(1) });
    world.okta().fail_next(Fault::ConcurrencyLimit);
    assert_eq!(reason_of_a_hire(&world).await, Value::Null);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rate_limit_that_outlasts_the_invocation_is_a_dead_letter_at_once() {
    let world = World::new().await;
    okta_fails_for_ada(&world, Fault::OrgLimit { reset_in: Duration::from_hours(1) });
    assert_eq!(reason_of_a_hire(&world).await, "rate_limited");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_okta_should_not_answer_is_a_dead_letter_at_once() {
    for fault in [Fault::Garbage, Fault::Status(418)] {
        let world = World::new().await;
        okta_fails_for_ada(&world, fault);
        assert_eq!(reason_of_a_hire(&world).await, "okta_malformed", "{fault:?}");
        assert_eq!(world.okta().requests(), 3);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn refused_credentials_are_a_dead_letter_at_once() {
    let real =
        okta::fake::Server::start(okta::fake::Directory::empty(runtime::Clock::system()), "the right token")
            .await;
    let vars = vec![("OKTA_ORG_URL", real.url().to_string()), ("OKTA_API_TOKEN", "a-wrong-token".to_owned())];
    let world = World::with(Setup { vars, ..Setup::default() }).await;
    assert_eq!(reason_of_a_hire(&world).await, "unauthorized");
}

#[tokio::test(flavor = "multi_thread")]
async fn while_okta_fails_for_one_person_the_request_is_accepted_and_others_go_on() {
    let patient =
        vec![("RETRY_MAX_ATTEMPTS", "1000000".to_owned()), ("RETRY_CAP_SECONDS", "0.02".to_owned())];
    let world = World::with(Setup { vars: patient, ..Setup::default() }).await;
    let slow = Employee::ada();
    world.knows(&slow);
    world.okta().fail_look_ups_of(&slow.email(), Some(Fault::Status(503)));
    let waiting = world.hr().hires(&slow).await;
    let path = waiting.json["status_url"].as_str().unwrap();
    world.until(path, |report| report["status"] == "accepted").await;

    // More people than there are partitions: some share one with the slow one.
    for n in 0..8 {
        let quick = Employee::new(&format!("Q{n}"), "Bob", "Quick");
        world.knows(&quick);
        world.hr().hires(&quick).await;
    }
    // Those on the other partitions arrive; the batch engine's tests show the same within a batch.
    world.until("/v1/users", |page| page["users"].as_array().is_some_and(|users| users.len() >= 4)).await;
    assert_eq!(world.request(&waiting).await["status"], "accepted", "the slow one is still waiting");
    world.okta().fail_look_ups_of(&slow.email(), None);
    world.settle().await;
    assert_eq!(world.request(&waiting).await["status"], "enriched");
}

#[tokio::test(flavor = "multi_thread")]
async fn without_the_broker_nothing_is_accepted_and_with_it_everything_again() {
    let short = vec![("KAFKA_ACK_TIMEOUT_SECONDS", "0.5".to_owned())];
    let world = World::with(Setup { vars: short, embedded: true, ..Setup::default() }).await;
    let ada = Employee::ada();
    world.knows(&ada);
    world.kafka_is_away(true);
    let refused = world.hr().posts(&ada.body("hired").to_string(), &[]).await;
    assert_eq!(refused.status, StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(refused.headers["retry-after"], "5");
    assert_eq!(refused.json["code"], "unavailable");

    world.kafka_is_away(false);
    let mut accepted = false;
    for _ in 0..100 {
        accepted |=
            world.hr().posts(&ada.body("hired").to_string(), &[]).await.status == StatusCode::ACCEPTED;
        if accepted {
            break;
        }
    }
    assert!(accepted, "the producer comes back with the broker");
    world.settle().await;
    assert_eq!(world.user("E100").await["version"], 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn records_that_are_no_events_are_dead_letters_and_stop_nobody() {
    let world = World::new().await;
    let ada = Employee::ada();
    world.knows(&ada);
    let correlation = [("correlation-id", "c-broken"), ("event-id", "evt-broken")];
    world.publishes(Some("E100"), Some(b"{not json"), &correlation).await;
    world.publishes(Some("E100"), Some(b"{\"eventId\":7}"), &[]).await;
    world.publishes(None, Some(&[0xff, 0x00, 0xfe]), &[]).await;
    world.publishes(Some("E100"), None, &[]).await;
    world.hr().hires(&ada).await;
    world.settle().await;

    assert_eq!(world.user("E100").await["version"], 1);
    let mut reasons: Vec<_> = world
        .dead_letters()
        .await
        .iter()
        .map(|letter| letter["reason"].as_str().unwrap().to_owned())
        .collect();
    reasons.sort();
    assert_eq!(reasons, ["invalid", "undecodable", "undecodable", "undecodable"]);
    let request = world.get("/v1/requests/c-broken").await.json;
    assert_eq!(request["status"], "failed", "headers are enough to find the request");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_record_that_the_failed_topic_does_not_take_is_a_letter_without_its_value() {
    let world = World::new().await;
    // More than a producer of ours sends to any topic.
    let value = "x".repeat(16 * 1024 * 1024);
    let record = json!({
        "topic": "user.enrichment.requested", "partition": 0, "offset": 7, "timestamp": 1_700_000_000_000_i64,
        "timestampType": "CREATE_TIME", "key": "RTEwMA==", "value": value, "headers": [],
    });
    let event = json!({"eventSource": "aws:kafka", "records": {"user.enrichment.requested-0": [record]}});
    let answer = world.invokes::<enrichment::Function>(&event).await;
    assert_eq!(answer, json!({"batchItemFailures": []}), "delivered again, it would be as large");
    world.settle().await;
    let id = world.dead_letters().await[0]["id"].clone();
    let letter = world.get(&format!("/v1/dead-letters/{}", id.as_str().unwrap())).await.json;
    assert_eq!(
        (&letter["reason"], &letter["payload"]["key"]["text"]),
        (&json!("undecodable"), &json!("E100"))
    );
    assert_eq!(letter["payload"]["value"], Value::Null);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cache_that_is_away_breaks_nothing() {
    let nobody = vec![("CACHE_URL", "redis://127.0.0.1:1".to_owned())];
    let world = World::with(Setup { vars: nobody, ..Setup::default() }).await;
    let ada = Employee::ada();
    world.knows(&ada);
    world.hr().hires(&ada).await;
    world.settle().await;
    assert_eq!(world.user("E100").await["name"], "Ada Lovelace");
    let health = world.get("/v1/healthz").await;
    assert_eq!((health.status, &health.json["status"]), (StatusCode::OK, &json!("degraded")));
    assert_eq!(health.json["cache"]["status"], "down");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_webhook_whose_brokers_are_away_is_down_until_they_are_back() {
    let world = World::with(Setup { embedded: true, ..Setup::default() }).await;
    let is = |status: &'static str| move |health: &Value| health["status"] == status;
    world.until("/v1/hr/healthz", is("ready")).await;
    world.kafka_is_away(true);
    let health = world.get("/v1/hr/healthz").await;
    assert_eq!((health.status, &health.json["status"]), (StatusCode::SERVICE_UNAVAILABLE, &json!("down")));
    assert_eq!(
        (&health.json["kafka"]["status"], &health.json["keys"]["status"]),
        (&json!("down"), &json!("up"))
    );
    let queries = world.get("/v1/healthz").await;
    assert_eq!(queries.json["status"], "ready", "queries need no brokers");
    world.kafka_is_away(false);
    world.until("/v1/hr/healthz", is("ready")).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_okta_that_serves_nobody_degrades_queries_until_it_serves_somebody() {
    let world = World::new().await;
    for (error_rate, status, okta) in [(1.0, "degraded", "down"), (0.0, "ready", "up")] {
        world.okta().set_behaviour(Behaviour { error_rate, ..Behaviour::default() });
        reason_of_a_hire(&world).await;
        let health = world.get("/v1/healthz").await;
        assert_eq!((health.status, &health.json["status"]), (StatusCode::OK, &json!(status)));
        assert_eq!(health.json["okta"]["status"], okta);
    }
}

/// Each person's letter, without what differs from one world to the next.
async fn letters_of_an_outage(failures: &str) -> (Vec<Value>, u64) {
    let vars =
        [("BREAKER_FAILURES", failures), ("BREAKER_BASE_SECONDS", "600"), ("BREAKER_CAP_SECONDS", "600")];
    let vars = vars.map(|(name, value)| (name, value.to_owned())).to_vec();
    let world = World::with(Setup { vars, ..Setup::default() }).await;
    let people: Vec<_> = (0..40).map(|n| Employee::new(&format!("E{n:02}"), "Robin", "Smith")).collect();
    for person in &people {
        world.knows(person);
        world.okta().fail_look_ups_of(&person.email(), Some(Fault::Status(503)));
    }
    // Whoever is asked for when it opens has had attempts.
    let (first, then) = people.split_at(10);
    for some in [first, then] {
        for person in some {
            world.hr().hires(&person.clone().with("event_id", format!("evt-{}", person.id()))).await;
        }
        world.settle().await;
    }
    for person in &people {
        let user = world.user(person.id()).await;
        assert_eq!((&user["name"], &user["enrichment"]["state"]), (&json!("Robin Smith"), &json!("pending")));
        assert_eq!(user["enrichment"]["reason"], "okta_unavailable");
        assert!(user["enrichment"]["next_attempt"].is_string(), "{user}");
    }
    let mut letters = Vec::new();
    // By the topic's name, too, which beside a real broker is each world's own.
    let mut groups = BTreeSet::new();
    for mut letter in world.dead_letters().await {
        groups.insert(letter.as_object_mut().unwrap().remove("group").unwrap().to_string());
        let time = |name: &str| letter[name].as_str().unwrap().parse::<jiff::Timestamp>().unwrap();
        let wait = time("due_at").duration_since(time("failed_at")).as_secs();
        assert!((47..=73).contains(&wait), "a minute, a fifth more or less: {wait} s");
        for own in
            ["id", "correlation_id", "attempts", "failed_at", "due_at", "parked_at", "origin", "history"]
        {
            letter.as_object_mut().unwrap().remove(own);
        }
        letters.push(letter);
    }
    assert_eq!(groups.len(), 1, "one cause is one group");
    letters.sort_by_key(Value::to_string);
    (letters, world.okta().requests())
}

#[tokio::test(flavor = "multi_thread")]
async fn with_its_breaker_open_okta_is_left_alone_and_the_letters_are_the_same() {
    let (without, requests) = letters_of_an_outage("1000000").await;
    let (with, fewer) = letters_of_an_outage("5").await;
    assert_eq!((without.len(), &without), (40, &with));
    assert!(fewer < requests / 2, "{fewer} of {requests}");
}

#[tokio::test(flavor = "multi_thread")]
async fn who_was_not_asked_for_is_complete_after_the_outage_and_health_says_how_long_it_lasts() {
    let world = World::new().await;
    world.okta_is_away(true);
    let people: Vec<_> = (0..12).map(|n| Employee::new(&format!("E{n}"), "Robin", "Smith")).collect();
    for person in &people {
        world.knows(person);
        world.hr().hires(person).await;
    }
    world.settle().await;
    let health = world.get("/v1/users/healthz").await;
    assert_eq!((health.status, &health.json["status"]), (StatusCode::OK, &json!("degraded")));
    let breaker = &health.json["breakers"][0];
    assert_eq!(breaker["before"], "okta");
    assert!(breaker["since"].is_string() && breaker["state"].is_string(), "{breaker}");

    world.okta_is_away(false);
    // Who meets the probe is tried again with the next wait.
    for wait in [2, 7, 40] {
        world.passes(Duration::from_mins(wait));
        world.tick("dlq-reprocessor").await;
        world.settle().await;
    }
    for person in &people {
        assert_eq!(world.user(person.id()).await["enrichment"]["state"], "complete");
    }
    let health = world.get("/v1/users/healthz").await.json;
    assert_eq!((&health["status"], &health["breakers"]), (&json!("ready"), &Value::Null));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_webhook_without_its_table_of_keys_is_degraded() {
    let nowhere = vec![("IDEMPOTENCY_TABLE", "nowhere".to_owned())];
    let world = World::with(Setup { vars: nowhere, ..Setup::default() }).await;
    let health = world.get("/v1/hr/healthz").await;
    assert_eq!((health.status, &health.json["status"]), (StatusCode::OK, &json!("degraded")));
    assert_eq!(
        (&health.json["kafka"]["status"], &health.json["keys"]["status"]),
        (&json!("up"), &json!("down"))
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn it_ends_within_seconds_when_the_broker_has_gone() {
    let world = World::with(Setup { embedded: true, ..Setup::default() }).await;
    world.hr().hires(&Employee::ada()).await;
    // There is an offset to commit.
    world.settle().await;
    let took = world.stop_without_broker().await;
    assert!(took < Duration::from_secs(15), "{took:?}");
}

//! An event that is sent again is taken once: by its `Idempotency-Key` at the door, and by its `event_id` behind it.

use std::net::TcpListener;

use futures_util::future::join_all;
use jiff::{SignedDuration, Timestamp};
use lambda::Function as _;
use lambda_http::{Body, Response};
use reqwest::{Method, StatusCode};
use runtime::{Clock, Vars};
use serde_json::{Value, json};
use testkit::{Answer, Employee, Setup, World};

const DAY: SignedDuration = SignedDuration::from_hours(24);

/// Whose memory may take as long as a busy machine needs.
fn patient() -> Setup {
    Setup { vars: vec![("IDEMPOTENCY_TIMEOUT_SECONDS", "30".to_owned())], ..Setup::default() }
}

async fn with_ada(setup: Setup) -> (World, String) {
    let world = World::with(setup).await;
    world.knows(&Employee::ada());
    (world, Employee::ada().body("hired").to_string())
}

async fn posts(world: &World, body: &str, key: &str, correlation_id: &str) -> Answer {
    world.hr().posts(body, &[("idempotency-key", key), ("x-correlation-id", correlation_id)]).await
}

fn is_replayed(answer: &Answer) -> bool {
    answer.headers.get("idempotency-replayed").is_some_and(|value| value == "true")
}

#[track_caller]
fn assert_fresh(answer: &Answer) {
    assert_eq!((answer.status, is_replayed(answer)), (StatusCode::ACCEPTED, false), "{answer:?}");
}

#[track_caller]
fn assert_problem(answer: &Answer, status: u16, code: &str) {
    assert_eq!((answer.status.as_u16(), &answer.json["code"]), (status, &json!(code)), "{answer:?}");
    assert_eq!(answer.headers["content-type"], "application/problem+json");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_repeat_gets_the_first_answer_and_puts_nothing_on_the_topic() {
    let (world, hire) = with_ada(patient()).await;
    let first = posts(&world, &hire, "\"key-1\"", "c-first").await;
    assert_fresh(&first);
    for (key, id) in [("\"key-1\"", "c-second"), ("key-1", "c-third")] {
        let again = posts(&world, &hire, key, id).await;
        assert_eq!((again.status, is_replayed(&again)), (StatusCode::ACCEPTED, true));
        assert_eq!(again.json, first.json);
        assert_eq!(again.headers["x-correlation-id"], "c-first", "the header and the body agree");
    }
    world.settle().await;
    assert_eq!(world.user("E100").await["version"], 1);
    assert_eq!(world.request(&first).await["status"], "enriched");
    for id in ["c-second", "c-third"] {
        assert_eq!(world.get(&format!("/v1/requests/{id}")).await.status, StatusCode::NOT_FOUND, "{id}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_that_comes_with_another_body_is_refused() {
    let (world, hire) = with_ada(patient()).await;
    assert_fresh(&posts(&world, &hire, "key-1", "c-1").await);
    let update = Employee::ada().with("title", "Director").body("updated").to_string();
    let refused = posts(&world, &update, "key-1", "c-2").await;
    assert_problem(&refused, 422, "idempotency_key_reused");
    assert_fresh(&posts(&world, &update, "key-2", "c-3").await);
    world.settle().await;
    assert_eq!(world.user("E100").await["version"], 2);
    assert_eq!(world.get("/v1/requests/c-2").await.status, StatusCode::NOT_FOUND);
}

#[tokio::test(flavor = "multi_thread")]
async fn of_many_deliveries_at_once_one_is_taken() {
    const MANY: usize = 8;
    let (world, hire) = with_ada(patient()).await;
    let ids: Vec<_> = (0..MANY).map(|n| format!("c-{n}")).collect();
    let answers = join_all(ids.iter().map(|id| posts(&world, &hire, "key-1", id))).await;
    let fresh: Vec<_> = answers
        .iter()
        .filter(|answer| answer.status == StatusCode::ACCEPTED && !is_replayed(answer))
        .collect();
    assert_eq!(fresh.len(), 1, "{answers:?}");
    for answer in &answers {
        match answer.status.as_u16() {
            202 => assert_eq!(answer.json, fresh[0].json),
            _ => assert_problem(answer, 409, "idempotency_key_in_flight"),
        }
    }
    world.settle().await;
    let mut on_the_topic = Vec::new();
    for id in &ids {
        if world.get(&format!("/v1/requests/{id}")).await.status == StatusCode::OK {
            on_the_topic.push(id.as_str());
        }
    }
    assert_eq!(on_the_topic, [fresh[0].json["correlation_id"].as_str().unwrap()]);
    assert_eq!(world.user("E100").await["version"], 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn while_the_brokers_take_their_time_a_second_delivery_is_told_to_wait() {
    let mut setup = Setup { embedded: true, ..patient() };
    setup.vars.push(("KAFKA_ACK_TIMEOUT_SECONDS", "9".to_owned()));
    let (world, hire) = with_ada(setup).await;
    world.kafka_is_away(true);
    let (one, other) = (posts(&world, &hire, "key-1", "c-1"), posts(&world, &hire, "key-1", "c-2"));
    tokio::pin!(one, other);
    let (waits, first) = tokio::select! {
        waits = &mut one => (waits, other),
        waits = &mut other => (waits, one),
    };
    assert_problem(&waits, 409, "idempotency_key_in_flight");
    assert_eq!(waits.headers["retry-after"], "1");
    world.kafka_is_away(false);
    let first = first.await;
    assert_fresh(&first);
    assert_eq!(posts(&world, &hire, "key-1", "c-3").await.json, first.json, "the wait is over");
    world.settle().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_event_that_the_brokers_did_not_take_may_be_sent_again_under_its_key() {
    let mut setup = Setup { embedded: true, ..patient() };
    setup.vars.push(("KAFKA_ACK_TIMEOUT_SECONDS", "0.5".to_owned()));
    let (world, hire) = with_ada(setup).await;
    world.kafka_is_away(true);
    assert_problem(&posts(&world, &hire, "key-1", "c-1").await, 503, "unavailable");
    world.kafka_is_away(false);
    let mut answer = posts(&world, &hire, "key-1", "c-2").await;
    for _ in 0..100 {
        if answer.status != StatusCode::SERVICE_UNAVAILABLE {
            break;
        }
        answer = posts(&world, &hire, "key-1", "c-2").await;
    }
    assert_fresh(&answer);
    world.settle().await;
    assert_eq!(world.user("E100").await["version"], 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_body_does_not_use_its_key_up() {
    let (world, hire) = with_ada(patient()).await;
    assert_problem(&posts(&world, "{}", "key-1", "c-1").await, 422, "invalid_fields");
    assert_problem(&posts(&world, "{", "key-1", "c-2").await, 400, "malformed_json");
    assert_fresh(&posts(&world, &hire, "key-1", "c-3").await);
    world.settle().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_malformed_key_is_refused_by_name() {
    let (world, hire) = with_ada(Setup::default()).await;
    for key in ["", "a b", "\"open", &"k".repeat(256)] {
        let refused = posts(&world, &hire, key, "c-1").await;
        assert_problem(&refused, 400, "idempotency_key_malformed");
        assert!(refused.json["detail"].as_str().unwrap().contains("Idempotency-Key"), "{refused:?}");
    }
    let twice = world.hr().posts(&hire, &[("idempotency-key", "key-1"), ("idempotency-key", "key-2")]).await;
    assert_problem(&twice, 400, "idempotency_key_malformed");
    world.settle().await;
    assert_eq!(world.user("E100").await, Value::Null);
}

#[tokio::test(flavor = "multi_thread")]
async fn each_caller_has_keys_of_its_own() {
    let mut setup = patient();
    setup.vars.push(("API_KEY", "one,two".to_owned()));
    let (world, hire) = with_ada(setup).await;
    let bob = Employee::new("E200", "Bob", "Babbage");
    world.knows(&bob);
    for (caller, body) in [("one", hire), ("two", bob.body("hired").to_string())] {
        let headers = [("idempotency-key", "1"), ("x-api-key", caller)];
        assert_fresh(&world.hr().posts(&body, &headers).await);
        assert!(is_replayed(&world.hr().posts(&body, &headers).await));
    }
    world.settle().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn two_callers_with_one_key_and_body_bring_two_events() {
    for table in [None, Some(("IDEMPOTENCY_TABLE", "nowhere".to_owned()))] {
        let mut setup = patient();
        setup.vars.push(("API_KEY", "one,two".to_owned()));
        setup.vars.extend(table);
        let (world, hire) = with_ada(setup).await;
        for caller in ["one", "two"] {
            let headers = [("idempotency-key", "1"), ("x-api-key", caller)];
            assert_fresh(&world.hr().posts(&hire, &headers).await);
            world.settle().await;
        }
        let history = world.call(Method::GET, "/v1/users/E100/history", &[("x-api-key", "one")], None).await;
        let events = history.json["history"].as_array().map(Vec::len);
        assert_eq!(events, Some(2), "neither is taken for the other: {history:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn after_a_day_a_key_is_new_and_so_is_its_event() {
    let folder = tempfile::tempdir().unwrap();
    let on = |at: Timestamp| Setup { data_dir: Some(folder.path().to_owned()), at: Some(at), ..patient() };
    let began = Clock::system().now();

    let (world, hire) = with_ada(on(began)).await;
    let first = posts(&world, &hire, "key-1", "c-1").await;
    assert_fresh(&first);
    world.settle().await;
    world.stop().await;

    let (world, hire) = with_ada(on(began + DAY - SignedDuration::from_secs(1))).await;
    let again = posts(&world, &hire, "key-1", "c-2").await;
    assert_eq!((is_replayed(&again), again.json), (true, first.json));
    world.settle().await;
    world.stop().await;

    let (world, hire) = with_ada(on(began + DAY)).await;
    let tomorrow = posts(&world, &hire, "key-1", "c-3").await;
    assert_fresh(&tomorrow);
    world.settle().await;
    assert_another_event(&world, &tomorrow, "c-1").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn without_its_table_too_a_key_names_a_new_event_after_a_day() {
    let vars = vec![("IDEMPOTENCY_TABLE", "nowhere".to_owned())];
    let (world, hire) = with_ada(Setup { vars, ..Setup::default() }).await;
    assert_fresh(&posts(&world, &hire, "key-1", "c-1").await);
    world.settle().await;
    world.passes(DAY.unsigned_abs());
    let tomorrow = posts(&world, &hire, "key-1", "c-2").await;
    assert_fresh(&tomorrow);
    world.settle().await;
    assert_another_event(&world, &tomorrow, "c-1").await;
}

/// It was applied, though it says what was known.
async fn assert_another_event(world: &World, accepted: &Answer, first: &str) {
    let event = world.request(accepted).await["events"][0].clone();
    assert_eq!(event["outcome"], "nothing_new");
    let before = world.get(&format!("/v1/requests/{first}")).await.json["events"][0].clone();
    assert_ne!(event["event_id"], before["event_id"]);
    let history = world.get("/v1/users/E100/history").await.json["history"].clone();
    assert_eq!(history.as_array().map(Vec::len), Some(2));
}

#[tokio::test(flavor = "multi_thread")]
async fn without_its_table_a_keyed_event_is_taken_each_time_and_applied_once() {
    let vars = vec![("IDEMPOTENCY_TABLE", "nowhere".to_owned())];
    let (world, hire) = with_ada(Setup { vars, ..Setup::default() }).await;
    assert_fresh(&posts(&world, &hire, "key-1", "c-1").await);
    world.settle().await;
    let again = posts(&world, &hire, "key-1", "c-2").await;
    assert_fresh(&again);
    world.settle().await;
    assert_eq!(world.request(&again).await["events"][0]["outcome"], "nothing_new");
    assert_eq!(world.user("E100").await["version"], 1);

    let update = Employee::ada().with("title", "Director").body("updated").to_string();
    assert_fresh(&posts(&world, &update, "key-1", "c-3").await);
    world.settle().await;
    assert_eq!(
        world.user("E100").await["title"],
        "Director",
        "another body is another event: nothing is lost"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn two_deliveries_of_one_event_id_have_the_effect_of_one() {
    let world = World::new().await;
    let ada = Employee::ada().with("event_id", "hr-1");
    world.knows(&ada);
    let (first, second) = (world.hr().hires(&ada).await, world.hr().hires(&ada).await);
    assert!(!is_replayed(&second));
    assert_ne!(first.json, second.json);
    world.settle().await;
    assert_eq!(world.user("E100").await["version"], 1);
    for (receipt, outcome) in [(first, "changed"), (second, "nothing_new")] {
        assert_eq!(world.request(&receipt).await["events"][0]["outcome"], outcome);
    }
}

/// A webhook function of its own, with the world's brokers.
struct Webhook(hr_webhook::Function);

impl Webhook {
    fn start(vars: &Vars) -> Self {
        Self(hr_webhook::Function::from_vars(vars, Clock::system()).unwrap())
    }

    async fn posts(&self, body: &str, key: Option<&str>) -> Response<Body> {
        let sample = include_str!("../../../events/hr-webhook/new-hire.json");
        let mut event: Value = serde_json::from_str(sample).unwrap();
        event["body"] = body.into();
        if let Some(key) = key {
            event["headers"]["idempotency-key"] = key.into();
        }
        self.0.handle(lambda_http::request::from_str(&event.to_string()).unwrap()).await
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_webhook_that_has_no_table_ignores_the_header() {
    let (world, hire) = with_ada(Setup::default()).await;
    let webhook = Webhook::start(&world.vars_of("hr-webhook").with("IDEMPOTENCY_TABLE", ""));
    for _ in 0..2 {
        let answer = webhook.posts(&hire, Some("key-1")).await;
        assert_eq!(answer.status().as_u16(), 202);
        assert!(!answer.headers().contains_key("idempotency-replayed"));
    }
    world.settle().await;
    assert_eq!(world.user("E100").await["version"], 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn without_the_header_no_table_is_asked_and_a_silent_one_holds_nobody_up() {
    let (world, hire) = with_ada(Setup::default()).await;
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    silent.set_nonblocking(true).unwrap();
    let vars = world
        .vars_of("hr-webhook")
        .with("AWS_ENDPOINT_URL_DYNAMODB", format!("http://{}", silent.local_addr().unwrap()))
        .with("IDEMPOTENCY_TIMEOUT_SECONDS", "0.05");
    let webhook = Webhook::start(&vars);
    assert_eq!(webhook.posts(&hire, None).await.status().as_u16(), 202);
    assert!(silent.accept().is_err(), "nobody has connected");
    assert_eq!(webhook.posts(&hire, Some("key-1")).await.status().as_u16(), 202);
    assert!(silent.accept().is_ok(), "this time it was asked");
    world.settle().await;
}

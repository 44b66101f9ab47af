//! The built functions as Lambda would start them: each `bootstrap` is a process that asks the Lambda Runtime API for its
//! next event, here that of cargo-lambda's emulator. `make test-lambda` builds them and runs this, against a real broker,
//! real tables and Secrets Manager.

#![expect(clippy::unwrap_used, reason = "a test that can't go on has failed")]

mod emulator;
mod permissions;
mod real;
mod tls;
mod variables;

use std::time::{Duration, Instant};

use runtime::Vars;
use serde_json::{Value, json};
use testkit::{Employee, World};

use emulator::{Emulator, samples};

/// As the template has them.
const FUNCTIONS: [&str; 7] =
    ["hr-webhook", "enrichment", "user-query", "dlq-reprocessor", "dead-letters", "canary", "pre-traffic"];

/// Those that a world has. What sees whether they work is tried from outside: `scenarios/canary.rs`, `scenarios/pre_traffic.rs`.
const SERVING: [&str; 5] = ["hr-webhook", "enrichment", "user-query", "dlq-reprocessor", "dead-letters"];

/// What a sample's name promises of its answer.
fn is_as_named(function: &str, sample: &str, answer: &Value) -> bool {
    let expected = match (function, sample) {
        ("enrichment" | "dlq-reprocessor", _) => return answer == &json!({"batchItemFailures": []}),
        ("hr-webhook", "malformed") => 400,
        ("hr-webhook", "invalid-fields") => 422,
        ("hr-webhook", "healthz") => 200,
        ("hr-webhook", _) => 202,
        (_, "unknown-route" | "letter") => 404,
        _ => 200,
    };
    answer["statusCode"] == expected
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs the built functions: make test-lambda"]
async fn every_sample_event_is_answered_cold_and_warm() {
    let (world, emulator) = (World::new().await, Emulator::start().await);
    // Whom the samples are about.
    let ingrid = Employee::new("ingrid.lindqvist", "Ingrid", "Lindqvist");
    world.knows(&ingrid);
    for function in SERVING {
        let _process = emulator.bootstrap(function, &world.vars_of(function));
        for (sample, event) in samples(function) {
            for start in ["cold or warm", "warm"] {
                let (status, answer) = emulator.invoke(function, &event).await;
                assert!(
                    status == 200 && is_as_named(function, &sample, &answer),
                    "{function}/{sample}, {start}: {status} {answer}"
                );
            }
        }
        // What reads comes after what writes.
        world.settle().await;
    }
    assert_eq!(world.user("E1001").await["name"], "Ingrid Lindqvist", "the webhook's samples arrived");
    assert!(!world.dead_letters().await.is_empty(), "the sample of the unknown person is one");
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs the built functions: make test-lambda"]
async fn a_malformed_event_is_a_typed_error_and_the_process_goes_on() {
    let (world, emulator) = (World::new().await, Emulator::start().await);
    for function in SERVING {
        let mut process = emulator.bootstrap(function, &world.vars_of(function));
        for event in [r#"{"nonsense":1}"#, "[]", "7"] {
            let (status, answer) = emulator.invoke(function, event).await;
            assert_eq!(status, 500, "{function}: {event}: {answer}");
            for field in ["errorType", "errorMessage"] {
                assert!(answer[field].is_string(), "{function}: {event}: {answer}");
            }
        }
        let (sample, event) = samples(function).remove(0);
        let (_, answer) = emulator.invoke(function, &event).await;
        assert!(is_as_named(function, &sample, &answer), "{function}/{sample}: {answer}");
        assert!(process.is_running(), "{function}");
    }
    world.settle().await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs the built functions: make test-lambda"]
async fn a_missing_variable_stops_the_start_with_one_sentence_that_names_it() {
    let (world, emulator) = (World::new().await, Emulator::start().await);
    for (function, needed) in [
        ("hr-webhook", vec!["KAFKA_BOOTSTRAP_SERVERS", "AWS_REGION", "AWS_LAMBDA_RUNTIME_API"]),
        ("enrichment", vec!["USERS_TABLE", "OKTA_ORG_URL", "OKTA_API_TOKEN", "KAFKA_BOOTSTRAP_SERVERS"]),
        ("user-query", vec!["REQUESTS_TABLE", "CURSOR_KEY"]),
        ("dlq-reprocessor", vec!["DEAD_LETTERS_TABLE", "REQUESTS_TABLE"]),
        ("dead-letters", vec!["DEAD_LETTERS_TABLE", "CURSOR_KEY"]),
    ] {
        for name in needed {
            let said = emulator.fails(function, &world.vars_of(function), name);
            assert!(said.starts_with(&format!("{name} is not set: expected ")), "{function}: {said}");
            assert_eq!(said.lines().count(), 1, "{function}: {said}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs the built functions: make test-lambda"]
async fn without_a_key_an_http_function_does_not_start() {
    let (world, emulator) = (World::new().await, Emulator::start().await);
    for (function, keys) in
        [("hr-webhook", "API_KEY"), ("user-query", "API_KEY"), ("dead-letters", "ADMIN_KEY or API_KEY")]
    {
        let said = emulator.fails(function, &world.vars_of(function), "AUTH");
        assert!(said.starts_with(&format!("{keys} is not set: expected ")), "{function}: {said}");
        assert_eq!(said.lines().count(), 1, "{function}: {said}");
    }
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs the built functions: make test-lambda"]
async fn a_function_that_is_told_to_end_does_so_within_half_a_second() {
    let (world, emulator) = (World::new().await, Emulator::start().await);
    for function in SERVING {
        let mut process = emulator.bootstrap(function, &world.vars_of(function));
        let (_, event) = samples(function).remove(0);
        emulator.invoke(function, &event).await;
        let began = Instant::now();
        process.terminate();
        // Lambda kills it then.
        assert!(began.elapsed() < Duration::from_millis(500), "{function} took {:?}", began.elapsed());
    }
    world.settle().await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs the built functions: make test-lambda"]
async fn without_its_brokers_the_built_webhook_accepts_nothing() {
    let (world, emulator) = (World::new().await, Emulator::start().await);
    let away =
        Vars::from_iter([("KAFKA_BOOTSTRAP_SERVERS", "127.0.0.1:1"), ("KAFKA_ACK_TIMEOUT_SECONDS", "0.3")]);
    let mut vars = world.vars_of("hr-webhook");
    vars.overlay(&away);
    let _process = emulator.bootstrap("hr-webhook", &vars);
    let (_, event) = samples("hr-webhook").into_iter().find(|(name, _)| name == "new-hire").unwrap();
    let (_, answer) = emulator.invoke("hr-webhook", &event).await;
    assert_eq!(answer["statusCode"], 503, "{answer}");
}

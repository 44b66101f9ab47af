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
use scenarios::{functions, sample, samples};
use testkit::{Employee, World};

use emulator::Emulator;

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs the built functions: make test-lambda"]
async fn every_sample_event_is_answered_cold_and_warm() {
    let (world, emulator) = (World::new().await, Emulator::start().await);
    // Whom the samples are about.
    let ingrid = Employee::new("ingrid.lindqvist", "Ingrid", "Lindqvist");
    world.knows(&ingrid);
    for function in functions() {
        let function = function.name.as_str();
        let _process = emulator.bootstrap(function, &world.vars_of(function));
        for sample in samples(function) {
            for start in ["cold or warm", "warm"] {
                let (status, answer) = emulator.invoke(function, &sample.event).await;
                assert!(
                    status == 200 && sample.is_answered_by(&answer),
                    "{function}/{}, {start}: {status} {answer}",
                    sample.name
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
    for function in functions() {
        let function = function.name.as_str();
        let mut process = emulator.bootstrap(function, &world.vars_of(function));
        for event in [r#"{"nonsense":1}"#, "[]", "7"] {
            let (status, answer) = emulator.invoke(function, event).await;
            assert_eq!(status, 500, "{function}: {event}: {answer}");
            for field in ["errorType", "errorMessage"] {
                assert!(answer[field].is_string(), "{function}: {event}: {answer}");
            }
        }
        let sample = samples(function).remove(0);
        let (_, answer) = emulator.invoke(function, &sample.event).await;
        assert!(sample.is_answered_by(&answer), "{function}/{}: {answer}", sample.name);
        assert!(process.is_running(), "{function}");
    }
    world.settle().await;
}

/// No function that is given one of these does without it.
const NEEDED: [&str; 9] = [
    "AWS_LAMBDA_RUNTIME_API",
    "AWS_REGION",
    "CURSOR_KEY",
    "DEAD_LETTERS_TABLE",
    "KAFKA_BOOTSTRAP_SERVERS",
    "OKTA_API_TOKEN",
    "OKTA_ORG_URL",
    "REQUESTS_TABLE",
    "USERS_TABLE",
];

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs the built functions: make test-lambda"]
async fn a_missing_variable_stops_the_start_with_one_sentence_that_names_it() {
    let (world, emulator) = (World::new().await, Emulator::start().await);
    for function in functions() {
        let function = function.name.as_str();
        let given = variables::environment(function);
        let is_given = |name: &str| {
            name.starts_with("AWS_") || given.contains(name) || given.contains(&format!("{name}_SECRET_ID"))
        };
        for name in NEEDED.into_iter().filter(|name| is_given(name)) {
            let said = emulator.fails(function, &world.vars_of(function), name).await;
            assert!(said.starts_with(&format!("{name} is not set: expected ")), "{function}: {said}");
            assert_eq!(said.lines().count(), 1, "{function}: {said}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs the built functions: make test-lambda"]
async fn without_its_key_no_function_starts() {
    let (world, emulator) = (World::new().await, Emulator::start().await);
    for function in functions() {
        let function = function.name.as_str();
        // Whoever lets callers in lets administrators in.
        if !variables::environment(function).contains("ADMIN_KEY_SECRET_ID") {
            continue;
        }
        let said = emulator.fails(function, &world.vars_of(function), "AUTH").await;
        assert!(said.contains("API_KEY is not set: expected "), "{function}: {said}");
        assert_eq!(said.lines().count(), 1, "{function}: {said}");
    }
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs the built functions: make test-lambda"]
async fn a_function_that_is_told_to_end_does_so_within_half_a_second() {
    let (world, emulator) = (World::new().await, Emulator::start().await);
    for function in functions() {
        let function = function.name.as_str();
        let mut process = emulator.bootstrap(function, &world.vars_of(function));
        emulator.invoke(function, &samples(function)[0].event).await;
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
    let (_, answer) = emulator.invoke("hr-webhook", &sample("hr-webhook", "new-hire")).await;
    assert_eq!(answer["statusCode"], 503, "{answer}");
}

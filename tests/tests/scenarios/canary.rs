//! The canary's event goes the whole way, each time; and what keeps it from that is said.

use std::time::Duration;

use canary::{Complete, Function};
use lambda::Function as _;
use okta::fake::Behaviour;
use runtime::{Clock, Vars, telemetry};
use testkit::{Employee, Setup, World};

const EMAIL: &str = "joiner.canary@acme.example";

/// With an account in Okta for the canary.
async fn world(vars: Vec<(&'static str, String)>) -> World {
    let world = World::with(Setup { vars, ..Setup::default() }).await;
    world.knows(&Employee::new("joiner-canary", "Joiner", "Canary").with("email", EMAIL));
    world
}

/// Runs it once. What it fails with is the whole of its `error`.
async fn fly(world: &World, vars: &[(&str, &str)]) -> Result<Complete, String> {
    let mut all = Vars::from_iter([("AWS_REGION", "us-east-1"), ("AWS_ACCESS_KEY_ID", "local")])
        .with("AWS_SECRET_ACCESS_KEY", "local")
        .with("CANARY_URL", world.url())
        .with("CANARY_EMAIL", EMAIL);
    all.extend(vars.iter().copied());
    let function = Function::from_vars(&all, Clock::system()).unwrap();
    function.run().await.map_err(|error| telemetry::chain(&error))
}

#[tokio::test(flavor = "multi_thread")]
async fn every_flight_asks_okta_and_makes_a_new_version_of_the_canary() {
    let world = world(vec![]).await;
    for version in 1..=3 {
        let asked = world.okta().requests();
        let flown = fly(&world, &[]).await.unwrap();
        assert!(flown.accepted_ms <= flown.complete_ms, "{flown:?}");
        assert!(world.okta().requests() > asked, "flight {version}");
        let canary = world.user("joiner-canary").await;
        assert_eq!(canary["version"], version, "{canary}");
        assert_eq!(canary["correlationId"], flown.correlation_id.as_str(), "{canary}");
        assert_eq!(canary["enrichment"]["state"], "complete", "{canary}");
    }
    let history = world.history("joiner-canary").await;
    let titles: Vec<_> = history.iter().map(|item| item["changes"].to_string()).collect();
    assert!(titles.iter().all(|title| title.contains("Probe of 20")), "{titles:?}");
    world.settle().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_canary_that_was_forgotten_or_has_left_flies_again() {
    let world = world(vec![]).await;
    fly(&world, &[]).await.unwrap();
    world.hr().terminates(&Employee::of("joiner-canary")).await;
    world.settle().await;
    fly(&world, &[]).await.unwrap();
    world.hr().forgets("joiner-canary").await;
    world.settle().await;
    fly(&world, &[]).await.unwrap();
    assert_eq!(world.user("joiner-canary").await["onboarded"], true);
    world.settle().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn where_the_key_is_refused_the_webhook_is_the_step_that_fails() {
    let world = world(vec![("API_KEY", "right-key".to_owned())]).await;
    let refused = fly(&world, &[("API_KEY", "wrong-key")]).await.unwrap_err();
    assert!(refused.starts_with("the event was not accepted: the answer is 403 Forbidden"), "{refused}");
    assert!(!refused.contains("wrong-key"), "{refused}");
    fly(&world, &[("API_KEY", "right-key")]).await.unwrap();
    world.settle().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn without_brokers_nothing_is_accepted() {
    let world = World::with(Setup {
        vars: vec![("KAFKA_ACK_TIMEOUT_SECONDS", "0.3".to_owned())],
        embedded: true,
        ..Setup::default()
    })
    .await;
    world.kafka_is_away(true);
    let refused = fly(&world, &[]).await.unwrap_err();
    assert!(refused.starts_with("the event was not accepted: the answer is 503"), "{refused}");
    world.kafka_is_away(false);
}

#[tokio::test(flavor = "multi_thread")]
async fn without_an_account_in_okta_the_event_is_a_dead_letter() {
    let world = world(vec![]).await;
    let failed = fly(&world, &[("CANARY_EMAIL", "nobody@acme.example")]).await.unwrap_err();
    assert!(failed.starts_with("the event is a dead letter (user_not_found)"), "{failed}");
    world.settle().await;
    assert_eq!(world.dead_letters().await.len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn with_a_slow_okta_the_event_is_late() {
    let world = world(vec![]).await;
    world.okta().set_behaviour(Behaviour { latency: Duration::from_secs(5), ..Behaviour::default() });
    let late = fly(&world, &[("CANARY_WITHIN_SECONDS", "1")]).await.unwrap_err();
    assert!(late.starts_with("the person is not complete after 1s: "), "{late}");
    world.okta().set_behaviour(Behaviour::default());
    world.settle().await;
}

#[test]
fn a_canary_that_could_not_fly_does_not_start() {
    let vars = || {
        Vars::from_iter([("AWS_REGION", "us-east-1"), ("AWS_ACCESS_KEY_ID", "local")])
            .with("AWS_SECRET_ACCESS_KEY", "local")
            .with("CANARY_URL", "https://api.joiner.example")
            .with("CANARY_EMAIL", EMAIL)
    };
    assert!(Function::from_vars(&vars(), Clock::system()).is_ok());
    for (name, wrong) in [
        ("CANARY_URL", ""),
        ("CANARY_URL", "api.joiner.example"),
        ("CANARY_URL", "http://api.joiner.example"),
        ("CANARY_EMAIL", "nobody"),
        ("CANARY_WITHIN_SECONDS", "soon"),
    ] {
        let error = Function::from_vars(&vars().with(name, wrong), Clock::system()).unwrap_err();
        assert_eq!(error.name, name, "{wrong:?}");
    }
}

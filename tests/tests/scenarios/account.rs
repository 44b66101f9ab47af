//! An Okta account is one person's, whoever has its address: at once, one after the other, or back again.

use std::time::Duration;

use okta::fake::Behaviour;
use serde_json::{Value, json};
use testkit::{Employee, World};

/// State and reason, and what is shown of an account.
fn shown(user: &Value) -> Value {
    let enrichment = &user["enrichment"];
    json!([enrichment["state"], enrichment["reason"], user["oktaId"], user["groups"], user["onboarded"]])
}

fn assert_waits_without_an_account(user: &Value) {
    assert_eq!(shown(user), json!(["pending", "email_taken", null, [], false]), "{user}");
}

/// One of the two has the account. Returns who, and who waits.
async fn one_of<'a>(world: &World, [one, other]: [&'a Employee; 2]) -> [&'a Employee; 2] {
    let has_it = world.user(one.id()).await["oktaId"] != Value::Null;
    let [holder, waiting] = if has_it { [one, other] } else { [other, one] };
    let user = world.user(holder.id()).await;
    assert_eq!(
        (&user["enrichment"]["state"], &user["onboarded"]),
        (&json!("complete"), &json!(true)),
        "{user}"
    );
    assert_waits_without_an_account(&world.user(waiting.id()).await);
    [holder, waiting]
}

pub(crate) async fn of_two_who_are_hired_at_once_one_has_the_account(world: &World, prefix: &str) {
    let ada = Employee::new(&format!("{prefix}-1"), "Ada", "Lovelace")
        .with("email", format!("{prefix}@acme.example"));
    let grace = Employee::new(&format!("{prefix}-2"), "Grace", "Hopper").with("email", ada.email());
    world.knows(&ada);
    // Long enough that HR's part is written first.
    world.okta().set_behaviour(Behaviour { latency: Duration::from_millis(1500), ..Behaviour::default() });
    let hr = world.hr();
    tokio::join!(hr.hires(&ada), hr.hires(&grace));
    world.settle().await;
    let [holder, waiting] = one_of(world, [&ada, &grace]).await;
    world.okta().set_behaviour(Behaviour::default());
    for employee in [holder, waiting] {
        world.hr().updates(&Employee::of(employee.id()).with("title", "Countess")).await;
        world.settle().await;
        assert_eq!(one_of(world, [&ada, &grace]).await[0].id(), holder.id(), "an update moves nothing");
    }

    // Who has left lets go of it.
    world.hr().terminates(&Employee::of(holder.id())).await;
    world.settle().await;
    world.hr().updates(&Employee::of(waiting.id()).with("title", "Admiral")).await;
    world.settle().await;
    assert_eq!(world.user(waiting.id()).await["enrichment"]["state"], "complete");
}

pub(crate) async fn who_comes_back_does_not_take_the_account_of_whoever_has_it_now(
    world: &World,
    prefix: &str,
) {
    let ada = Employee::new(&format!("{prefix}-1"), "Ada", "Lovelace")
        .with("email", format!("{prefix}@acme.example"));
    let grace = Employee::new(&format!("{prefix}-2"), "Grace", "Hopper").with("email", ada.email());
    let mut account = ada.in_okta();
    account.groups.push("Engines".to_owned());
    world.okta().add(account);
    world.hr().hires(&ada).await;
    world.settle().await;
    world.hr().terminates(&Employee::of(ada.id())).await;
    world.settle().await;
    let left = world.user(ada.id()).await;
    assert_ne!(left["oktaId"], Value::Null, "what was the account of somebody who left is still shown");
    world.hr().hires(&grace).await;
    world.settle().await;

    world.hr().updates(&Employee::of(ada.id()).with("status", "Active")).await;
    world.settle().await;
    assert_waits_without_an_account(&world.user(ada.id()).await);
    world.hr().updates(&Employee::of(grace.id()).with("title", "Admiral")).await;
    world.settle().await;
    let grace_now = world.user(grace.id()).await;
    assert_eq!(grace_now["enrichment"]["state"], "complete", "{grace_now}");
    assert_eq!((&grace_now["oktaId"], &grace_now["onboarded"]), (&left["oktaId"], &json!(true)));

    world.hr().forgets(grace.id()).await;
    world.settle().await;
    world.hr().updates(&Employee::of(ada.id()).with("title", "Countess")).await;
    world.settle().await;
    let back = world.user(ada.id()).await;
    assert_eq!((&back["enrichment"]["state"], &back["oktaId"]), (&json!("complete"), &left["oktaId"]));
}

#[tokio::test(flavor = "multi_thread")]
async fn two_hires_at_once() {
    of_two_who_are_hired_at_once_one_has_the_account(&World::new().await, "account-1").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_leaver_who_comes_back() {
    who_comes_back_does_not_take_the_account_of_whoever_has_it_now(&World::new().await, "account-2").await;
}

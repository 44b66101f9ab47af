//! The main path with Redis as the only store of users, and as the cache.

use serde_json::json;
use testkit::{Employee, Setup, World};

use crate::{account, forget, history, ids, waiting};

fn redis() -> Setup {
    #[expect(clippy::disallowed_methods, reason = "a test has no main that could read it")]
    let url = std::env::var("TEST_REDIS_URL").expect("TEST_REDIS_URL names a Redis: run `make test-real`");
    let vars =
        vec![("STORAGE_BACKEND", "redis".to_owned()), ("STORAGE_URL", url.clone()), ("CACHE_URL", url)];
    Setup { vars, ..Setup::default() }
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs Redis: make test-real"]
async fn users_live_in_redis_alone() {
    let world = World::with(redis()).await;
    let ada = Employee::new("REDIS-1", "Ada", "Lovelace").with("title", "Analyst");
    world.knows(&ada);
    let receipt = world.hr().hires(&ada).await;
    world.settle().await;
    assert_eq!(world.user("REDIS-1").await["title"], "Analyst");
    world.hr().updates(&ada.with("title", "Programmer")).await;
    world.settle().await;
    let user = world.user("REDIS-1").await;
    assert_eq!((&user["title"], &user["version"]), (&json!("Programmer"), &json!(2)), "not from the cache");
    assert_eq!(world.request(&receipt).await["status"], "enriched");
    let health = world.get("/v1/healthz").await.json;
    assert_eq!((&health["store"]["status"], &health["cache"]["status"]), (&json!("up"), &json!("up")));
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs Redis: make test-real"]
async fn whom_okta_does_not_know_is_there_and_completes_in_redis() {
    let world = World::with(redis()).await;
    waiting::what_hr_says_of_whom_okta_does_not_know_is_there_and_completes(&world, "REDIS-2").await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs Redis: make test-real"]
async fn a_history_is_listed_by_page_in_redis() {
    let world = World::with(redis()).await;
    history::events_are_listed_once_and_by_page(&world, "REDIS-3").await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs Redis: make test-real"]
async fn a_person_who_is_forgotten_leaves_nothing_in_redis() {
    let world = World::with(redis()).await;
    forget::everything_of_a_person_is_gone(&world, "REDIS-4").await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs Redis: make test-real"]
async fn every_route_takes_every_id_of_a_person_in_redis() {
    let world = World::with(redis()).await;
    for id in ["REDIS/5", "REDIS:6", "redis b#c", "redis 100%25"] {
        ids::every_route_takes(&world, id).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs Redis: make test-real"]
async fn an_account_is_one_persons_in_redis() {
    let world = World::with(redis()).await;
    account::of_two_who_are_hired_at_once_one_has_the_account(&world, "redis-account-1").await;
    account::who_comes_back_does_not_take_the_account_of_whoever_has_it_now(&world, "redis-account-2").await;
}

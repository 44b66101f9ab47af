//! Secrets in Secrets Manager, and their rotation while everything runs.

use okta::fake::{Directory, Server};
use reqwest::StatusCode;
use runtime::Clock;
use secrets::fake::SecretsManager;
use testkit::{Employee, Setup, World};

/// A Joiner whose secrets are all in Secrets Manager, and an Okta that takes what is in it.
struct Deployed {
    manager: SecretsManager,
    okta: Server,
    directory: Directory,
    world: World,
}

async fn deployed() -> Deployed {
    let manager = SecretsManager::start().await;
    manager.put("api-key", "first-key");
    manager.put("cursor-key", "a-key-that-is-long-enough-for-cursors");
    manager.put("okta-token", "first-token");
    let directory = Directory::empty(Clock::system());
    let okta = Server::start(directory.clone(), "first-token").await;
    let vars = vec![
        ("AWS_ENDPOINT_URL_SECRETS_MANAGER", manager.endpoint().to_owned()),
        // Read again each time: when a refused one may be is tried where the clock can be moved.
        ("SECRETS_TTL_SECONDS", "0.001".to_owned()),
        ("API_KEY_SECRET_ID", "api-key".to_owned()),
        ("CURSOR_KEY_SECRET_ID", "cursor-key".to_owned()),
        ("OKTA_ORG_URL", okta.url().to_string()),
        ("OKTA_API_TOKEN_SECRET_ID", "okta-token".to_owned()),
    ];
    let world = World::with(Setup { vars, ..Setup::default() }).await;
    Deployed { manager, okta, directory, world }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rotation_of_every_secret_needs_no_restart() {
    let Deployed { manager, okta, directory, world } = deployed().await;
    let ada = Employee::ada();
    directory.add(ada.in_okta());
    for (key, token, version) in [("first-key", "first-token", 1), ("second-key", "second-token", 2)] {
        manager.put("api-key", key);
        manager.put("okta-token", token);
        okta.rotate(token);
        let ada = ada.clone().with("title", format!("Level {version}"));
        let body = ada.body(if version == 1 { "hired" } else { "updated" }).to_string();
        let wrong = world.hr().posts(&body, &[("x-api-key", "another-key")]).await;
        assert_eq!(wrong.status, StatusCode::FORBIDDEN, "{wrong:?}");
        let accepted = world.hr().posts(&body, &[("x-api-key", key)]).await;
        assert_eq!(accepted.status, StatusCode::ACCEPTED, "{accepted:?}");
        world.settle().await;
        let user = world.call(reqwest::Method::GET, "/v1/users/E100", &[("x-api-key", key)], None).await;
        assert_eq!(user.json["version"], version, "{user:?}");
        assert_eq!(user.json["enrichment"]["state"], "complete", "with the new token: {user:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn while_secrets_manager_is_away_who_may_enter_is_not_known() {
    let Deployed { manager, world, .. } = deployed().await;
    manager.set_away(true);
    let answer = world.hr().posts("{}", &[("x-api-key", "first-key")]).await;
    assert_eq!(
        (answer.status, &answer.json["code"]),
        (StatusCode::SERVICE_UNAVAILABLE, &"unavailable".into())
    );
    manager.set_away(false);
    let answer = world.hr().posts("{}", &[("x-api-key", "first-key")]).await;
    assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY, "let in, and read: {answer:?}");
    world.settle().await;
}

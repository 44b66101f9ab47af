use std::time::Duration;

use super::{fake::SecretsManager, *};

struct World {
    manager: SecretsManager,
    secret: Secret,
}

async fn world() -> World {
    let manager = SecretsManager::start().await;
    manager.put("okta", "first\n");
    let vars = manager.vars().with("TOKEN_SECRET_ID", "okta");
    let aws = Aws::from_vars(&vars).unwrap();
    let secret = Secret::require(&vars, "TOKEN", "a token", &aws).unwrap();
    World { manager, secret }
}

/// Moves the clock on; requests are made in real time.
async fn pass(time: Duration) {
    tokio::time::pause();
    tokio::time::advance(time).await;
    tokio::time::resume();
}

impl World {
    async fn value(&self) -> String {
        self.secret.get().await.unwrap().expose_secret().to_owned()
    }

    async fn instead_of(&self, refused: &str) -> Option<String> {
        let value = self.secret.refreshed(&refused.into()).await;
        value.map(|value| value.expose_secret().to_owned())
    }
}

#[tokio::test]
async fn a_secret_is_read_once_however_many_need_it() {
    let world = world().await;
    let (a, b) = tokio::join!(world.value(), world.value());
    assert_eq!((a.as_str(), b.as_str(), world.value().await.as_str()), ("first", "first", "first"));
    assert_eq!(world.manager.reads(), 1);
}

#[tokio::test]
async fn after_its_time_it_is_read_again() {
    let world = world().await;
    world.value().await;
    world.manager.put("okta", "second");
    pass(Duration::from_mins(5)).await;
    assert_eq!(world.value().await, "second");
}

#[tokio::test]
async fn its_last_value_outlives_an_outage_of_secrets_manager() {
    let world = world().await;
    world.value().await;
    world.manager.set_away(true);
    pass(Duration::from_mins(5)).await;
    assert_eq!(world.value().await, "first");
}

#[tokio::test]
async fn without_any_value_the_error_names_the_secret() {
    let world = world().await;
    world.manager.set_away(true);
    let error = world.secret.get().await.unwrap_err();
    assert_eq!(error.to_string(), "the secret okta could not be read");
}

#[tokio::test]
async fn a_refused_value_is_replaced_by_the_rotated_one_and_not_asked_for_again_at_once() {
    let world = world().await;
    assert_eq!(world.value().await, "first");
    world.manager.put("okta", "second");
    assert_eq!(world.instead_of("first").await, None, "it was read a moment ago");
    pass(Duration::from_secs(10)).await;
    assert_eq!(world.instead_of("first").await.as_deref(), Some("second"));
    assert_eq!(world.instead_of("first").await.as_deref(), Some("second"), "others were refused it too");
    assert_eq!(world.instead_of("second").await, None);
    assert_eq!(world.manager.reads(), 2);
}

#[tokio::test]
async fn without_an_id_the_variable_is_the_secret() {
    let vars = SecretsManager::start().await.vars().with("TOKEN", "plain");
    let aws = Aws::from_vars(&vars).unwrap();
    let secret = Secret::require(&vars, "TOKEN", "a token", &aws).unwrap();
    assert_eq!(secret.get().await.unwrap().expose_secret(), "plain");
    assert!(secret.refreshed(&"plain".into()).await.is_none());
    let error = Secret::require(&vars, "OTHER", "a token", &aws).unwrap_err();
    assert_eq!(
        error.to_string(),
        "OTHER is not set: expected a token, or OTHER_SECRET_ID with a secret's id"
    );
}

#[test]
fn credentials_are_a_name_and_a_password() {
    let secret = SecretString::from(r#"{"username":"joiner","password":"p","extra":1}"#);
    let credentials = Credentials::try_from(&secret).unwrap();
    assert_eq!((credentials.username.as_str(), credentials.password.expose_secret()), ("joiner", "p"));
    assert!(Credentials::try_from(&SecretString::from("p")).is_err());
}

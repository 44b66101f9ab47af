//! What the embedded parts can't play: secrets that are rotated while a process runs. TLS is in `tls.rs`.

use std::time::Duration;

use okta::fake::{Directory, Server};
use runtime::Clock;
use scenarios::sample;
use serde_json::{Value, json};
use testkit::{Employee, World};

use crate::emulator::Emulator;

/// The variable by which `make test-lambda` says where a real part is, or how to enter.
#[expect(clippy::disallowed_methods, reason = "a test has no main that could read it")]
pub(crate) fn real(name: &str) -> String {
    std::env::var(name).unwrap_or_else(|_| panic!("{name} is not set: run `make test-lambda`"))
}

/// API Gateway's event for a hire.
pub(crate) fn hire(employee: &Employee, key: Option<&str>) -> String {
    let mut event: Value = serde_json::from_str(&sample("hr-webhook", "new-hire")).unwrap();
    event["body"] = employee.body("hired").to_string().into();
    if let Some(key) = key {
        event["headers"]["x-api-key"] = key.into();
    }
    event.to_string()
}

/// Secrets Manager, and the names that a test has for itself in it.
pub(crate) struct Secrets {
    pub(crate) url: String,
    own: String,
    http: reqwest::Client,
}

impl Secrets {
    pub(crate) fn new() -> Self {
        let own = Clock::system().new_id().simple().to_string();
        let http = okta::http_client(Duration::from_mins(1));
        Self { url: real("TEST_SECRETS_URL"), own, http }
    }

    pub(crate) fn id(&self, name: &str) -> String {
        format!("{}-{name}", self.own)
    }

    pub(crate) async fn create(&self, name: &str, value: &str) {
        self.call("CreateSecret", json!({"Name": self.id(name), "SecretString": value})).await;
    }

    async fn rotate(&self, name: &str, value: &str) {
        self.call("PutSecretValue", json!({"SecretId": self.id(name), "SecretString": value})).await;
    }

    async fn call(&self, operation: &str, mut body: Value) {
        body["ClientRequestToken"] = Clock::system().new_id().simple().to_string().into();
        let scope = "Credential=local/20260101/us-east-1/secretsmanager/aws4_request";
        let request = self
            .http
            .post(&self.url)
            .header("x-amz-target", format!("secretsmanager.{operation}"))
            .header("content-type", "application/x-amz-json-1.1")
            .header("authorization", format!("AWS4-HMAC-SHA256 {scope}, SignedHeaders=host, Signature=0"))
            .body(body.to_string());
        let answer = request.send().await.unwrap();
        assert!(answer.status().is_success(), "{operation}: {}", answer.text().await.unwrap());
    }
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs the built functions and the real parts: make test-lambda"]
async fn built_functions_take_their_keys_from_secrets_manager_and_survive_a_rotation() {
    let (world, emulator, secrets) = (World::new().await, Emulator::start().await, Secrets::new());
    secrets.create("api-key", "first-key").await;
    secrets.create("okta-token", "first-token").await;
    let directory = Directory::empty(Clock::system());
    directory.add(Employee::new("ingrid.lindqvist", "Ingrid", "Lindqvist").in_okta());
    let okta = Server::start(directory, "first-token").await;
    let webhook = world
        .vars_of("hr-webhook")
        .with("AWS_ENDPOINT_URL_SECRETS_MANAGER", &secrets.url)
        // The world's own is open.
        .with("AUTH", "on")
        .with("API_KEY_SECRET_ID", secrets.id("api-key"));
    let enrichment = world
        .vars_of("enrichment")
        .with("AWS_ENDPOINT_URL_SECRETS_MANAGER", &secrets.url)
        .with("OKTA_ORG_URL", okta.url())
        .with("OKTA_API_TOKEN", "")
        .with("OKTA_API_TOKEN_SECRET_ID", secrets.id("okta-token"));
    let _webhook = emulator.bootstrap("hr-webhook", &webhook);
    let _enrichment = emulator.bootstrap("enrichment", &enrichment);
    let ada = Employee::ada();
    world.knows(&ada);
    let takes = async |name: &str| {
        let (_, answer) = emulator.invoke("enrichment", &sample("enrichment", name)).await;
        assert_eq!(answer, json!({"batchItemFailures": []}), "{name}");
        world.settle().await;
    };
    let enters = async |key: &str| {
        let (_, answer) = emulator.invoke("hr-webhook", &hire(&ada, Some(key))).await;
        answer["statusCode"].as_u64().unwrap()
    };

    takes("new-hire").await;
    assert_eq!(world.user("E1101").await["onboarded"], true, "{:?}", world.dead_letters().await);
    assert_eq!((enters("a-guess").await, enters("first-key").await), (403, 202));
    secrets.rotate("api-key", "second-key").await;
    secrets.rotate("okta-token", "second-token").await;
    okta.rotate("second-token");
    // What was read a moment ago is not read again for ten seconds, whoever is refused.
    let rotated = async {
        while enters("second-key").await != 202 {
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    };
    tokio::time::timeout(Duration::from_mins(1), rotated).await.unwrap();
    assert_eq!(enters("first-key").await, 403);
    // Okta's token was read before the API key: it may be read again by now.
    takes("batch").await;
    // Okta says whose account it is, so it took the new token.
    assert_eq!(world.user("E1102").await["enrichment"]["reason"], "email_taken");
    assert_eq!(world.user("E100").await["onboarded"], true);
}

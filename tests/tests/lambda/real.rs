//! What the embedded parts can't play: TLS, who may write to a broker, and secrets that are rotated while a process runs.

use std::time::Duration;

use okta::fake::{Directory, Server};
use runtime::{Clock, Vars};
use serde_json::{Value, json};
use testkit::{Employee, World};

use crate::emulator::{Emulator, samples};

/// The variable by which `make test-lambda` says where a real part is, or how to enter.
#[expect(clippy::disallowed_methods, reason = "a test has no main that could read it")]
fn real(name: &str) -> String {
    std::env::var(name).unwrap_or_else(|_| panic!("{name} is not set: run `make test-lambda`"))
}

/// API Gateway's event for a hire.
fn hire(employee: &Employee, key: Option<&str>) -> String {
    let (_, sample) = samples("hr-webhook").into_iter().find(|(name, _)| name == "new-hire").unwrap();
    let mut event: Value = serde_json::from_str(&sample).unwrap();
    event["body"] = employee.body("hired").to_string().into();
    if let Some(key) = key {
        event["headers"]["x-api-key"] = key.into();
    }
    event.to_string()
}

/// The webhook's variables for one of the listeners of the real Kafka.
fn listener(world: &World, auth: &str, servers: &str) -> Vars {
    world
        .vars_of("hr-webhook")
        .with("KAFKA_AUTH", auth)
        .with("KAFKA_BOOTSTRAP_SERVERS", real(servers))
        .with("KAFKA_CA_FILE", real("TEST_KAFKA_CA_FILE"))
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs the built functions and the real parts: make test-lambda"]
async fn what_the_built_webhook_accepts_over_tls_scram_and_iam_arrives() {
    let (world, emulator) = (World::new().await, Emulator::start().await);
    let iam: Value = serde_json::from_str(&real("TEST_KAFKA_IAM_CREDENTIALS")).unwrap();
    for (id, vars) in [
        ("E-TLS", listener(&world, "tls", "TEST_KAFKA_TLS_SERVERS")),
        (
            "E-SCRAM",
            listener(&world, "scram", "TEST_KAFKA_SCRAM_SERVERS")
                .with("KAFKA_CREDENTIALS", real("TEST_KAFKA_CREDENTIALS")),
        ),
        (
            "E-IAM",
            listener(&world, "iam", "TEST_KAFKA_IAM_SERVERS")
                .with("AWS_ACCESS_KEY_ID", iam["access_key_id"].as_str().unwrap())
                .with("AWS_SECRET_ACCESS_KEY", iam["secret_access_key"].as_str().unwrap()),
        ),
    ] {
        let employee = Employee::new(id, "Ada", "Lovelace");
        world.knows(&employee);
        let _process = emulator.bootstrap("hr-webhook", &vars);
        let (_, answer) = emulator.invoke("hr-webhook", &hire(&employee, None)).await;
        assert_eq!(answer["statusCode"], 202, "{id}: {answer}");
        world.settle().await;
        assert_eq!(world.user(id).await["onboarded"], true, "{id}");
    }
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs the built functions and the real parts: make test-lambda"]
async fn with_credentials_that_the_brokers_refuse_the_built_webhook_accepts_nothing() {
    let (world, emulator) = (World::new().await, Emulator::start().await);
    let mut credentials: Value = serde_json::from_str(&real("TEST_KAFKA_CREDENTIALS")).unwrap();
    credentials["password"] = "a-guess".into();
    let scram = listener(&world, "scram", "TEST_KAFKA_SCRAM_SERVERS")
        .with("KAFKA_CREDENTIALS", credentials.to_string());
    let iam = listener(&world, "iam", "TEST_KAFKA_IAM_SERVERS").with("AWS_SECRET_ACCESS_KEY", "a-guess");
    for (auth, vars) in [("scram", scram), ("iam", iam)] {
        let _process = emulator.bootstrap("hr-webhook", &vars);
        let (_, answer) = emulator.invoke("hr-webhook", &hire(&Employee::ada(), None)).await;
        assert_eq!(answer["statusCode"], 503, "{auth}: {answer}");
    }
    world.settle().await;
    assert!(world.users().await.is_empty());
}

/// Secrets Manager, and the names that a test has for itself in it.
struct Secrets {
    url: String,
    own: String,
    http: reqwest::Client,
}

impl Secrets {
    fn new() -> Self {
        let own = Clock::system().new_id().simple().to_string();
        let http = okta::http_client(Duration::from_mins(1));
        Self { url: real("TEST_SECRETS_URL"), own, http }
    }

    fn id(&self, name: &str) -> String {
        format!("{}-{name}", self.own)
    }

    async fn create(&self, name: &str, value: &str) {
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
    let enriches = async |sample: &str, id: &str| {
        let (_, event) = samples("enrichment").into_iter().find(|(name, _)| name == sample).unwrap();
        let (_, answer) = emulator.invoke("enrichment", &event).await;
        assert_eq!(answer, json!({"batchItemFailures": []}), "{sample}");
        world.settle().await;
        assert_eq!(world.user(id).await["onboarded"], true, "{sample}: {:?}", world.dead_letters().await);
    };
    let enters = async |key: &str| {
        let (_, answer) = emulator.invoke("hr-webhook", &hire(&ada, Some(key))).await;
        answer["statusCode"].as_u64().unwrap()
    };

    enriches("new-hire", "E1101").await;
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
    enriches("batch", "E1102").await;
    assert_eq!(world.user("E100").await["onboarded"], true);
}

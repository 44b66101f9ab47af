//! TLS to the brokers as it is deployed: the built webhook, with the template's variables. On AWS the brokers' certificates
//! are signed by an authority of Amazon's, whose key nobody has here; so the tests' authority takes the place of one of
//! Amazon's roots in a copy of the program, which is else the built one, byte for byte.

use std::{fs, path::PathBuf, process::Command};

use runtime::Vars;
use serde_json::Value;
use tempfile::TempDir;
use testkit::{Employee, World};

use crate::{
    emulator::{Emulator, bootstrap},
    real::{Secrets, hire, real},
};

const AMAZON_ROOTS: &str = include_str!("../../../shared/kafka/src/roots/amazon.pem");

/// The built webhook that trusts the authority of the real Kafka.
struct Trusting {
    program: PathBuf,
    _folder: TempDir,
}

impl Trusting {
    fn new() -> Self {
        let mut program = fs::read(bootstrap("hr-webhook")).unwrap();
        let mut authority = fs::read(real("TEST_KAFKA_CA_FILE")).unwrap();
        let (begin, end) = ("-----BEGIN CERTIFICATE-----", "-----END CERTIFICATE-----");
        let from = AMAZON_ROOTS.find(begin).unwrap();
        let to = AMAZON_ROOTS.find(end).unwrap() + end.len();
        let root = &AMAZON_ROOTS.as_bytes()[from..to];
        let places: Vec<_> =
            program.windows(root.len()).enumerate().filter(|(_, found)| *found == root).collect();
        let [(place, _)] = places[..] else {
            panic!("the program has Amazon's first root {} times", places.len());
        };
        // Between certificates PEM may have anything.
        authority.resize(root.len(), b'\n');
        program[place..place + root.len()].copy_from_slice(&authority);
        let folder = TempDir::new().unwrap();
        let (bytes, bootstrap) = (folder.path().join("bytes"), folder.path().join("bootstrap"));
        fs::write(&bytes, program).unwrap();
        // By another process: a program can't be started while a child of ours, just forked, holds it open for writing.
        let mut install = Command::new("install");
        assert!(install.args(["-m", "755"]).args([&bytes, &bootstrap]).status().unwrap().success());
        Self { program: bootstrap, _folder: folder }
    }
}

/// The webhook's variables for one of the listeners of the real Kafka.
fn listener(world: &World, auth: &str, servers: &str) -> Vars {
    world.vars_of("hr-webhook").with("KAFKA_AUTH", auth).with("KAFKA_BOOTSTRAP_SERVERS", real(servers))
}

/// With the credentials in Secrets Manager.
async fn scram(world: &World, secrets: &Secrets, credentials: &str) -> Vars {
    secrets.create("kafka", credentials).await;
    listener(world, "scram", "TEST_KAFKA_SCRAM_SERVERS")
        .with("AWS_ENDPOINT_URL_SECRETS_MANAGER", &secrets.url)
        .with("KAFKA_CREDENTIALS_SECRET_ID", secrets.id("kafka"))
}

async fn arrives(world: &World, emulator: &Emulator, id: &str) {
    let employee = Employee::new(id, "Ada", "Lovelace");
    world.knows(&employee);
    let (_, answer) = emulator.invoke("hr-webhook", &hire(&employee, None)).await;
    assert_eq!(answer["statusCode"], 202, "{id}: {answer}");
    world.settle().await;
    assert_eq!(world.user(id).await["onboarded"], true, "{id}");
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs the built functions and the real parts: make test-lambda"]
async fn what_the_built_webhook_accepts_over_tls_scram_and_iam_arrives() {
    let (world, emulator, trusting) = (World::new().await, Emulator::start().await, Trusting::new());
    let iam: Value = serde_json::from_str(&real("TEST_KAFKA_IAM_CREDENTIALS")).unwrap();
    for (id, vars) in [
        ("E-TLS", listener(&world, "tls", "TEST_KAFKA_TLS_SERVERS")),
        ("E-SCRAM", scram(&world, &Secrets::new(), &real("TEST_KAFKA_CREDENTIALS")).await),
        (
            "E-IAM",
            listener(&world, "iam", "TEST_KAFKA_IAM_SERVERS")
                .with("AWS_ACCESS_KEY_ID", iam["access_key_id"].as_str().unwrap())
                .with("AWS_SECRET_ACCESS_KEY", iam["secret_access_key"].as_str().unwrap()),
        ),
    ] {
        let _process = emulator.program(&trusting.program, "hr-webhook", &vars);
        arrives(&world, &emulator, id).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs the built functions and the real parts: make test-lambda"]
async fn with_credentials_that_the_brokers_refuse_the_built_webhook_accepts_nothing() {
    let (world, emulator, trusting) = (World::new().await, Emulator::start().await, Trusting::new());
    let mut credentials: Value = serde_json::from_str(&real("TEST_KAFKA_CREDENTIALS")).unwrap();
    credentials["password"] = "a-guess".into();
    let scram = scram(&world, &Secrets::new(), &credentials.to_string()).await;
    let iam = listener(&world, "iam", "TEST_KAFKA_IAM_SERVERS").with("AWS_SECRET_ACCESS_KEY", "a-guess");
    for (auth, vars) in [("scram", scram), ("iam", iam)] {
        let _process = emulator.program(&trusting.program, "hr-webhook", &vars);
        let (_, answer) = emulator.invoke("hr-webhook", &hire(&Employee::ada(), None)).await;
        assert_eq!(answer["statusCode"], 503, "{auth}: {answer}");
    }
    world.settle().await;
    assert!(world.users().await.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs the built functions and the real parts: make test-lambda"]
async fn brokers_of_another_authority_get_nothing_of_the_built_webhook() {
    let (world, emulator) = (World::new().await, Emulator::start().await);
    let _process = emulator.bootstrap("hr-webhook", &listener(&world, "tls", "TEST_KAFKA_TLS_SERVERS"));
    let (_, answer) = emulator.invoke("hr-webhook", &hire(&Employee::ada(), None)).await;
    assert_eq!(answer["statusCode"], 503, "{answer}");
    world.settle().await;
    assert!(world.users().await.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs the built functions and the real parts: make test-lambda"]
async fn an_authority_of_ones_own_takes_the_place_of_amazons_by_its_file() {
    let (world, emulator) = (World::new().await, Emulator::start().await);
    let vars =
        listener(&world, "tls", "TEST_KAFKA_TLS_SERVERS").with("KAFKA_CA_FILE", real("TEST_KAFKA_CA_FILE"));
    let _process = emulator.bootstrap("hr-webhook", &vars);
    arrives(&world, &emulator, "E-OWN").await;
}

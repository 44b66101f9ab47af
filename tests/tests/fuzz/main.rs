//! Input that nobody meant: samples with something wrong in them, made up anew in every run. `PROPTEST_CASES` says how
//! many of each; what fails is made small and shown.

#![expect(clippy::unwrap_used, reason = "a test that can't go on has failed")]

mod api;
mod damage;
mod functions;
mod okta;
mod records;

use std::{fmt::Debug, fs, path::Path};

use proptest::{
    strategy::Strategy,
    test_runner::{Config, TestCaseError, TestRunner},
};
use serde_json::Value;
use testkit::{Setup, World};

/// Runs `check` on made-up cases: `usual` of them, or as many as `PROPTEST_CASES` says.
fn for_each<S: Strategy>(usual: u32, cases: &S, check: impl Fn(S::Value) -> Result<(), TestCaseError>)
where
    S::Value: Debug,
{
    let default = Config::default();
    let asked = std::env::var_os("PROPTEST_CASES").map(|_| default.cases);
    let config = Config { cases: asked.unwrap_or(usual), failure_persistence: None, ..default };
    TestRunner::new(config).run(cases, check).unwrap();
}

/// Its brokers may take their time: that a machine is busy is no answer to bad input.
async fn world() -> World {
    let vars = vec![("KAFKA_ACK_TIMEOUT_SECONDS", "60".to_owned())];
    World::with(Setup { vars, ..Setup::default() }).await
}

fn sample(path: &str) -> Value {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../events").join(path);
    serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap()
}

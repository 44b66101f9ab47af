//! What a built function is started with: the variables that the template gives it, those that Lambda sets, and where the
//! tests' parts are. One more would hide that the deployed function lacks it, as `KAFKA_CA_FILE` did.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::Path,
};

use runtime::Vars;
use serde_norway::Value;

use crate::permissions::template::functions;

const LAMBDA: [&str; 9] = [
    "AWS_ACCESS_KEY_ID",
    "AWS_LAMBDA_FUNCTION_MEMORY_SIZE",
    "AWS_LAMBDA_FUNCTION_NAME",
    "AWS_LAMBDA_FUNCTION_VERSION",
    "AWS_LAMBDA_LOG_GROUP_NAME",
    "AWS_LAMBDA_LOG_STREAM_NAME",
    "AWS_LAMBDA_RUNTIME_API",
    "AWS_REGION",
    "AWS_SECRET_ACCESS_KEY",
];

/// Where the SDK knows the way by itself on AWS.
const ADDRESSES: [&str; 4] = [
    "AWS_ENDPOINT_URL_CODEDEPLOY",
    "AWS_ENDPOINT_URL_DYNAMODB",
    "AWS_ENDPOINT_URL_LAMBDA",
    "AWS_ENDPOINT_URL_SECRETS_MANAGER",
];

/// What a world without Secrets Manager has in place of `…_SECRET_ID`, and its open door.
const SECRETS: [&str; 3] = ["AUTH", "CURSOR_KEY", "OKTA_API_TOKEN"];

fn is_known(name: &str, environment: &BTreeSet<String>) -> bool {
    environment.contains(name)
        || LAMBDA.contains(&name)
        || ADDRESSES.contains(&name)
        || SECRETS.contains(&name)
}

/// Those of the variables that the built function is started with: a world has more, for its other functions and to be quick.
pub(crate) fn deployed(function: &str, vars: &Vars) -> Vars {
    let environment = environment(function);
    vars.iter().filter(|(name, _)| is_known(name, &environment)).collect()
}

/// The names of the variables that the template gives the function.
pub(crate) fn environment(function: &str) -> BTreeSet<String> {
    functions().into_iter().find(|found| found.name == function).unwrap().environment
}

#[test]
fn no_test_of_a_built_function_sets_a_variable_that_the_template_does_not_set() {
    let environment = functions().into_iter().flat_map(|function| function.environment).collect();
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/lambda");
    let is_variable = |text: &str| {
        let is_part = |byte: u8| byte.is_ascii_uppercase() || byte.is_ascii_digit() || byte == b'_';
        text.len() > 3 && text.bytes().all(is_part)
    };
    let mut set = 0;
    for file in ["main.rs", "emulator.rs", "real.rs", "tls.rs"] {
        let source = fs::read_to_string(folder.join(file)).unwrap();
        // `.with("NAME", …)`, `.env("NAME", …)`, `[("NAME", …)]`: what stands before, in and after quotation marks.
        let parts: Vec<_> = source.split('"').collect();
        for [before, name, after] in parts.windows(3).map(|parts| [parts[0], parts[1], parts[2]]) {
            if before.ends_with('(') && is_variable(name) && after.starts_with(',') {
                assert!(is_known(name, &environment), "{file}: template.yaml doesn't set {name}");
                set += 1;
            }
        }
    }
    assert!(set > 20, "only {set} variables were found: this checks nothing");
}

#[test]
fn what_is_asked_before_traffic_is_a_health_route_of_each_function_that_answers_http_and_a_batch_of_the_others()
 {
    let functions = functions();
    let hook = functions.iter().find(|function| function.name == "pre-traffic").unwrap();
    let asked = hook.properties["Environment"]["Variables"]["HEALTH_ROUTES"].as_str().unwrap();
    let asked: BTreeMap<_, _> = asked.split(',').map(|pair| pair.split_once('=').unwrap()).collect();
    for function in &functions {
        let name = function.name.as_str();
        let events = function.properties.get("Events").and_then(Value::as_mapping);
        let mut routes =
            events.into_iter().flat_map(|events| events.values()).filter(|e| e["Type"] == "HttpApi");
        let is_asked = function.properties["DeploymentPreference"]["Enabled"] != false;
        match asked.get(name) {
            Some(path) => {
                assert!(routes.any(|route| route["Properties"]["Path"] == *path), "{name}: {path}");
            }
            None => {
                assert!(
                    !is_asked || (routes.next().is_none() && function.trigger.is_mapping()),
                    "{name} is asked before it gets traffic, and nobody says how: HEALTH_ROUTES, or no DeploymentPreference"
                );
            }
        }
    }
}

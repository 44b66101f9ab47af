//! Each role has what its function's program can call, and nothing more. The program says what that is: the linker keeps
//! an operation of the SDK, with its name, only where something calls it.

use std::{collections::BTreeSet, fs, path::Path};

use crate::{FUNCTIONS, emulator::bootstrap};

/// The operations that Joiner's code may ever call, by the service's name in a policy.
const OPERATIONS: [(&str, &[&str]); 3] = [
    (
        "dynamodb",
        &[
            "BatchGetItem",
            "BatchWriteItem",
            "DeleteItem",
            "GetItem",
            "PutItem",
            "Query",
            "Scan",
            "TransactGetItems",
            "TransactWriteItems",
            "UpdateItem",
        ],
    ),
    ("kafka", &["DescribeClusterV2", "GetBootstrapBrokers"]),
    ("secretsmanager", &["BatchGetSecretValue", "DescribeSecret", "GetSecretValue"]),
];

/// Those whose requests the program can make: it holds the name of the request's type.
fn linked(program: &[u8], operations: &[&str]) -> BTreeSet<String> {
    let holds = |operation: &&&str| {
        let name = format!("{operation}Input");
        let mut places = program.windows(name.len()).enumerate();
        // `BatchGetItemInput` ends with `GetItemInput`.
        places.any(|(at, bytes)| bytes == name.as_bytes() && !program[at - 1].is_ascii_alphabetic())
    };
    operations.iter().filter(holds).map(|&operation| operation.to_owned()).collect()
}

/// The actions that the function's own policies grant, without conditions on parameters.
fn granted(function: &str, service: &str) -> BTreeSet<String> {
    let template = Path::new(env!("CARGO_MANIFEST_DIR")).join("../template.yaml");
    let template = fs::read_to_string(template).unwrap();
    let section = template.split(&format!("Binary: {function}\n")).nth(1).unwrap();
    let policies =
        section.split("\n      Policies:\n").nth(1).unwrap().split("\n      Events:\n").next().unwrap();
    let prefix = format!("{service}:");
    policies
        .lines()
        .filter_map(|line| line.trim().trim_start_matches("- ").strip_prefix("Action: "))
        .flat_map(|actions| actions.trim_matches(['[', ']']).split(", "))
        .filter_map(|action| action.strip_prefix(&prefix).map(str::to_owned))
        .collect()
}

#[test]
#[ignore = "needs the built functions: make test-lambda"]
fn every_role_has_the_actions_that_its_program_calls_and_no_other() {
    for function in FUNCTIONS {
        let program = fs::read(bootstrap(function)).unwrap();
        for (service, operations) in OPERATIONS {
            let (linked, granted) = (linked(&program, operations), granted(function, service));
            assert_eq!(linked, granted, "{function} and {service}: what it calls, and what it may");
        }
    }
}

#[test]
#[ignore = "needs the built functions: make test-lambda"]
fn whoever_publishes_may_write_to_its_topic_and_nobody_else() {
    for function in FUNCTIONS {
        let program = fs::read(bootstrap(function)).unwrap();
        let variable = b"KAFKA_ACK_TIMEOUT_SECONDS";
        let publishes = program.windows(variable.len()).any(|bytes| bytes == variable);
        let granted = granted(function, "kafka-cluster");
        for action in ["WriteData", "WriteDataIdempotently"] {
            assert_eq!(granted.contains(action), publishes, "{function}: {action}");
        }
        assert_eq!(granted.contains("Connect"), publishes || granted.contains("ReadData"), "{function}");
    }
}

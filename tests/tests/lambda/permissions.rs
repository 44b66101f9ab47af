//! Each role has what is done in its name, on what it is done to, and nothing more. What the program calls the program
//! says itself: the linker keeps an operation of the SDK, with its name, only where something calls it. What Lambda does
//! is what AWS documents: <https://docs.aws.amazon.com/lambda/latest/dg/with-msk-permissions.html>,
//! <https://docs.aws.amazon.com/lambda/latest/dg/configuration-vpc.html>.

pub(crate) mod template;

use std::{collections::BTreeSet, fs};

use serde_norway::Value;

use crate::emulator::bootstrap;
use template::{Function, Statement, functions, leaves};

const READ_SECRET: &str = "secretsmanager:GetSecretValue";
const DECRYPT: &str = "kms:Decrypt";

/// Those that IAM's service authorization reference lists without a type of resource.
const WITHOUT_RESOURCE: [&str; 7] = [
    "ec2:DescribeNetworkInterfaces",
    "ec2:DescribeSecurityGroups",
    "ec2:DescribeSubnets",
    "ec2:DescribeVpcs",
    "kafka:GetBootstrapBrokers",
    "xray:PutTelemetryRecords",
    "xray:PutTraceSegments",
];

const VPC: [&str; 6] = [
    "ec2:AssignPrivateIpAddresses",
    "ec2:CreateNetworkInterface",
    "ec2:DeleteNetworkInterface",
    "ec2:DescribeNetworkInterfaces",
    "ec2:DescribeSubnets",
    "ec2:UnassignPrivateIpAddresses",
];

/// The policies that are for the program.
const CODE: [&str; 3] = ["code", "publish", "secrets"];

/// For its pollers' interfaces beside the brokers, wherever the function itself is.
const MSK: [&str; 6] = [
    "ec2:CreateNetworkInterface",
    "ec2:DeleteNetworkInterface",
    "ec2:DescribeNetworkInterfaces",
    "ec2:DescribeSecurityGroups",
    "ec2:DescribeSubnets",
    "ec2:DescribeVpcs",
];

/// The SDK's operations that the program can call, as actions: "kms:ReEncrypt" for `aws_sdk_kms::operation::re_encrypt::…`.
fn linked(program: &str) -> BTreeSet<String> {
    let is_name =
        |name: &&str| name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_');
    let action = |after: &str| {
        let mut path = after.split("::");
        let service = path.next().filter(is_name)?;
        path.next().filter(|&module| module == "operation")?;
        let operation = path.next().filter(is_name)?;
        path.next()?;
        let words = operation.split('_').map(|word| word[..1].to_uppercase() + &word[1..]);
        // The one whose action is called otherwise.
        let operation = words.collect::<String>();
        Some(if operation == "Invoke" {
            "lambda:InvokeFunction".to_owned()
        } else {
            format!("{service}:{operation}")
        })
    };
    program.split("aws_sdk_").skip(1).filter_map(action).collect()
}

/// What the program calls with the environment that the template gives it.
fn called(program: &str, function: &Function) -> BTreeSet<String> {
    let mut actions = linked(program);
    // Whoever keeps users has the code for Redis too, which would read its password.
    if function.variables("_SECRET_ID").is_empty() {
        actions.remove(READ_SECRET);
    }
    // A transaction may do what its items may.
    if actions.remove("dynamodb:TransactWriteItems") {
        actions.insert("dynamodb:PutItem".to_owned());
    }
    if program.contains("KAFKA_ACK_TIMEOUT_SECONDS") {
        // The brokers' client names no actions. The key is that of the SCRAM credentials, which MSK wants to be one's own.
        let publishing = ["Connect", "DescribeTopic", "WriteData"];
        actions.extend(publishing.map(|action| format!("kafka-cluster:{action}")));
        actions.insert(DECRYPT.to_owned());
    }
    actions
}

fn owned(actions: impl IntoIterator<Item = &'static str>) -> BTreeSet<String> {
    actions.into_iter().map(str::to_owned).collect()
}

#[test]
#[ignore = "needs the built functions: make test-lambda"]
fn every_role_has_the_actions_that_its_program_calls_and_no_other() {
    for function in functions() {
        let program = fs::read(bootstrap(&function.name)).unwrap();
        let called = called(&String::from_utf8_lossy(&program), &function);
        let granted = CODE.iter().flat_map(|policy| function.allowed(policy));
        let granted = granted.map(|(action, _)| action).collect();
        assert_eq!(called, granted, "{}: what it calls, and what it may", function.name);
    }
}

#[test]
fn code_reaches_the_secrets_and_tables_of_its_environment_and_no_other() {
    for function in functions() {
        let (mut secrets, mut tables) = (BTreeSet::new(), BTreeSet::new());
        for (action, resource) in CODE.iter().flat_map(|policy| function.allowed(policy)) {
            if action == READ_SECRET {
                secrets.insert(resource);
            } else if action.starts_with("dynamodb:") {
                // "UsersTable.Arn" or "${UsersTable.Arn}/index/…".
                let table = resource.trim_start_matches("${").split('.').next().unwrap().to_owned();
                tables.insert(table);
            }
        }
        assert_eq!(secrets, function.variables("_SECRET_ID"), "{}", function.name);
        assert!(tables.is_subset(&function.variables("_TABLE")), "{}: {tables:?}", function.name);
    }
}

#[test]
fn every_function_with_a_route_that_takes_a_key_is_given_its_keys_and_none_an_open_door() {
    let open: BTreeSet<_> = include_str!("../../../functions/user-query/src/routes.txt")
        .lines()
        .filter_map(|line| line.strip_suffix(" open"))
        .collect();
    let takes_key = |event: &Value| {
        let route = &event["Properties"];
        let [method, path] = ["Method", "Path"].map(|name| route[name].as_str().unwrap());
        !open.contains(format!("{} {path}", if method == "HEAD" { "GET" } else { method }).as_str())
    };
    for function in functions() {
        let variables = function.properties["Environment"]["Variables"].as_mapping().unwrap();
        let has = |name: &str| variables.contains_key(name);
        let events = function.properties.get("Events").and_then(|events| events.as_mapping());
        let mut routes =
            events.into_iter().flat_map(|events| events.values()).filter(|event| event["Type"] == "HttpApi");
        let has_key = has("API_KEY_SECRET_ID") || has("ADMIN_KEY_SECRET_ID");
        assert!(has_key || !routes.any(takes_key), "{}", function.name);
        assert!(!has("AUTH"), "{}", function.name);
    }
}

#[test]
fn pollers_may_do_what_lambda_documents_on_their_own_topics_and_group() {
    for function in functions() {
        let mut expected = BTreeSet::new();
        let mut may =
            |action: &str, resource: &str| expected.insert((action.to_owned(), resource.to_owned()));
        if let trigger @ Value::Mapping(_) = &function.trigger {
            let only = |value| leaves(value).remove(0);
            assert_eq!(leaves(&trigger["Function"]), [format!("{}.Alias", function.logical)]);
            assert_eq!(trigger["Name"], function.name.as_str());
            let cluster = only(&trigger["ClusterArn"]);
            may("kafka:GetBootstrapBrokers", "*");
            may("kafka:DescribeClusterV2", &cluster);
            may("kafka-cluster:Connect", &cluster);
            may("kafka-cluster:DescribeClusterDynamicConfiguration", &cluster);
            let topic = format!("${{Streaming.Outputs.TopicArns}}/{}", only(&trigger["Topic"]));
            may("kafka-cluster:DescribeTopic", &topic);
            may("kafka-cluster:ReadData", &topic);
            let group = format!("${{Streaming.Outputs.GroupArns}}/{}", only(&trigger["Group"]));
            may("kafka-cluster:DescribeGroup", &group);
            may("kafka-cluster:AlterGroup", &group);
            may(READ_SECRET, "KafkaCredentialsSecretArn");
            may(DECRYPT, "KafkaCredentialsKeyArn");
            if let Some(failed) = trigger.get("GivesUpTo") {
                let failed = format!("${{Streaming.Outputs.TopicArns}}/{}", only(failed));
                may("kafka-cluster:DescribeTopic", &failed);
                may("kafka-cluster:WriteData", &failed);
            }
        }
        assert_eq!(function.allowed("pollers"), expected, "{}", function.name);
    }
}

#[test]
fn interfaces_are_for_lambda_in_the_vpc_and_never_for_the_code() {
    for function in functions() {
        // All are in the VPC, by Globals.
        let mut expected = owned(VPC);
        if function.trigger.is_mapping() {
            expected.extend(owned(MSK));
        }
        let allowed: BTreeSet<_> =
            function.allowed("network").into_iter().map(|(action, _)| action).collect();
        assert_eq!(allowed, expected, "{}", function.name);

        let denying = function.statements("network").into_iter().filter(|statement| !statement.allows);
        let mut denied = BTreeSet::new();
        for Statement { actions, resources, condition, .. } in denying {
            assert_eq!(resources, ["*"]);
            let code = leaves(&condition.unwrap()["ArnEquals"]["lambda:SourceFunctionArn"]);
            assert!(code[0].ends_with(":function:joiner-${Stage}-${Name}"), "{code:?}");
            denied.extend(actions);
        }
        assert_eq!(
            denied,
            &owned(VPC) | &owned(MSK),
            "{}: its code is denied what Lambda may",
            function.name
        );
    }
}

#[test]
fn every_function_logs_to_its_own_group_and_is_traced_where_tracing_is_on() {
    for function in functions() {
        let group = leaves(&function.properties["LoggingConfig"]["LogGroup"]);
        assert_eq!(group, [format!("{}Base.Outputs.LogGroup", function.logical)]);
        let mut expected: BTreeSet<_> = ["logs:CreateLogStream", "logs:PutLogEvents"]
            .map(|action| (action.to_owned(), "Logs.Arn".to_owned()))
            .into();
        if function.is_traced {
            expected.extend(
                ["xray:PutTraceSegments", "xray:PutTelemetryRecords"]
                    .map(|action| (action.to_owned(), "*".to_owned())),
            );
        }
        assert_eq!(function.allowed("platform"), expected, "{}", function.name);
    }
}

#[test]
fn every_function_has_a_role_of_its_own_without_wildcards_and_managed_policies() {
    let functions = functions();
    for function in functions {
        let (name, logical) = (&function.name, &function.logical);
        assert_eq!(function.base["Name"], name.as_str());
        assert_eq!(leaves(&function.properties["Role"]), [format!("{logical}Base.Outputs.RoleArn")]);
        assert!(function.properties.get("Policies").is_none(), "{name}: SAM ignores Policies beside a Role");
        if let Some(policy) = function.policy() {
            assert_eq!(leaves(&policy["RoleName"]), [format!("{logical}Base.Outputs.RoleName")]);
            assert_eq!(policy["PolicyName"], "code");
        }
        assert!(function.role().get("ManagedPolicyArns").is_none(), "{name}");
        let trust = &function.role()["AssumeRolePolicyDocument"]["Statement"];
        assert_eq!(trust.as_sequence().unwrap().len(), 1, "{name}");
        assert_eq!(leaves(&trust[0]["Principal"]), ["lambda.amazonaws.com"], "{name}");
        let own = ["platform", "network", "pollers", "publish", "secrets"].map(str::to_owned);
        for policy in function.policies().into_iter().chain(["code".to_owned()]) {
            assert!(policy == "code" || own.contains(&policy), "{name}: {policy}");
            for Statement { allows, actions, resources, .. } in function.statements(&policy) {
                let is_bounded = !allows || !resources.contains(&"*".to_owned());
                for action in actions {
                    assert!(!action.contains(['*', '?']), "{name}, {policy}: {action}");
                    assert!(
                        is_bounded || WITHOUT_RESOURCE.contains(&action.as_str()),
                        "{name}, {policy}: {action} on *"
                    );
                }
            }
        }
    }
}

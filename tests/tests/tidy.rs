//! The house rules that a machine can check: see `docs/architecture.md`. Uses nothing but the standard library.

#![expect(clippy::unwrap_used, reason = "a rule that can't be checked is broken")]

// Beside this file it would be a program of its own.
#[path = "tidy/promises.rs"]
mod promises;

use std::{
    fs,
    path::{Path, PathBuf},
};

/// A file below the project's root, with '/' in its path.
struct Source {
    path: String,
    text: String,
}

impl Source {
    fn is_test(&self) -> bool {
        self.path.contains("/tests/") || self.path.ends_with("/tests.rs")
    }

    /// What stands before the unit tests.
    fn code(&self) -> &str {
        self.text.split("#[cfg(test)]").next().unwrap()
    }
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..").canonicalize().unwrap()
}

fn read(path: &str) -> String {
    fs::read_to_string(root().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

fn files(below: &str, ending: &str) -> Vec<Source> {
    let mut found = Vec::new();
    let mut folders = vec![root().join(below)];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.to_str().unwrap().ends_with(ending) {
                let text = fs::read_to_string(&path).unwrap();
                let path = path.strip_prefix(root()).unwrap().to_str().unwrap().to_owned();
                found.push(Source { path, text });
            }
        }
    }
    assert!(!found.is_empty(), "no {ending} below {below}: the rule would check nothing");
    found.sort_by(|a, b| a.path.cmp(&b.path));
    found
}

fn sources() -> Vec<Source> {
    ["functions", "shared", "infra", "tests"].iter().flat_map(|folder| files(folder, ".rs")).collect()
}

fn folders(below: &str) -> Vec<String> {
    let entries = fs::read_dir(root().join(below)).unwrap().map(|entry| entry.unwrap());
    let mut names: Vec<_> = entries
        .filter(|entry| entry.path().is_dir())
        .map(|entry| entry.file_name().to_str().unwrap().to_owned())
        .collect();
    names.sort();
    names
}

/// The names under `[dependencies]`.
fn dependencies(krate: &str) -> Vec<String> {
    let manifest = read(&format!("{krate}/Cargo.toml"));
    let section = manifest.split("\n[dependencies]\n").nth(1).unwrap_or_default();
    let section = section.split("\n[").next().unwrap_or_default();
    section.lines().filter_map(|line| Some(line.split_once(['.', ' '])?.0.to_owned())).collect()
}

fn assert_none(offenders: &[String], rule: &str) {
    assert!(offenders.is_empty(), "{rule}:\n  {}", offenders.join("\n  "));
}

/// Where `word` stands in code that is not one of `allowed`.
fn outside(word: &str, allowed: impl Fn(&Source) -> bool) -> Vec<String> {
    let this = "tests/tests/tidy.rs";
    let found = sources().into_iter().filter(|source| source.path != this && !allowed(source));
    found.filter(|source| source.code().contains(word)).map(|source| source.path).collect()
}

const FEATURES: [&str; 2] = ["onboarding", "dlq"];
const CAPABILITIES: [&str; 17] = [
    "api",
    "aws",
    "breaker",
    "cache",
    "dynamo",
    "facts",
    "idempotency",
    "jobs",
    "kafka",
    "lambda",
    "okta",
    "otlp",
    "probe",
    "recovery",
    "runtime",
    "secrets",
    "valkey",
];

#[test]
fn dynamodb_is_named_in_stores_and_bench_only() {
    // The bench stores more users than a store could one by one.
    let homes = ["shared/dynamo/", "shared/facts/src/outbox", "tests/bench/"];
    let allowed = |source: &Source| {
        source.path.contains("/store") || homes.iter().any(|home| source.path.starts_with(home))
    };
    assert_none(&outside("aws_sdk_dynamodb", allowed), "aws_sdk_dynamodb outside a store and its homes");
}

#[test]
fn kafka_is_named_in_one_crate_the_local_cloud_chaos_and_bench_only() {
    // What chaos and the tests check must not be what they check with, and the bench's floor is what there is without us.
    let homes = ["shared/kafka/", "infra/local/", "shared/testkit/", "tests/chaos/", "tests/bench/"];
    let allowed = |source: &Source| homes.iter().any(|home| source.path.starts_with(home));
    assert_none(&outside("rdkafka", allowed), "rdkafka outside its homes");
}

#[test]
fn each_of_the_other_sdks_has_one_crate() {
    for (sdk, home) in [
        ("aws_sdk_secretsmanager", "shared/secrets/"),
        ("aws_sdk_kafka", "shared/kafka/"),
        ("aws_sdk_codedeploy", "functions/pre-traffic/"),
        ("aws_sdk_lambda", "functions/pre-traffic/"),
    ] {
        assert_none(&outside(sdk, |source| source.path.starts_with(home)), &format!("{sdk} outside {home}"));
    }
}

#[test]
fn a_panic_unwinds_in_what_is_deployed() {
    let manifest = read("Cargo.toml");
    let release = manifest.split("\n[profile.release]\n").nth(1).unwrap().split("\n[").next().unwrap();
    assert!(release.contains("panic = \"unwind\""), "cargo-lambda makes a panic end all of a batch");
}

#[test]
fn the_environment_is_read_in_config_and_main_only() {
    let allowed = |source: &Source| {
        source.is_test()
            || ["/config.rs", "/main.rs", "/build.rs"].iter().any(|end| source.path.ends_with(end))
    };
    assert_none(&outside("std::env::", allowed), "std::env outside config.rs, main.rs and build.rs");
}

#[test]
fn every_shared_crate_is_a_feature_a_capability_or_one_of_two_more() {
    let mut known: Vec<_> =
        FEATURES.iter().chain(&CAPABILITIES).chain(&["contracts", "testkit"]).copied().collect();
    known.sort_unstable();
    assert_eq!(folders("shared"), known, "say in this test what the new crate is");
}

#[test]
fn features_meet_in_contracts_only_and_capabilities_know_no_feature() {
    let mut offenders = Vec::new();
    for krate in FEATURES.iter().chain(&CAPABILITIES).chain(&["contracts"]) {
        for dependency in dependencies(&format!("shared/{krate}")) {
            if FEATURES.contains(&dependency.as_str()) && dependency != *krate {
                offenders.push(format!("{krate} depends on {dependency}"));
            }
        }
    }
    let ours = dependencies("shared/contracts");
    offenders.extend(
        CAPABILITIES
            .iter()
            .filter(|c| ours.contains(&(**c).to_owned()))
            .map(|c| format!("contracts depends on {c}")),
    );
    assert_none(&offenders, "dependencies point one way");
}

#[test]
fn a_function_has_one_name_everywhere() {
    let template = read("template.yaml");
    let binaries: Vec<_> = template
        .split("BuildProperties: { Binary: ")
        .skip(1)
        .map(|after| after.split(' ').next().unwrap().to_owned())
        .collect();
    let mut sorted = binaries.clone();
    sorted.sort();
    assert_eq!(folders("functions"), sorted, "functions/ and template.yaml");
    assert_eq!(folders("events"), sorted, "events/ and template.yaml");
    for name in &binaries {
        assert!(read(&format!("functions/{name}/Cargo.toml")).contains(&format!("name = \"{name}\"")));
        let start = format!("lambda::start::<{}::Function>()", name.replace('-', "_"));
        assert!(
            read(&format!("functions/{name}/src/main.rs")).contains(&start),
            "{name}: main.rs is {start}"
        );
    }
}

#[test]
fn a_function_is_in_every_place_that_has_to_be_told() {
    let document = read("docs/architecture.md");
    let checklist = document.split("\n## Adding a function\n").nth(1).unwrap().split("\n## ").next().unwrap();
    let sentence = |place: &str| {
        let is_its = |line: &&str| {
            line.split_once(". ").is_some_and(|(_, rest)| rest.starts_with(&format!("`{place}`:")))
        };
        checklist.lines().find(is_its).unwrap_or_else(|| panic!("the checklist lacks {place}"))
    };
    let mut forgotten = Vec::new();
    for name in folders("functions") {
        let (krate, resource) = (name.replace('-', "_"), resource(&name));
        let has_routes = read(&format!("functions/{name}/src/lib.rs")).contains("type Event = Request;");
        let mut places = vec![
            ("Cargo.toml", format!("\n{name} = {{ path = \"functions/{name}\"")),
            ("template.yaml", format!("\n  {resource}:\n")),
            ("docs/architecture.md", format!("\n  {name} ")),
        ];
        if !read("infra/local/src/registry.rs").contains(&format!("\"{name}\"")) {
            places.push(("infra/local/Cargo.toml", format!("\n{name}.workspace = true\n")));
            places.push(("infra/local/src/registry.rs", format!(" linked::<{krate}::Function>(),\n")));
        }
        if has_routes {
            let schema = "{ workspace = true, features = [\"schema\"] }";
            places.push(("tests/Cargo.toml", format!("\n{name} = {schema}\n")));
            places.push(("tests/tests/openapi/main.rs", format!(" {krate}::describe)")));
            let version = format!("({krate}::Function::from_vars(");
            places.push(("tests/tests/scenarios/pre_traffic.rs", version));
        }
        let missing = places.into_iter().filter(|(place, text)| !read(place).contains(text));
        forgotten.extend(missing.map(|(place, text)| format!("{name}: {} ({text:?})", sentence(place))));
    }
    assert_none(
        &forgotten,
        "a function has to be added in more places: docs/architecture.md, \"Adding a function\"",
    );
}

/// `HrWebhook` for hr-webhook.
fn resource(function: &str) -> String {
    function.split('-').map(|word| word[..1].to_uppercase() + &word[1..]).collect()
}

#[test]
fn health_that_everybody_may_ask_for_is_slowed() {
    let template = read("template.yaml");
    let paths = template.lines().filter_map(|line| line.split_once("Path: ")?.1.split([',', ' ']).next());
    let asked: Vec<_> = paths.filter(|path| path.ends_with("/healthz")).collect();
    assert!(asked.len() > 5, "the template names routes in another way: {asked:?}");
    let settings = "{ ThrottlingRateLimit: !Ref HealthRate, ThrottlingBurstLimit: !Ref HealthRate }";
    for (path, method) in asked.iter().flat_map(|path| ["GET", "HEAD"].map(|method| (path, method))) {
        let slowed = format!("        \"{method} {path}\": {settings}\n");
        assert!(template.contains(&slowed), "RouteSettings of template.yaml lacks {method} {path}");
    }
}

#[test]
fn each_fact_is_explained() {
    let (contracts, document) = (read("shared/contracts/src/fact.rs"), read("docs/facts.md"));
    let types: Vec<_> = contracts
        .split("#[serde(rename = \"")
        .skip(1)
        .map(|after| after.split('"').next().unwrap())
        .collect();
    assert!(types.len() > 10, "facts are named in another way: {types:?}");
    for name in types {
        assert!(document.contains(&format!("`{name}`")), "docs/facts.md lacks {name}");
    }
}

#[test]
fn the_template_and_the_code_agree_on_topics() {
    let (template, contracts) = (read("template.yaml"), read("shared/contracts/src/topic.rs"));
    let topics: Vec<_> =
        contracts.lines().filter_map(|line| line.split_once("&str = \"")?.1.strip_suffix("\";")).collect();
    assert!(!topics.is_empty());
    let (brokers, containers) = (read("infra/streaming.yaml"), read("infra/up.sh"));
    for topic in topics {
        let made = format!("      TopicName: !Sub ${{TopicPrefix}}{topic}\n");
        assert!(brokers.contains(&made), "nobody makes {topic} on AWS");
        assert!(containers.contains(&format!("\ntopic {topic} ")), "infra/up.sh doesn't make {topic}");
        let written = format!("/${{TopicPrefix}}{topic}");
        assert!(template.contains(&written), "no function may write to {topic}");
    }
}

#[test]
fn every_message_that_an_alarm_counts_is_one_that_the_code_logs() {
    let code: String = sources().iter().map(Source::code).collect::<Vec<_>>().concat();
    let mut counted = 0;
    for template in ["template.yaml", "infra/observability.yaml"] {
        let text = read(template);
        for after in text.split("$.message = \"").skip(1) {
            let message = after.split('"').next().unwrap().trim_matches('*');
            // Between single quotation marks YAML doubles its own.
            let message = &message.replace("''", "'");
            assert!(code.contains(message), "{template}: nothing logs {message:?}");
            counted += 1;
        }
    }
    assert!(counted > 5, "the templates name messages in another way: {counted}");
}

#[test]
fn every_file_that_the_architecture_names_as_deciding_is_there() {
    let document = read("docs/architecture.md");
    let section = document.split("## Where it is decided\n").nth(1).unwrap().split("\n## ").next().unwrap();
    let named: Vec<_> =
        section.split('`').skip(1).step_by(2).filter(|name| name.contains(['.', '/'])).collect();
    assert!(named.len() > 15, "the table looks otherwise: {named:?}");
    let is_there = |name: &str| {
        [name.to_owned(), format!("shared/{name}")].iter().any(|path| root().join(path).exists())
    };
    let general = ["shared/", "src/routes.rs", "src/lib.rs", "src/describe.rs", "routes.txt"];
    let missing: Vec<_> = named
        .iter()
        .filter(|name| !general.contains(name) && !is_there(name))
        .map(|name| (*name).to_owned())
        .collect();
    assert_none(&missing, "docs/architecture.md names files that are not there");
}

#[test]
fn every_rule_of_event_source_mappings_names_a_test_that_is_there() {
    let document = read("docs/event-source-mapping.md");
    let named: Vec<_> = document
        .lines()
        .filter_map(|line| line.strip_suffix("` |")?.rsplit_once("| `").map(|(_rule, name)| name))
        .collect();
    assert!(named.len() > 30, "the table looks otherwise: {named:?}");
    let all = sources();
    let is_there = |name: &str| all.iter().any(|source| source.text.contains(&format!("fn {name}(")));
    let missing: Vec<_> =
        named.iter().filter(|name| !is_there(name)).map(|name| (*name).to_owned()).collect();
    assert_none(&missing, "docs/event-source-mapping.md names tests that are not there");

    let mut unnamed = Vec::new();
    for source in files("infra/local/src/esm/tests", ".rs") {
        for after in source.text.split("#[tokio::test]\nasync fn ").skip(1) {
            let name = after.split('(').next().unwrap();
            if !named.contains(&name) {
                unnamed.push(format!("{name} ({})", source.path));
            }
        }
    }
    assert_none(&unnamed, "tests whose rule docs/event-source-mapping.md doesn't say");
}

#[test]
fn every_variable_that_is_read_is_documented() {
    let example = read(".env.example");
    let mut offenders = Vec::new();
    for source in sources().into_iter().filter(|source| !source.is_test()) {
        for call in [
            ".get(\"",
            ".require(\"",
            ".parse(\"",
            ".parse_or(\"",
            ".seconds_or(\"",
            ".secret(\"",
            "Secret::from_vars(vars, \"",
            "Secret::require(vars, \"",
        ] {
            let mut rest = source.code();
            while let Some((_, after)) = rest.split_once(call) {
                let name = after.split('"').next().unwrap();
                let is_variable =
                    name.contains('_') && name.bytes().all(|b| b.is_ascii_uppercase() || b == b'_');
                // Lambda sets these.
                if is_variable && !name.starts_with("AWS_") && !example.contains(&format!("{name}=")) {
                    offenders.push(format!("{name} ({})", source.path));
                }
                rest = after;
            }
        }
    }
    assert_none(&offenders, "variables that .env.example doesn't document");
}

#[test]
fn files_are_short() {
    let lengths: Vec<_> = sources()
        .into_iter()
        .filter(|source| !source.is_test())
        .map(|source| (source.code().lines().count(), source.path))
        .collect();
    let over = |most: usize| {
        lengths
            .iter()
            .filter(|(lines, _)| *lines > most)
            .map(|(lines, path)| format!("{path}: {lines}"))
            .collect::<Vec<_>>()
    };
    assert_none(&over(500), "past 500 lines there are two files in one");
    let (long, all) = (over(300), lengths.len());
    assert!(long.len() * 10 <= all, "nine in ten files are under 300 lines: {long:?} of {all}");
}

#[test]
fn modules_are_files_with_names() {
    let offenders: Vec<_> = sources()
        .into_iter()
        .filter(|source| source.path.ends_with("/mod.rs"))
        .map(|source| source.path)
        .collect();
    assert_none(&offenders, "foo.rs and foo/, never mod.rs");
}

#[test]
fn crates_are_named_after_what_they_do_and_say_it_in_a_readme() {
    for krate in folders("shared") {
        assert!(
            !["common", "utils", "util", "core", "helpers"].contains(&krate.as_str()),
            "{krate} says nothing"
        );
        let docs = read(&format!("shared/{krate}/src/lib.rs"));
        assert!(
            docs.starts_with("#![doc = include_str!(\"../README.md\")]"),
            "{krate}: the docs are the README"
        );
        assert!(read(&format!("shared/{krate}/README.md")).starts_with(&format!("# {krate}\n")));
    }
}

#[test]
fn nothing_is_left_for_later() {
    let words = ["TO", "FIX", "HA", "XX"].iter().zip(["DO", "ME", "CK", "X"]).map(|(a, b)| format!("{a}{b}"));
    for word in words {
        let offenders: Vec<_> = sources()
            .into_iter()
            .filter(|source| source.text.split(|c: char| !c.is_alphanumeric()).any(|found| found == word))
            .map(|source| source.path)
            .collect();
        assert_none(&offenders, &format!("{word} in the code"));
    }
}

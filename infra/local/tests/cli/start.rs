//! Starts that fail: one plain sentence each.

use std::{fs, net::TcpListener};

use crate::{
    child::repository,
    running::{dev, dev_with_template},
};

#[test]
fn a_port_in_use_is_named_with_the_way_out() {
    let other = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = other.local_addr().unwrap().port().to_string();
    let template = repository("template.yaml");
    let start = crate::child::joiner(&["dev", "--template", template.to_str().unwrap(), "--port", &port]);
    let ended = start.ends();
    let sentence = ended.complaint();
    assert!(sentence.contains(&port) && sentence.contains("--port"), "{sentence}");
    assert_eq!(ended.stdout, [""; 0]);
}

#[test]
fn a_broken_template_is_named_with_the_place() {
    let cases = [("Resources:\n  Api: [\n", "line 3"), ("", "Resources"), ("Resources: 7\n", "Resources")];
    for (template, place) in cases {
        let ended = dev_with_template("broken.yaml").file("broken.yaml", template).ends();
        let sentence = ended.complaint();
        assert!(sentence.starts_with("broken.yaml") && sentence.contains(place), "{sentence}");
    }
    let template = fs::read_to_string(repository("template.yaml")).unwrap();
    let trigger = fs::read_to_string(repository("infra/trigger.yaml")).unwrap();
    let cases = [
        (
            trigger.replace("BatchSize: 100", "BatchSize: lots"),
            "Resources.EnrichmentTrigger.Trigger.BatchSize",
        ),
        (trigger.replace("BatchSize: 100", "BatchSize: 0"), "BatchSize must be 1 to 10000"),
        ("Resources: [".to_owned(), "Resources.EnrichmentTrigger.Properties.TemplateURL"),
    ];
    for (trigger, place) in cases {
        let dev = dev_with_template("right.yaml").file("right.yaml", &template);
        let ended = dev.file("infra/trigger.yaml", trigger).ends();
        let sentence = ended.complaint();
        assert!(sentence.starts_with("right.yaml") && sentence.contains(place), "{sentence}");
    }
    let ended = dev_with_template("right.yaml").file("right.yaml", &template).ends();
    assert!(ended.complaint().contains("infra/trigger.yaml can't be read"), "{ended:?}");
}

#[test]
fn a_missing_template_is_named() {
    let ended = dev_with_template("nowhere/template.yaml").ends();
    assert!(ended.complaint().contains("nowhere/template.yaml can't be read"), "{ended:?}");
}

#[test]
fn a_broker_that_does_not_answer_is_named_with_its_variable() {
    let ended = dev().var("KAFKA_BOOTSTRAP_SERVERS", "127.0.0.1:1").ends();
    let sentence = ended.complaint();
    assert!(sentence.contains("KAFKA_BOOTSTRAP_SERVERS") && sentence.contains("127.0.0.1:1"), "{sentence}");
}

#[test]
fn a_store_that_does_not_answer_is_named_with_its_variable_and_without_its_password() {
    let redis =
        dev().var("STORAGE_BACKEND", "redis").var("STORAGE_URL", "redis://me:s3cret@127.0.0.1:1").ends();
    let sentence = redis.complaint();
    assert!(
        sentence.starts_with("STORAGE_URL names no Redis that can be used: redis://127.0.0.1:1"),
        "{sentence}"
    );
    assert!(!format!("{redis:?}").contains("s3cret"), "{redis:?}");

    let tables = dev().var("AWS_ENDPOINT_URL_DYNAMODB", "http://me:s3cret@127.0.0.1:1").ends();
    let sentence = tables.complaint();
    assert!(sentence.starts_with("AWS_ENDPOINT_URL_DYNAMODB ") && sentence.contains("http://127.0.0.1:1"));
    assert!(!format!("{tables:?}").contains("s3cret"), "{tables:?}");
}

#[test]
fn a_store_that_never_answers_is_given_up() {
    // It takes connections, and nothing else.
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("redis://{}", silent.local_addr().unwrap());
    let ended = dev().var("STORAGE_BACKEND", "redis").var("STORAGE_URL", &url).ends();
    assert!(
        ended.complaint().starts_with(&format!("STORAGE_URL names no Redis that can be used: {url}")),
        "{ended:?}"
    );
}

#[test]
fn a_cache_and_an_okta_that_do_not_answer_are_warnings() {
    let dev = dev()
        .var("CACHE_URL", "redis://me:s3cret@127.0.0.1:1/2")
        .var("OKTA_ORG_URL", "http://127.0.0.1:1")
        .var("OKTA_API_TOKEN", "token")
        .ready();
    let said = dev.said();
    let line = |start: &str| said.iter().filter(|line| line.starts_with(start)).count();
    assert_eq!(line("  cache     redis://127.0.0.1:1/2"), 1, "{said:#?}");
    assert_eq!(line("  warning   CACHE_URL names no cache that can be used ("), 1, "{said:#?}");
    assert_eq!(line("  warning   OKTA_ORG_URL names no Okta that can be used ("), 1, "{said:#?}");
    assert!(!format!("{said:?}").contains("s3cret"), "{said:#?}");
}

#[test]
fn an_okta_token_that_cannot_be_one_is_named() {
    for wrong in [" ", "00 abc", "t\u{f6}ken"] {
        let ended = dev().var("OKTA_ORG_URL", "https://example.okta.com").var("OKTA_API_TOKEN", wrong).ends();
        assert!(ended.complaint().starts_with("OKTA_API_TOKEN is wrong: expected "), "{ended:?}");
    }
}

#[test]
fn a_wrong_value_is_named_with_what_was_expected() {
    let cases = [
        ("RETRY_MAX_ATTEMPTS", "many", "a number of attempts"),
        ("RETRY_BASE_SECONDS", "-1", "a number of seconds from 0.001"),
        ("API_TIMEOUT_SECONDS", "soon", "a number of seconds from 0.001"),
        ("KAFKA_ACK_TIMEOUT_SECONDS", "-2", "a number of seconds from 0.001"),
        ("LOG_LEVEL", "loud", "error, warn, info, debug or trace"),
        ("STORAGE_BACKEND", "paper", "dynamodb or redis"),
        ("CACHE_URL", "nonsense", "a URL such as redis://"),
        ("OKTA_ORG_URL", "nonsense", "the org's URL"),
        ("OKTA_ORG_URL", "http://example.okta.com", "the org's URL"),
        ("KAFKA_TOPIC_PREFIX", "my topics/", "letters, digits"),
        ("CACHE_KEY_PREFIX", "a:b", "letters, digits"),
    ];
    for (name, value, expected) in cases {
        // So that an Okta is all there but for its address.
        let ended = dev().var("OKTA_API_TOKEN", "local").var(name, value).ends();
        let sentence = ended.complaint();
        assert!(sentence.starts_with(name) && sentence.contains(expected), "{sentence}");
        assert!(!sentence.contains(value), "it may be a secret: {sentence}");
    }
}

#[test]
fn doors_of_which_nobody_can_tell_whether_they_are_open_are_named() {
    for (vars, expected) in [
        (&[("AUTH", "of")][..], "AUTH is wrong: expected on, or off to let everybody in"),
        (
            &[("AUTH", "off"), ("API_KEY", "s3cret")],
            "AUTH is off although API_KEY or API_KEY_SECRET_ID is set",
        ),
        (&[("AUTH", "on")], "API_KEY is not set: expected the keys that callers may send"),
        // Then only dead letters would be guarded.
        (&[("ADMIN_KEY", "s3cret")], "API_KEY is not set: expected the keys that callers may send"),
    ] {
        let start = vars.iter().fold(dev(), |start, (name, value)| start.var(name, value));
        let ended = start.ends();
        assert!(ended.complaint().starts_with(expected), "{ended:#?}");
        assert!(!format!("{ended:?}").contains("s3cret"), "{ended:?}");
    }
}

#[test]
fn a_broken_line_of_the_env_file_is_not_printed() {
    for line in ["s3cret", "API_KEY='s3cret", "API_KEY=s3cret and more", "API KEY=s3cret"] {
        let ended = dev().file(".env", format!("LOG_LEVEL=info\n{line}\n")).ends();
        assert!(ended.complaint().contains(".env"), "{ended:?}");
        assert!(!format!("{ended:?}").contains("s3cret"), "{ended:?}");
    }
}

#[test]
fn a_data_folder_that_cannot_be_made_is_named() {
    let ended = dev().with(&["--data-dir", "file/tables"]).file("file", "").ends();
    assert!(ended.complaint().contains("--data-dir file/tables"), "{ended:?}");
}

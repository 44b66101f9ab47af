use serde_json::Value;

use crate::{
    child::{Start, joiner, repository},
    running::dev,
};

/// `joiner send` of a sample event.
fn send(event: &str, url: &str) -> Start {
    let file = repository("events").join(event);
    joiner(&["send", file.to_str().expect("the repository's path is UTF-8"), "--url", url])
}

#[test]
fn an_accepted_event_is_shown_and_its_user_is_there() {
    let dev = dev().ready();
    let ended = send("hr-webhook/new-hire.json", dev.url()).ends().well();
    assert_eq!((ended.stdout[0].as_str(), &ended.stderr), ("202 Accepted", &Vec::new()));
    let body: Value = serde_json::from_str(&ended.stdout[1..].concat()).unwrap();
    assert_eq!(body["status"], "accepted");
    assert_eq!(dev.outcome(body["status_url"].as_str().unwrap())["status"], "enriched");

    let user = send("user-query/user.json", dev.url()).ends().well();
    assert_eq!(user.stdout[0], "200 OK");
    assert!(user.stdout[1].contains(r#""name":"Ingrid Lindqvist""#), "{user:?}");
}

#[test]
fn a_refused_event_is_shown_and_fails() {
    let dev = dev().ready();
    let ended = send("hr-webhook/invalid-fields.json", dev.url()).ends();
    assert!(!ended.complaint().is_empty());
    assert_eq!(ended.stdout[0], "422 Unprocessable Entity");
    let problem: Value = serde_json::from_str(&ended.stdout[1..].concat()).unwrap();
    assert_eq!(problem["errors"][0]["pointer"], "/employee_id");
}

#[test]
fn a_key_in_the_env_file_is_sent_along() {
    let dev = dev().file(".env", "API_KEY=sesame\n").ready();
    let ended = send("hr-webhook/new-hire.json", dev.url()).file(".env", "API_KEY=sesame\n").ends();
    assert_eq!(ended.stdout[0], "202 Accepted", "{ended:?}");
    let ended = send("hr-webhook/new-hire.json", dev.url()).ends();
    assert_eq!(ended.stdout[0], "401 Unauthorized", "{ended:?}");
}

#[test]
fn an_event_of_another_source_is_not_sent() {
    let ended = send("enrichment/new-hire.json", "http://127.0.0.1:1").ends();
    let sentence = ended.complaint();
    assert!(sentence.contains("enrichment/new-hire.json is not an event of API Gateway"), "{sentence}");
}

#[test]
fn where_nothing_answers_it_says_so() {
    let ended = send("hr-webhook/new-hire.json", "http://127.0.0.1:1").ends();
    assert!(ended.complaint().starts_with("nothing answers at http://127.0.0.1:1"), "{ended:?}");
    assert_eq!(ended.stdout, [""; 0]);
}

#[test]
fn a_missing_file_is_named() {
    let ended = joiner(&["send", "nobody.json"]).ends();
    assert!(ended.complaint().starts_with("nobody.json can't be read"), "{ended:?}");
}

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::{
    company::hires,
    running::{Dev, dev},
};

/// Two rounds of questions to Okta a hire: at the signal, most of the work is still to be done.
const SLOW: [&str; 2] = ["--okta-latency", "100ms"];

fn ids(people: &Value, field: &str) -> BTreeSet<String> {
    let people = people.as_array().into_iter().flatten();
    people.filter_map(|person| person[field].as_str()).map(str::to_owned).collect()
}

fn users(dev: &Dev) -> BTreeSet<String> {
    ids(&dev.get("/v1/users?limit=100").json["users"], "id")
}

#[test]
fn ctrl_c_right_after_fifty_posts_loses_none_of_them() {
    let folder = tempfile::tempdir().unwrap();
    let tables = ["--data-dir", folder.path().to_str().unwrap()];
    let hires = hires(50);
    let first = dev().with(&tables).with(&SLOW).ready();
    let accepted = first.hires_all(&hires);
    let ended = first.stops();
    let troubles = ended.stderr.iter().filter(|line| line.contains(" WARN ") || line.contains("ERROR "));
    assert_eq!(troubles.collect::<Vec<_>>(), Vec::<&String>::new());

    let second = dev().with(&tables).ready();
    assert_eq!(users(&second), ids(&hires.into(), "employee_id"));
    for status_url in &accepted {
        let report = second.get(status_url).json;
        assert_eq!(report["status"], "enriched", "{report}");
    }
    assert_eq!(second.get("/v1/dead-letters").json["dead_letters"], json!([]));
}

#[test]
fn what_is_accepted_while_it_stops_is_not_lost_either() {
    let folder = tempfile::tempdir().unwrap();
    let tables = ["--data-dir", folder.path().to_str().unwrap()];
    let first = dev().with(&tables).ready();
    let accepted = first.hires_and_is_interrupted(&hires(60));
    assert_eq!(first.ends().well().stdout.last().unwrap(), "Stopped.");

    let second = dev().with(&tables).ready();
    assert!(!accepted.is_empty());
    for status_url in &accepted {
        let report = second.get(status_url).json;
        assert_eq!(report["status"], "enriched", "{report}");
    }
}

#[test]
fn sigterm_stops_it_as_ctrl_c_does() {
    let ended = dev().ready().terminates().well();
    assert_eq!(ended.stdout.last().unwrap(), "Stopped.");
}

#[test]
fn a_second_ctrl_c_does_not_wait_for_the_records() {
    let mut dev = dev().with(&["--okta-latency", "1h"]).ready();
    dev.hires_all(&hires(1));
    dev.interrupt();
    dev.says("Stopping");
    dev.interrupt();
    let ended = dev.ends();
    assert_eq!(ended.code, Some(1), "{ended:#?}");
    let sentence = ended.stderr.iter().find(|line| line.starts_with("joiner: "));
    assert!(sentence.is_some_and(|sentence| sentence.contains("stopped at once")), "{ended:#?}");
}

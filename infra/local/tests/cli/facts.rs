//! `joiner facts` against a `joiner dev`, whose first sweep comes a minute after its start.

use serde_json::Value;

use crate::{
    child::joiner,
    running::{Dev, dev},
};

fn lines(dev: &Dev, args: &[&str]) -> Vec<String> {
    joiner(&["facts"]).with(args).with(&["--url", dev.url()]).ends().well().stdout
}

#[test]
fn a_job_is_started_listed_stopped_and_resumed() {
    let dev = dev().ready();
    assert_eq!(lines(&dev, &["jobs"]), ["No jobs."]);
    let said = lines(&dev, &["republish", "--per-second", "7"]);
    let id = said[0].strip_prefix("Job ").and_then(|rest| rest.split(' ').next()).unwrap();
    assert_eq!(said[0], format!("Job {id} republishes users that are being counted."));
    assert_eq!(said[1], "Running: 0 of ? republished.");
    let table = lines(&dev, &["jobs"]);
    assert!(table[1].starts_with(&format!("{id}  running ")), "{table:#?}");
    assert!(table[1].ends_with("  republish users per_second=7"), "{table:#?}");
    assert!(lines(&dev, &["jobs", "stop", id])[1].contains("  stopped  "));
    assert!(lines(&dev, &["jobs", "resume", id])[1].contains("  running  "));
    let shown = lines(&dev, &["jobs", id, "--no-wait", "--json"]).join("\n");
    assert_eq!(serde_json::from_str::<Value>(&shown).unwrap()["per_second"], 7);
    let refused = joiner(&["facts", "republish", "--per-second", "501"]).ends();
    assert!(refused.code != Some(0) && refused.stderr[0].contains("501"), "{refused:#?}");
}

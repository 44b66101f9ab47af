//! The people of the fake Okta, as `joiner okta people` tells.

use serde_json::{Value, json};

use crate::child::joiner;

pub(crate) fn people() -> Vec<Value> {
    people_of(&[])
}

pub(crate) fn people_of(args: &[&str]) -> Vec<Value> {
    let printed = joiner(&["okta", "people", "--json"]).with(args).ends().well().stdout.join("\n");
    serde_json::from_str(&printed).expect("it prints a JSON array")
}

/// The webhook's body that hires the person, with an id of theirs and of the event.
pub(crate) fn hire(id: &str, person: &Value) -> Value {
    json!({
        "employee_id": id,
        "event_id": format!("event-{id}"),
        "first_name": person["firstName"],
        "last_name": person["lastName"],
        "email": person["email"],
    })
}

/// Hires of the first so many, as E001, E002, …
pub(crate) fn hires(count: usize) -> Vec<Value> {
    (1..=count).zip(&people()).map(|(number, person)| hire(&format!("E{number:03}"), person)).collect()
}

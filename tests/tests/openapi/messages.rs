//! `docs/schemas/<message>/v<version>.json` is what a message's type says, and what was stored or is known under a version
//! stays right under it: docs/api-versions.md.

use std::{collections::BTreeMap, fs};

use contracts::{
    EnrichedUser, FactType,
    message::{MESSAGES, Message, Readers},
};
use serde_json::{Value, json};

use crate::{
    assert_written,
    compatible::schema::{Documents, Flow},
    root,
};

const FOLDER: &str = "docs/schemas";

fn file(message: &Message) -> String {
    format!("{FOLDER}/{}/v{}.json", message.subject, message.version)
}

fn made(message: &Message) -> Value {
    serde_json::to_value(message.schema()).unwrap()
}

/// What the file holds, if it is there.
fn written(message: &Message) -> Option<Value> {
    let text = fs::read(root().join(file(message))).ok()?;
    Some(serde_json::from_slice(&text).unwrap())
}

/// What is wrong with another schema for the same version.
fn breaks(message: &Message, written: &Value, made: &Value) -> Vec<String> {
    let documents = Documents { released: written, built: made };
    let flows: &[_] = match message.readers {
        Readers::Joiner => &[Flow::Sent],
        Readers::Everybody => &[Flow::Sent, Flow::Answered],
    };
    let mut breaks = Vec::new();
    for flow in flows {
        documents.compare(*flow, written, made, message.subject, &mut breaks);
    }
    breaks.sort();
    breaks.dedup();
    breaks
}

/// Comes before it is written: `make openapi` breaks nothing either.
#[test]
fn each_message_has_the_schema_of_its_type_and_a_change_breaks_nothing() {
    for message in MESSAGES {
        let made = made(message);
        let breaks = written(message).map(|written| breaks(message, &written, &made)).unwrap_or_default();
        assert!(
            breaks.is_empty(),
            "this takes a new version of {} (docs/api-versions.md):\n  {}",
            message.subject,
            breaks.join("\n  "),
        );
        assert_written(&file(message), &(serde_json::to_string_pretty(&made).unwrap() + "\n"));
    }
}

/// Names and numbers of the versions in a folder with a folder for each message.
fn versions(folder: &str) -> BTreeMap<String, Vec<u32>> {
    let mut versions = BTreeMap::<_, Vec<u32>>::new();
    for message in fs::read_dir(root().join(folder)).unwrap() {
        let message = message.unwrap();
        for version in fs::read_dir(message.path()).unwrap() {
            let name = version.unwrap().file_name().into_string().unwrap();
            let number = name.trim_end_matches(".json").strip_prefix('v').and_then(|name| name.parse().ok());
            let subject = message.file_name().into_string().unwrap();
            versions
                .entry(subject)
                .or_default()
                .push(number.unwrap_or_else(|| panic!("{name} is no version")));
        }
    }
    for versions in versions.values_mut() {
        versions.sort_unstable();
    }
    versions
}

#[test]
fn each_version_of_each_message_has_a_schema_and_nothing_else_has() {
    let all = |message: &Message| (1..=message.version.parse::<u32>().unwrap()).collect();
    let expected: BTreeMap<_, Vec<u32>> =
        MESSAGES.iter().map(|message| (message.subject.to_owned(), all(message))).collect();
    assert_eq!(versions(FOLDER), expected);
}

#[test]
fn of_each_version_before_messages_are_kept() {
    let kept = versions("shared/contracts/samples");
    for message in MESSAGES {
        for version in 1..message.version.parse::<u32>().unwrap() {
            let is_kept = kept.get(message.subject).is_some_and(|kept| kept.contains(&version));
            assert!(is_kept, "shared/contracts/samples has no {} of version {version}", message.subject);
        }
    }
}

const COMMAND: Message = MESSAGES[0];

/// Read by other systems.
const FACT: Message = Message::fact::<EnrichedUser>(FactType::UserCreated);

/// What the change of its schema at `pointer` breaks.
fn after(message: &Message, pointer: &str, change: impl FnOnce(&mut Value)) -> Vec<String> {
    let written = made(message);
    let mut made = written.clone();
    change(made.pointer_mut(pointer).unwrap_or_else(|| panic!("{} has no {pointer}", message.subject)));
    assert_ne!(made, written, "nothing was changed at {pointer}");
    breaks(message, &written, &made)
}

fn remove(name: &str) -> impl FnOnce(&mut Value) {
    move |value| drop(value.as_object_mut().unwrap().remove(name))
}

fn set(name: &str, to: Value) -> impl FnOnce(&mut Value) {
    move |value| drop(value.as_object_mut().unwrap().insert(name.to_owned(), to))
}

fn is(to: Value) -> impl FnOnce(&mut Value) {
    move |value| *value = to
}

fn push(one: Value) -> impl FnOnce(&mut Value) {
    move |value| value.as_array_mut().unwrap().push(one)
}

/// What the newest version allows for an optional text of a person.
const TITLE: &str = "/$defs/Stated/properties/title";

#[test]
fn what_makes_a_stored_command_unreadable_is_refused_by_name() {
    for (broken, expected) in [
        (after(&COMMAND, "/properties", remove("edition")), ": `edition` is gone"),
        (after(&COMMAND, "/$defs/Stated/properties", remove("title")), " `stated`: `title` is gone"),
        (after(&COMMAND, "/required", push(json!("occurredAt"))), ": `occurredAt` is required now"),
        (
            after(&COMMAND, "/properties/edition", set("type", json!("string"))),
            " `edition`: its type is another",
        ),
        (
            after(&COMMAND, TITLE, is(json!({"$ref": "#/$defs/Text"}))),
            " `stated` `title`: its type is another",
        ),
        (
            after(&COMMAND, "/$defs/Text", set("maxLength", json!(64))),
            " `stated` `firstName`: maxLength is narrower",
        ),
        (
            after(&COMMAND, "/$defs/Text", set("minLength", json!(2))),
            " `stated` `title`: minLength is narrower",
        ),
        (
            after(&COMMAND, "/$defs/EventId", set("pattern", json!("^[a-z]+$"))),
            " `eventId`: pattern is another",
        ),
        (
            after(&COMMAND, "/$defs/EventType/oneOf", |choices| {
                choices.as_array_mut().unwrap().retain(|choice| choice["const"] != "erased");
            }),
            " `eventType`: the value \"erased\" is gone",
        ),
        (
            after(&COMMAND, "/$defs/Warning/properties/message", set("enum", json!(["left out"]))),
            " `warnings` items `message`: it is one of certain values now",
        ),
        (
            after(&COMMAND, "/$defs/Warning", set("additionalProperties", json!(false))),
            " `warnings` items: other fields are refused now",
        ),
        (
            after(&COMMAND, "/properties/warnings", set("items", json!({"type": "string"}))),
            " `warnings` items: its type is another",
        ),
    ] {
        let expected = format!("{}{expected}", COMMAND.subject);
        assert!(broken.contains(&expected), "{expected}: {broken:#?}");
    }
}

#[test]
fn what_other_systems_know_of_a_fact_stays_for_new_facts_and_for_stored_ones() {
    for (broken, expected) in [
        (after(&FACT, "/properties", remove("title")), ": `title` is gone"),
        // A new one may lack it.
        (
            after(&FACT, "/required", |required| {
                required.as_array_mut().unwrap().retain(|name| name != "version");
            }),
            ": `version` is not always there any more",
        ),
        (
            after(&FACT, "/properties/version", set("type", json!(["integer", "null"]))),
            " `version`: its type is another",
        ),
        // A stored one lacks it.
        (after(&FACT, "/required", push(json!("shoeSize"))), ": `shoeSize` is required now"),
        (
            after(&FACT, "/$defs/EnrichmentState/oneOf", |choices| {
                choices.as_array_mut().unwrap().pop();
            }),
            " `enrichment` `state`: the value \"left\" is gone",
        ),
    ] {
        let expected = format!("{}{expected}", FACT.subject);
        assert!(broken.contains(&expected), "{expected}: {broken:#?}");
    }
}

#[test]
fn what_is_added_or_read_more_widely_breaks_nothing() {
    let shoe_size = || set("shoeSize", json!({"type": "integer"}));
    let promoted = json!({"type": "string", "const": "promoted"});
    for unbroken in [
        after(&COMMAND, "/properties", shoe_size()),
        after(&COMMAND, "/$defs/Stated/properties", shoe_size()),
        after(&COMMAND, "/$defs/Text", set("maxLength", json!(1000))),
        after(&COMMAND, "/$defs/EventType/oneOf", push(promoted)),
        after(&COMMAND, "/properties/edition", set("type", json!(["integer", "null"]))),
        after(&COMMAND, "/$defs/Stated/properties/email", |email| {
            *email = json!({"anyOf": [email.clone(), {"type": "null"}]});
        }),
        after(&COMMAND, "", set("description", json!("Another word for it."))),
        after(&FACT, "/properties", shoe_size()),
        after(&FACT, "/$defs/EnrichmentState/oneOf", push(json!({"type": "string", "const": "away"}))),
    ] {
        assert_eq!(unbroken, [""; 0]);
    }
}

//! Scenarios across the functions: they are in `tests/`, and here is what their programs share.

#![expect(clippy::unwrap_used, clippy::missing_panics_doc, reason = "a test that can't go on has failed")]

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

use joiner::template::{FunctionSpec, Template};
use serde_json::Value;

/// An event of `events/<function>/`, and what is answered to it.
#[derive(Debug)]
pub struct Sample {
    pub name: String,
    pub event: String,
    answer: Value,
}

/// The repository's.
pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// Those of `template.yaml` that something of it invokes, in its order: what reads comes after what writes.
pub fn functions() -> Vec<FunctionSpec> {
    let mut functions = Template::read(&root().join("template.yaml")).unwrap().functions;
    functions.retain(FunctionSpec::is_invoked);
    functions
}

/// By name. What belongs to a sample and is no event of its own has a second dot in its name.
pub fn samples(function: &str) -> Vec<Sample> {
    let folder = root().join("events").join(function);
    let answers = fs::read_to_string(folder.join("answers.yaml")).unwrap();
    let mut answers: BTreeMap<String, Value> = serde_norway::from_str(&answers).unwrap();
    let files = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let events = files.filter_map(|path| {
        let name = path.file_name()?.to_str()?.strip_suffix(".json").filter(|name| !name.contains('.'))?;
        Some((name.to_owned(), fs::read_to_string(&path).unwrap()))
    });
    let mut samples: Vec<_> = events
        .map(|(name, event)| {
            let answer = answers.remove(&name);
            let answer = answer.unwrap_or_else(|| panic!("events/{function}/answers.yaml lacks {name}"));
            Sample { name, event, answer }
        })
        .collect();
    assert!(!samples.is_empty(), "{function} has no sample event");
    assert!(answers.is_empty(), "events/{function}/answers.yaml names events that aren't there: {answers:?}");
    samples.sort_by(|a, b| a.name.cmp(&b.name));
    samples
}

/// The one of that name.
pub fn sample(function: &str, name: &str) -> String {
    samples(function).into_iter().find(|sample| sample.name == name).unwrap().event
}

impl Sample {
    pub fn is_answered_by(&self, answer: &Value) -> bool {
        holds(answer, &self.answer)
    }

    /// How the function's JSON begins.
    pub fn answer_begins(&self) -> String {
        let json = self.answer.to_string();
        json.strip_suffix('}').unwrap_or(&json).to_owned()
    }
}

/// Whether the first has all that the second has.
fn holds(whole: &Value, part: &Value) -> bool {
    match part {
        Value::Object(fields) => fields.iter().all(|(name, field)| holds(&whole[name], field)),
        other => whole == other,
    }
}

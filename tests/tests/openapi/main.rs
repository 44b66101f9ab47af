//! `docs/openapi.yaml` and `docs/schemas/` say what the code does: they are made of its types, and held to its routes and to
//! what was written of them before.

#![expect(clippy::unwrap_used, reason = "a test that can't go on has failed")]

mod compatible;
mod messages;
mod rows;
mod template;

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

use api::{Problem, Route, Scope, openapi::Description};
use jiff::civil::date;
use lambda::Function as _;
use reqwest::StatusCode;
use serde_json::Value;

type Describe = fn(&mut Description);

/// Those with an HTTP API.
const FUNCTIONS: [(&str, Describe); 5] = [
    (hr_webhook::Function::NAME, hr_webhook::describe),
    (user_query::Function::NAME, user_query::describe),
    (dead_letters::Function::NAME, dead_letters::describe),
    (fact_jobs::Function::NAME, fact_jobs::describe),
    (api_reference::Function::NAME, api_reference::describe),
];

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

fn description_of(functions: &[(&str, Describe)]) -> Description {
    let mut description = Description::default();
    for (_, describe) in functions {
        describe(&mut description);
    }
    description
}

/// The whole document, as it is built.
fn built() -> Value {
    serde_json::to_value(description_of(&FUNCTIONS).finish("0")).unwrap()
}

/// The file says what was made of the code. With `UPDATE_OPENAPI` it is written first.
fn assert_written(file: &str, made: &str) {
    let path = root().join(file);
    if std::env::var_os("UPDATE_OPENAPI").is_some() {
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, made).unwrap();
    }
    let written = fs::read_to_string(&path).unwrap_or_default();
    let differs = written.lines().zip(made.lines()).position(|(written, made)| written != made);
    assert!(
        written == made,
        "{file} is not what the code says, from line {} on: make openapi",
        differs.map_or(written.lines().count(), |line| line + 1),
    );
}

#[test]
fn the_document_is_what_the_code_describes() {
    let document = description_of(&FUNCTIONS).finish(env!("CARGO_PKG_VERSION"));
    assert_written("docs/openapi.yaml", &serde_norway::to_string(&document).unwrap());
}

#[test]
fn the_function_that_takes_the_rest_knows_every_route() {
    assert_written("functions/user-query/src/routes.txt", &description_of(&FUNCTIONS).paths());
}

#[test]
fn every_row_is_described_with_its_query_parameters() {
    assert_eq!(description_of(&FUNCTIONS).gaps(), [""; 0]);
}

#[test]
fn a_deprecated_row_is_described_as_such_with_the_headers_that_announce_its_end() {
    static ROWS: [Route<()>; 1] = [Route::<()>::get("/v1/old", "old", Scope::UsersRead, |(), _| {
        Box::pin(async { Err(Problem::unknown_route()) })
    })
    .deprecated(date(2026, 12, 1), date(2027, 6, 1))];
    let mut description = Description::default();
    description.add(&ROWS);
    let _complete = description.operation("old", "Old").answers::<String>(StatusCode::OK, "It is.", &[]);
    let document = serde_json::to_value(description.finish("0")).unwrap();
    let old = &document["paths"]["/v1/old"]["get"];
    assert_eq!(old["deprecated"], true);
    let headers: Vec<_> = old["responses"]["200"]["headers"].as_object().unwrap().keys().collect();
    assert_eq!(headers, ["Deprecation", "Sunset", "X-Correlation-Id"]);
}

#[test]
fn every_operation_has_its_own_id_and_every_reference_a_target() {
    let document = built();
    let operations =
        document["paths"].as_object().unwrap().values().flat_map(|path| path.as_object().unwrap().values());
    let ids: Vec<_> = operations.map(|operation| operation["operationId"].as_str().unwrap()).collect();
    let (mut named, mut targets) = (BTreeSet::new(), BTreeSet::new());
    walk(&document, &mut |name, value| match name {
        "operationId" => drop(named.insert(value.to_owned())),
        "$ref" => drop(targets.insert(value.to_owned())),
        _ => {}
    });
    assert!(ids.len() > 10);
    assert_eq!(named, ids.iter().map(|id| (*id).to_owned()).collect(), "a link leads nowhere");
    assert_eq!(named.len(), ids.len(), "two operations with one id");
    for target in &targets {
        let pointer = target.strip_prefix('#').unwrap();
        assert!(document.pointer(pointer).is_some(), "nothing at {target}");
    }
    for (name, _) in document["components"]["schemas"].as_object().unwrap() {
        assert!(targets.contains(&format!("#/components/schemas/{name}")), "nobody needs {name}");
    }
}

/// Every text in the document, with the name of what holds it.
fn walk(value: &Value, see: &mut impl FnMut(&str, &str)) {
    match value {
        Value::Object(fields) => {
            for (name, field) in fields {
                if let Some(text) = field.as_str() {
                    see(name, text);
                }
                walk(field, see);
            }
        }
        Value::Array(items) => items.iter().for_each(|item| walk(item, see)),
        _ => {}
    }
}

//! What a caller of v1 relies on stays: docs/api-versions.md. `tests/schemas/openapi-v1.yaml` is what was released.

pub(crate) mod schema;

use std::fs;

use serde_json::{Map, Value, json};

use crate::{built, root};
use schema::{Documents, Flow};

/// What breaks for a caller who knows `released` only.
fn breaks(released: &Value, built: &Value) -> Vec<String> {
    let documents = Documents { released, built };
    let mut breaks = Vec::new();
    for (path, methods) in fields(&released["paths"]) {
        for (method, before) in fields(methods) {
            let place = format!("{} {path}", method.to_uppercase());
            match built["paths"][path].get(method) {
                Some(now) => operation(documents, before, now, &place, &mut breaks),
                // Its end was announced.
                None if before["deprecated"] == true => {}
                None => breaks.push(format!("{place} is gone")),
            }
        }
    }
    breaks
}

fn operation(documents: Documents<'_>, before: &Value, now: &Value, place: &str, breaks: &mut Vec<String>) {
    if now["security"] != before["security"] && now["security"] != json!([]) {
        breaks.push(format!("{place} needs another scope"));
    }
    parameters(documents, before, now, place, breaks);
    match (body(before), body(now)) {
        (Some(before), Some(now)) => {
            documents.compare(Flow::Sent, before, now, &format!("{place} body"), breaks);
        }
        (None, None) => {}
        (Some(_), None) => breaks.push(format!("{place} takes no body any more")),
        (None, Some(_)) => breaks.push(format!("{place} needs a body")),
    }
    for (status, before) in fields(&before["responses"]).iter().filter(|(status, _)| status.starts_with('2'))
    {
        let place = format!("{place} {status}");
        let Some(now) = now["responses"].get(status) else {
            breaks.push(format!("{place} is not answered any more"));
            continue;
        };
        let gone = fields(&before["headers"]).keys().filter(|name| now["headers"].get(*name).is_none());
        breaks.extend(gone.map(|name| format!("{place} has no header {name} any more")));
        let json = "/content/application~1json/schema";
        if let (Some(before), Some(now)) = (before.pointer(json), now.pointer(json)) {
            documents.compare(Flow::Answered, before, now, &place, breaks);
        }
    }
}

fn parameters(documents: Documents<'_>, before: &Value, now: &Value, place: &str, breaks: &mut Vec<String>) {
    let Documents { released, built } = documents;
    let all = |document, operation: &Value| -> Vec<Value> {
        let parameters = operation["parameters"].as_array().unwrap();
        parameters.iter().map(|parameter| schema::resolved(document, parameter).clone()).collect()
    };
    let (before, now) = (all(released, before), all(built, now));
    let is_same = |one: &Value, other: &Value| one["in"] == other["in"] && one["name"] == other["name"];
    for was in &before {
        let place = format!("{place} `{}`", was["name"].as_str().unwrap());
        match now.iter().find(|now| is_same(was, now)) {
            Some(now) => documents.compare(Flow::Sent, &was["schema"], &now["schema"], &place, breaks),
            None => breaks.push(format!("{place} is gone")),
        }
    }
    for new in now.iter().filter(|new| new["required"] == true) {
        if !before.iter().any(|was| is_same(was, new) && was["required"] == true) {
            breaks.push(format!("{place} `{}` is required now", new["name"].as_str().unwrap()));
        }
    }
}

fn body(operation: &Value) -> Option<&Value> {
    operation.pointer("/requestBody/content/application~1json/schema")
}

/// None of what has no fields.
fn fields(value: &Value) -> &Map<String, Value> {
    static NONE: std::sync::LazyLock<Map<String, Value>> = std::sync::LazyLock::new(Map::new);
    value.as_object().unwrap_or(&NONE)
}

fn released() -> Value {
    let text = fs::read_to_string(root().join("tests/schemas/openapi-v1.yaml")).unwrap();
    serde_norway::from_str(&text).unwrap()
}

#[test]
fn nothing_breaks_for_callers_of_the_released_v1() {
    let breaks = breaks(&released(), &built());
    assert!(breaks.is_empty(), "v1 would break (docs/api-versions.md):\n  {}", breaks.join("\n  "));
}

/// What the change at `pointer` breaks.
fn after(pointer: &str, change: impl FnOnce(&mut Value)) -> Vec<String> {
    let released = released();
    let mut built = released.clone();
    change(built.pointer_mut(pointer).unwrap_or_else(|| panic!("nothing at {pointer}")));
    breaks(&released, &built)
}

fn remove(name: &str) -> impl FnOnce(&mut Value) {
    move |value| assert!(value.as_object_mut().unwrap().remove(name).is_some(), "no {name}")
}

fn set(name: &str, to: Value) -> impl FnOnce(&mut Value) {
    move |value| drop(value.as_object_mut().unwrap().insert(name.to_owned(), to))
}

const LIST: &str = "/paths/~1v1~1users/get";
const WEBHOOK: &str = "/components/schemas/HrEvent";
const USER: &str = "/components/schemas/EnrichedUser";

#[test]
fn what_a_caller_relies_on_is_named_when_it_goes() {
    let no_parameter =
        |value: &mut Value| value.as_array_mut().unwrap().retain(|one| one["name"] != "department");
    let required = json!(["employee_id", "title"]);
    for (broken, expected) in [
        (after("/paths", remove("/v1/users")), "GET /v1/users is gone"),
        (after(LIST, set("security", json!([{"AdminKey": []}]))), "GET /v1/users needs another scope"),
        (after(&format!("{LIST}/parameters"), no_parameter), "GET /v1/users `department` is gone"),
        (after(&format!("{LIST}/responses"), remove("200")), "GET /v1/users 200 is not answered any more"),
        (
            after(&format!("{LIST}/responses/200/headers"), remove("Link")),
            "GET /v1/users 200 has no header Link any more",
        ),
        (
            after("/components/parameters/Limit/schema", set("maximum", json!(10))),
            "GET /v1/users `limit`: maximum is narrower",
        ),
        (
            after("/components/parameters/Limit", set("required", json!(true))),
            "GET /v1/users `limit` is required now",
        ),
        (after(WEBHOOK, set("required", required)), "POST /v1/hr/webhook body: `title` is required now"),
        (
            after(&format!("{WEBHOOK}/properties"), remove("title")),
            "POST /v1/hr/webhook body: `title` is gone",
        ),
        (after(&format!("{USER}/properties"), remove("title")), "GET /v1/users/{id} 200: `title` is gone"),
        (
            after(USER, set("required", json!(["id"]))),
            "GET /v1/users/{id} 200: `email` is not always there any more",
        ),
        (
            after(&format!("{USER}/properties/id"), |id| *id = json!({"type": "integer"})),
            "GET /v1/users/{id} 200 `id`: its type is another",
        ),
    ] {
        assert!(broken.iter().any(|found| found == expected), "{expected}: {broken:#?}");
    }
}

#[test]
fn what_is_added_breaks_nothing_and_what_was_deprecated_may_go() {
    let more = |value: &mut Value| {
        value.as_array_mut().unwrap().push(json!({"name": "x", "in": "query", "schema": {}}));
    };
    for added in [
        after("/paths", set("/v1/more", json!({"get": {}}))),
        after(&format!("{LIST}/parameters"), more),
        after(LIST, set("deprecated", json!(true))),
        after(LIST, set("security", json!([]))),
        after("/components/parameters/Limit/schema", set("maximum", json!(1000))),
        after(&format!("{WEBHOOK}/properties"), set("shoe_size", json!({"type": "integer"}))),
        after(&format!("{USER}/properties"), set("shoeSize", json!({"type": "integer"}))),
        after(&format!("{LIST}/responses"), set("410", json!({"description": "Gone"}))),
    ] {
        assert_eq!(added, [""; 0]);
    }
    let mut released = released();
    released["paths"]["/v1/users"]["get"]["deprecated"] = json!(true);
    let mut without = released.clone();
    remove("/v1/users")(&mut without["paths"]);
    assert_eq!(breaks(&released, &without), [""; 0]);
}

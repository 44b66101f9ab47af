use std::collections::BTreeSet;

use serde_json::{Map, Value, json};

use super::fields;

/// Which way a value goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Flow {
    /// A caller sends it, or it is stored: all that was read has to be read.
    Sent,
    /// A caller reads it: all that was answered has to be answered.
    Answered,
}

#[derive(Clone, Copy)]
pub(crate) struct Documents<'a> {
    pub(crate) released: &'a Value,
    pub(crate) built: &'a Value,
}

/// Bounds, and whether a greater one is wider.
const BOUNDS: [(&str, bool); 8] = [
    ("maximum", true),
    ("maxLength", true),
    ("maxItems", true),
    ("maxProperties", true),
    ("minimum", false),
    ("minLength", false),
    ("minItems", false),
    ("minProperties", false),
];

impl Documents<'_> {
    /// Each alternative of the narrower side has to be one of the other's.
    pub(crate) fn compare(
        self,
        flow: Flow,
        before: &Value,
        now: &Value,
        place: &str,
        breaks: &mut Vec<String>,
    ) {
        let (before, now) = (alternatives(self.released, before), alternatives(self.built, now));
        let (least, most) = if flow == Flow::Sent { (&before, &now) } else { (&now, &before) };
        if !least.iter().all(|one| most.iter().any(|other| is_of_the_type(one, other))) {
            breaks.push(format!("{place}: its type is another"));
            return;
        }
        for before in &before {
            let candidates =
                now.iter().filter(|now| is_of_the_type(before, now) || is_of_the_type(now, before));
            let broken = candidates.map(|now| {
                let mut breaks = Vec::new();
                self.compare_alternative(flow, before, now, place, &mut breaks);
                breaks
            });
            breaks.extend(broken.min_by_key(Vec::len).unwrap_or_default());
        }
    }

    fn compare_alternative(
        self,
        flow: Flow,
        before: &Value,
        now: &Value,
        place: &str,
        breaks: &mut Vec<String>,
    ) {
        match flow {
            Flow::Sent => narrower(before, now, place, breaks),
            Flow::Answered => {
                let missing = required(before).difference(&required(now)).copied().collect::<Vec<_>>();
                let is_there = |name: &&str| now["properties"].get(*name).is_some();
                let missing = missing.into_iter().filter(is_there);
                breaks.extend(missing.map(|name| format!("{place}: `{name}` is not always there any more")));
            }
        }
        for (name, before) in fields(&before["properties"]) {
            match now["properties"].get(name) {
                Some(now) => self.compare(flow, before, now, &format!("{place} `{name}`"), breaks),
                None => breaks.push(format!("{place}: `{name}` is gone")),
            }
        }
        for inner in ["items", "additionalProperties"] {
            let of = |schema: &Value| schema.get(inner).cloned().unwrap_or(json!(true));
            let (before, now) = (of(before), of(now));
            let is_said = before != json!(true) || now != json!(true);
            // Whether there may be more fields at all, `narrower` compares.
            if is_said && before != json!(false) && now != json!(false) {
                self.compare(flow, &before, &now, &format!("{place} {inner}"), breaks);
            }
        }
    }
}

/// What is read no more although it was.
fn narrower(before: &Value, now: &Value, place: &str, breaks: &mut Vec<String>) {
    let new = required(now).difference(&required(before)).copied().collect::<Vec<_>>();
    breaks.extend(new.into_iter().map(|name| format!("{place}: `{name}` is required now")));
    for (name, more_is_wider) in BOUNDS {
        let Some(bound) = now[name].as_f64() else { continue };
        let is_narrower =
            before[name].as_f64().is_none_or(|was| if more_is_wider { bound < was } else { bound > was });
        if is_narrower {
            breaks.push(format!("{place}: {name} is narrower"));
        }
    }
    for name in ["pattern", "format"] {
        if now.get(name).is_some() && now.get(name) != before.get(name) {
            breaks.push(format!("{place}: {name} is another"));
        }
    }
    match (before.get("const"), now.get("const")) {
        (Some(was), Some(is)) if was != is => breaks.push(format!("{place}: the value {was} is gone")),
        (None, Some(_)) => breaks.push(format!("{place}: it is one of certain values now")),
        _ => {}
    }
    if now["additionalProperties"] == false && before["additionalProperties"] != false {
        breaks.push(format!("{place}: other fields are refused now"));
    }
}

/// Every one that a value may be, each with a type and without choices of its own, so that two ways to write the same
/// compare as equal.
fn alternatives(document: &Value, schema: &Value) -> Vec<Value> {
    let schema = resolved(document, schema);
    let mut all = vec![Value::Object(Map::new())];
    for (name, value) in fields(schema) {
        let parts: Vec<Value> = match (name.as_str(), value) {
            ("anyOf" | "oneOf", Value::Array(choices)) => {
                choices.iter().flat_map(|choice| alternatives(document, choice)).collect()
            }
            ("allOf", Value::Array(parts)) => {
                let whole = parts.iter().map(|part| alternatives(document, part));
                whole.reduce(|whole, part| products(&whole, &part)).unwrap_or_else(|| vec![json!({})])
            }
            ("type", Value::Array(types)) => types.iter().map(|one| json!({ "type": one })).collect(),
            ("enum", Value::Array(values)) => {
                values.iter().map(|value| json!({ "const": value, "type": type_of(value) })).collect()
            }
            ("const", value) => vec![json!({ "const": value, "type": type_of(value) })],
            (_, value) => vec![json!({ name: value })],
        };
        all = products(&all, &parts);
    }
    // What else stands there is of the other types.
    let null = json!({ "type": "null" });
    all.into_iter().map(|one| if one["type"] == "null" { null.clone() } else { one }).collect()
}

/// Each of the ones with each of the others, but for those that are of two types.
fn products(ones: &[Value], others: &[Value]) -> Vec<Value> {
    let pairs = ones.iter().flat_map(|one| others.iter().map(move |other| (one, other)));
    let pairs = pairs.filter(|(one, other)| is_of_the_type(one, other) || is_of_the_type(other, one));
    pairs.map(|(one, other)| both(one, other)).collect()
}

fn both(one: &Value, other: &Value) -> Value {
    let mut both = fields(one).clone();
    for (name, value) in fields(other) {
        match (name.as_str(), both.get_mut(name)) {
            ("properties", Some(Value::Object(properties))) => {
                for (name, value) in fields(value) {
                    let property = properties.entry(name).or_insert(json!(true));
                    *property = json!({ "allOf": [property, value] });
                }
            }
            ("required", Some(Value::Array(required))) => {
                required.extend(value.as_array().into_iter().flatten().cloned());
            }
            _ => drop(both.insert(name.clone(), value.clone())),
        }
    }
    Value::Object(both)
}

fn type_of(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(number) if number.is_f64() => "number",
        Value::Number(_) => "integer",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    }
}

/// Whether all of the one's type is of the other's; without a type it is of any.
fn is_of_the_type(one: &Value, other: &Value) -> bool {
    match (one["type"].as_str(), other["type"].as_str()) {
        (_, None) => true,
        (None, Some(_)) => false,
        (Some(one), Some(other)) => one == other || (one, other) == ("integer", "number"),
    }
}

/// What a `$ref` names.
pub(crate) fn resolved<'a>(document: &'a Value, value: &'a Value) -> &'a Value {
    match value["$ref"].as_str() {
        Some(target) => {
            document.pointer(target.trim_start_matches('#')).unwrap_or_else(|| panic!("no {target}"))
        }
        None => value,
    }
}

fn required(schema: &Value) -> BTreeSet<&str> {
    schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str).collect()
}

use std::collections::BTreeSet;

use serde_json::Value;

use super::fields;

/// Which way a value goes.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Flow {
    /// A caller sends it: all that was read has to be read.
    Sent,
    /// A caller reads it: all that was answered has to be answered.
    Answered,
}

#[derive(Clone, Copy)]
pub(super) struct Documents<'a> {
    pub(super) released: &'a Value,
    pub(super) built: &'a Value,
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
    pub(super) fn compare(
        self,
        flow: Flow,
        before: &Value,
        now: &Value,
        place: &str,
        breaks: &mut Vec<String>,
    ) {
        let (before, now) = (resolved(self.released, before), resolved(self.built, now));
        let types = (types(before), types(now));
        let (least, most) = if flow == Flow::Sent { (&types.0, &types.1) } else { (&types.1, &types.0) };
        if !most.is_empty() && (least.is_empty() || !least.is_subset(most)) {
            breaks.push(format!("{place}: its type is another"));
            return;
        }
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
            if let (Some(before), Some(now)) = (before.get(inner), now.get(inner)) {
                self.compare(flow, before, now, &format!("{place} {inner}"), breaks);
            }
        }
        for choice in ["oneOf", "anyOf", "allOf"] {
            let variants = |schema: &Value| schema[choice].as_array().cloned().unwrap_or_default();
            let now = variants(now);
            for (number, before) in variants(before).iter().enumerate() {
                let fits = now.iter().any(|now| {
                    let mut breaks = Vec::new();
                    self.compare(flow, before, now, place, &mut breaks);
                    breaks.is_empty()
                });
                if !fits {
                    breaks.push(format!("{place}: choice {} is gone", number + 1));
                }
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
    for name in ["pattern", "format", "const"] {
        if now.get(name).is_some() && now.get(name) != before.get(name) {
            breaks.push(format!("{place}: {name} is another"));
        }
    }
    if let Some(now) = now["enum"].as_array() {
        let before = before["enum"].as_array();
        if before.is_none_or(|before| before.iter().any(|value| !now.contains(value))) {
            breaks.push(format!("{place}: values of its enum are gone"));
        }
    }
    if now["additionalProperties"] == false && before["additionalProperties"] != false {
        breaks.push(format!("{place}: other fields are refused now"));
    }
}

/// What a `$ref` names.
pub(super) fn resolved<'a>(document: &'a Value, value: &'a Value) -> &'a Value {
    match value["$ref"].as_str() {
        Some(target) => {
            document.pointer(target.trim_start_matches('#')).unwrap_or_else(|| panic!("no {target}"))
        }
        None => value,
    }
}

/// Empty where any type will do.
fn types(schema: &Value) -> BTreeSet<&str> {
    match &schema["type"] {
        Value::String(one) => BTreeSet::from([one.as_str()]),
        Value::Array(several) => several.iter().filter_map(Value::as_str).collect(),
        _ => BTreeSet::new(),
    }
}

fn required(schema: &Value) -> BTreeSet<&str> {
    schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str).collect()
}

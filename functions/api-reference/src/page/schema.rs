//! JSON Schema in words, as far as the description uses it.

use serde_json::Value;

use super::html::{code, escaped, fields, items, paragraph, prose};

pub(super) fn section(name: &str, schema: &Value) -> String {
    let name = escaped(name);
    let is_one_line = schema["properties"].is_null() && choices(schema).is_empty();
    let kind = if is_one_line { format!("<p>{}</p>", kind(schema)) } else { String::new() };
    format!(
        "<section id=\"schema-{name}\" class=\"card\"><h3><a href=\"#schema-{name}\">{name}</a></h3>{}{kind}{}</section>",
        paragraph(&schema["description"]),
        inside(schema),
    )
}

pub(super) fn link(name: &str) -> String {
    let name = escaped(name);
    format!("<a href=\"#schema-{name}\">{name}</a>")
}

/// What a value is, in a line.
pub(super) fn kind(schema: &Value) -> String {
    if let Some(name) = schema["$ref"].as_str().and_then(|target| target.rsplit('/').next()) {
        return link(name);
    }
    let one_of = |kinds: Vec<String>| kinds.join(" or ");
    if let Some(value) = schema.get("const") {
        return code(value);
    }
    if let Some(values) = schema["enum"].as_array() {
        return one_of(values.iter().map(code).collect());
    }
    let choices = choices(schema);
    if schema["properties"].is_null() && !choices.is_empty() {
        return one_of(choices.iter().map(kind).collect());
    }
    let types = match &schema["type"] {
        Value::Array(types) => types.iter().filter_map(Value::as_str).collect(),
        Value::String(one) => vec![one.as_str()],
        _ => vec!["anything"],
    };
    let types = types.into_iter().map(|one| match one {
        "array" => {
            let items: Vec<_> = match items(&schema["prefixItems"]) {
                [] => vec![kind(&schema["items"])],
                several => several.iter().map(kind).collect(),
            };
            format!("array of {}", items.join(", "))
        }
        "object" if schema["additionalProperties"].is_object() => {
            format!("object of {}", kind(&schema["additionalProperties"]))
        }
        other => escaped(other),
    });
    format!("{}{}", one_of(types.collect()), bounds(schema))
}

fn bounds(schema: &Value) -> String {
    let words = [
        ("format", "", ""),
        ("pattern", "pattern ", ""),
        ("minimum", "from ", ""),
        ("maximum", "to ", ""),
        ("minLength", "at least ", " characters"),
        ("maxLength", "at most ", " characters"),
        ("default", "default ", ""),
    ];
    let said: Vec<_> = words
        .into_iter()
        .filter_map(|(name, before, after)| {
            let value = schema.get(name)?;
            let value = value.as_str().map_or_else(|| escaped(&value.to_string()), escaped);
            Some(format!("{before}<code>{value}</code>{after}"))
        })
        .collect();
    if said.is_empty() { String::new() } else { format!(" <small>({})</small>", said.join(", ")) }
}

fn choices(schema: &Value) -> &[Value] {
    ["oneOf", "anyOf"]
        .into_iter()
        .map(|name| items(&schema[name]))
        .find(|all| !all.is_empty())
        .unwrap_or_default()
}

/// The fields of an object, and what else it may be.
fn inside(schema: &Value) -> String {
    let required = items(&schema["required"]);
    let field = |(name, field): (&String, &Value)| {
        let required = if required.iter().any(|one| one == name) { " <small>required</small>" } else { "" };
        format!(
            "<dt><code>{}</code> {}{required}</dt><dd>{}{}</dd>",
            escaped(name),
            kind(field),
            prose(&field["description"]),
            if field.get("$ref").is_some() { String::new() } else { inside(field) },
        )
    };
    let fields: Vec<_> = fields(&schema["properties"]).iter().map(field).collect();
    let fields = if fields.is_empty() { String::new() } else { format!("<dl>{}</dl>", fields.concat()) };
    format!("{fields}{}", variants(schema))
}

fn variants(schema: &Value) -> String {
    let choices = choices(schema);
    // Said in a line already.
    if choices.iter().all(|choice| choice["properties"].is_null() && choice["description"].is_null()) {
        return String::new();
    }
    let variant = |choice: &Value| {
        let fields = if choice.get("$ref").is_some() { String::new() } else { inside(choice) };
        let kind = if choice["properties"].is_null() { kind(choice) } else { String::new() };
        format!("<li>{kind} {}{fields}</li>", prose(&choice["description"]))
    };
    let variants: Vec<_> = choices.iter().map(variant).collect();
    format!("<p>One of:</p><ul>{}</ul>", variants.concat())
}

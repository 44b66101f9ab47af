//! DynamoDB's JSON, in which each value says its type.

use serde_json::{Map, Value};

/// An item as it would be without the types.
pub(super) fn plain_item(item: &Value) -> Value {
    let attributes = item.as_object().into_iter().flatten();
    attributes.map(|(name, value)| (name.clone(), plain(value))).collect::<Map<_, _>>().into()
}

fn plain(typed: &Value) -> Value {
    let Some((kind, value)) = typed.as_object().and_then(|typed| typed.iter().next()) else {
        return Value::Null;
    };
    match kind.as_str() {
        "M" => plain_item(value),
        "L" => value.as_array().into_iter().flatten().map(plain).collect(),
        "N" => value.as_str().and_then(|number| number.parse().ok()).unwrap_or_default(),
        "NULL" => Value::Null,
        _ => value.clone(),
    }
}

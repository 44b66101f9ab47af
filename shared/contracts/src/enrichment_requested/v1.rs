//! The first version: the whole record each time, and what is absent is unknown.

use serde_json::{Map, Value};

/// What the record says is stated, and what it leaves open (`null`) isn't spoken of.
pub(super) fn to_v2(mut message: Value) -> Value {
    let Some(fields) = message.as_object_mut() else { return message };
    let Some(Value::Object(mut employee)) = fields.remove("employee") else { return message };
    if let Some(id) = employee.remove("id") {
        fields.insert("employeeId".to_owned(), id);
    }
    let details = match employee.remove("details") {
        Some(Value::Object(details)) => details,
        _ => Map::new(),
    };
    let stated = employee.into_iter().chain(details).filter(|(_, value)| !value.is_null());
    fields.insert("stated".to_owned(), Value::Object(stated.collect()));
    // That version had no word for "HR doesn't say": then both times were one.
    if fields.get("occurredAt") == fields.get("receivedAt") {
        fields.remove("occurredAt");
    }
    message
}

#[cfg(test)]
mod tests {
    use std::{fs, path::Path};

    use serde_json::json;

    use super::*;
    use crate::EnrichmentRequestedV2;

    fn sample(version: &str, name: &str) -> Value {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("samples/user.enrichment.requested");
        let path = folder.join(version).join(name);
        let text = fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        serde_json::from_slice(&text).unwrap()
    }

    #[test]
    fn each_message_that_was_kept_is_raised_to_what_it_said() {
        for name in ["hired.json", "hired-of-unknown-time.json", "terminated.json"] {
            let (v1, v2) = (sample("v1", name), sample("v2", name));
            assert_eq!(to_v2(v1.clone()), v2, "{name}");
            let decoded = EnrichmentRequestedV2::decode(Some("1"), v1.to_string().as_bytes()).unwrap();
            assert_eq!(serde_json::to_value(&decoded).unwrap(), v2, "{name}");
        }
    }

    #[test]
    fn what_is_no_message_of_that_version_stays_as_it_is_or_is_refused() {
        for other in [json!(null), json!([1]), json!("text"), json!({}), sample("v2", "hired.json")] {
            assert_eq!(to_v2(other.clone()), other);
        }
        for wrong in [json!({"employee": []}), json!({"employee": {}}), json!({"employee": {"details": 1}})] {
            EnrichmentRequestedV2::decode(Some("1"), wrong.to_string().as_bytes()).unwrap_err();
        }
    }
}

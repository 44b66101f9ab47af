//! What the body may hold, for the API's description: of the same table as the code.

use std::borrow::Cow;

use contracts::{EmployeeId, EventId, Field};
use jiff::Timestamp;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde_json::{Map, Value};

/// The body, in the API's description.
#[derive(Debug)]
pub enum HrEvent {}

impl JsonSchema for HrEvent {
    fn schema_name() -> Cow<'static, str> {
        "HrEvent".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let nothing = json_schema!({ "type": ["string", "null"], "pattern": "^\\s*$" });
        let mut properties = Map::new();
        properties.insert("employee_id".to_owned(), json_schema!({
            "description": "A whole number counts as its digits.",
            "anyOf": [generator.subschema_for::<EmployeeId>(), { "type": "integer", "minimum": 0, "maximum": u32::MAX }],
        }).into());
        for field in Field::ALL {
            let value = field.kind().schema(generator);
            let schema =
                if field.is_lasting() { value } else { json_schema!({ "anyOf": [value, nothing.clone()] }) };
            properties.insert(field.sent_as().to_owned(), schema.into());
        }
        let or_nothing = |schema: Schema| Value::from(json_schema!({ "anyOf": [schema, nothing.clone()] }));
        properties.insert("event_id".to_owned(), or_nothing(generator.subschema_for::<EventId>()));
        properties.insert("occurred_at".to_owned(), or_nothing(generator.subschema_for::<Timestamp>()));
        properties.insert(
            "event_type".to_owned(),
            json_schema!({
                "description": "A hire, unless it says otherwise.",
                "type": "string",
                "enum": ["hired", "updated", "terminated"],
            })
            .into(),
        );
        json_schema!({
            "description": "What an HR system says of a person. A hire states everything that it carries. An update is a \
                JSON Merge Patch (RFC 7396): what is absent is left as it is, `null` and an empty string clear. A \
                termination needs the id only. What is optional and can't be read is left out, and named in the \
                answer's `warnings`; but `event_id`, `event_type` and `occurred_at`, which decide what event it is. \
                A whole number counts as its digits.",
            "type": "object",
            "properties": properties,
            "anyOf": [
                { "required": ["employee_id", "first_name", "last_name", "email"] },
                {
                    "required": ["employee_id", "event_type"],
                    "properties": { "event_type": { "enum": ["updated", "terminated"] } },
                },
            ],
        })
    }
}

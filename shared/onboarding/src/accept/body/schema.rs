//! What the body's fields may be, for the API's description.

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};

use super::{Body, Field};

/// The body, in the API's description.
#[derive(Debug)]
pub enum HrEvent {}

/// What HR systems send for what they don't know.
struct Unknown;

impl<T: JsonSchema, const NEEDED: bool> JsonSchema for Field<'_, T, NEEDED> {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        T::schema_name()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let known = generator.subschema_for::<T>();
        if NEEDED {
            return known;
        }
        json_schema!({ "anyOf": [known, generator.subschema_for::<Unknown>()] })
    }
}

impl JsonSchema for HrEvent {
    fn schema_name() -> Cow<'static, str> {
        "HrEvent".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        Body::json_schema(generator)
    }
}

impl JsonSchema for Unknown {
    fn schema_name() -> Cow<'static, str> {
        "Unknown".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "description": "Counts as not sent.",
            "type": ["string", "null"],
            "pattern": "^\\s*$",
        })
    }
}

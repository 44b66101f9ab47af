//! A span as it is recorded.

use std::fmt;

use contracts::TraceParent;
use jiff::Timestamp;
use serde::{Serialize, Serializer};
use tracing::field::{Field, Visit};

/// A span's place in its trace.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Context {
    pub(crate) trace_id: u128,
    pub(crate) span_id: u64,
    pub(crate) is_sampled: bool,
}

/// One that has begun.
#[derive(Debug)]
pub(crate) struct Open {
    pub(crate) context: Context,
    pub(crate) parent_id: Option<u64>,
    pub(crate) service: Option<String>,
    pub(crate) fields: Fields,
    pub(crate) start: Timestamp,
}

/// One that is to be sent.
#[derive(Debug)]
pub(crate) struct Ended {
    pub(crate) span: Open,
    pub(crate) end: Timestamp,
}

/// What a span says of itself.
#[derive(Debug, Default)]
pub(crate) struct Fields {
    pub(crate) name: Option<String>,
    pub(crate) kind: Option<Kind>,
    pub(crate) has_failed: bool,
    pub(crate) traceparent: Option<TraceParent>,
    pub(crate) service: Option<String>,
    pub(crate) attributes: Vec<(&'static str, Value)>,
}

/// OTLP's numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(into = "u8")]
pub(crate) enum Kind {
    Internal = 1,
    Server = 2,
    Client = 3,
    Producer = 4,
    Consumer = 5,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) enum Value {
    #[serde(rename = "stringValue")]
    Text(String),
    /// JSON's numbers are too short for some.
    #[serde(rename = "intValue", serialize_with = "as_text")]
    Integer(i64),
    #[serde(rename = "boolValue")]
    Bool(bool),
}

impl Context {
    pub(crate) fn traceparent(self) -> Option<TraceParent> {
        self.is_sampled.then(|| TraceParent::sampled(self.trace_id, self.span_id))
    }
}

impl Kind {
    fn parse(name: &str) -> Self {
        match name {
            "server" => Self::Server,
            "client" => Self::Client,
            "producer" => Self::Producer,
            "consumer" => Self::Consumer,
            _ => Self::Internal,
        }
    }

    /// Whether somebody outside has asked for it, so that a trace may begin with it.
    pub(crate) fn is_asked_for(self) -> bool {
        matches!(self, Self::Server | Self::Consumer)
    }
}

impl From<Kind> for u8 {
    fn from(kind: Kind) -> Self {
        kind as Self
    }
}

impl Visit for Fields {
    fn record_str(&mut self, field: &Field, value: &str) {
        match field.name() {
            "otel.name" => self.name = Some(value.to_owned()),
            "otel.kind" => self.kind = Some(Kind::parse(value)),
            "otel.status_code" => self.has_failed = value == "ERROR",
            "traceparent" => self.traceparent = TraceParent::parse(value),
            "service" => self.service = Some(value.to_owned()),
            name => self.set(name, Value::Text(value.to_owned())),
        }
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.set(field.name(), Value::Integer(value));
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.set(field.name(), Value::Integer(i64::try_from(value).unwrap_or(i64::MAX)));
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.set(field.name(), Value::Bool(value));
    }

    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.record_str(field, &format!("{value:?}"));
    }
}

impl Fields {
    /// A field may be recorded again.
    fn set(&mut self, name: &'static str, value: Value) {
        match self.attributes.iter_mut().find(|(known, _)| *known == name) {
            Some((_, known)) => *known = value,
            None => self.attributes.push((name, value)),
        }
    }
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference to the field")]
fn as_text<S: Serializer>(value: &i64, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(value)
}

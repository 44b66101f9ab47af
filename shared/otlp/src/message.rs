//! What is sent: OTLP's `ExportTraceServiceRequest`, as JSON.
//! <https://opentelemetry.io/docs/specs/otlp/#json-protobuf-encoding>

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::Serialize;

use crate::span::{Ended, Kind, Value};

/// Where no span names its function.
const UNNAMED: &str = "joiner";

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Request<'a> {
    resource_spans: Vec<ResourceSpans<'a>>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ResourceSpans<'a> {
    resource: Resource<'a>,
    scope_spans: [ScopeSpans<'a>; 1],
}

#[derive(Serialize)]
struct Resource<'a> {
    attributes: Vec<Attribute<'a>>,
}

#[derive(Serialize)]
struct ScopeSpans<'a> {
    scope: Scope,
    spans: Vec<Span<'a>>,
}

#[derive(Serialize)]
struct Scope {
    name: &'static str,
    version: &'static str,
}

#[expect(clippy::struct_field_names, reason = "the names are OTLP's")]
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Span<'a> {
    trace_id: String,
    span_id: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    parent_span_id: Option<String>,
    /// Of W3C Trace Context: sampled.
    flags: u32,
    name: &'a str,
    kind: Kind,
    start_time_unix_nano: String,
    end_time_unix_nano: String,
    attributes: Vec<Attribute<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    status: Option<Status>,
}

#[derive(Serialize)]
struct Attribute<'a> {
    key: &'a str,
    value: Value,
}

#[derive(Serialize)]
struct Status {
    code: u8,
}

impl Status {
    const ERROR: Self = Self { code: 2 };
}

/// A resource a function: `joiner dev` runs them all in one process. `resource` are further attributes of each.
pub(crate) fn encode(ended: &[Ended], resource: &[(String, String)]) -> Vec<u8> {
    let mut by_service = BTreeMap::<&str, Vec<Span>>::new();
    for one in ended {
        by_service.entry(one.span.service.as_deref().unwrap_or(UNNAMED)).or_default().push(Span::of(one));
    }
    let resource_spans = by_service.into_iter().map(|(service, spans)| ResourceSpans {
        resource: Resource { attributes: attributes(service, resource) },
        scope_spans: [ScopeSpans {
            scope: Scope { name: "joiner", version: env!("CARGO_PKG_VERSION") },
            spans,
        }],
    });
    let request = Request { resource_spans: resource_spans.collect() };
    serde_json::to_vec(&request).expect("a struct's JSON has string keys")
}

fn attributes<'a>(service: &str, resource: &'a [(String, String)]) -> Vec<Attribute<'a>> {
    let own = [("service.name", service), ("service.namespace", "joiner"), ("faas.name", service)];
    let own = own.map(|(key, value)| Attribute { key, value: Value::Text(value.to_owned()) });
    let mut attributes = Vec::from(own);
    for (key, value) in resource {
        // A key is there once: which function it is the process knows best.
        if attributes.iter().all(|there| there.key != key) {
            attributes.push(Attribute { key, value: Value::Text(value.clone()) });
        }
    }
    attributes
}

impl<'a> Span<'a> {
    fn of(ended: &'a Ended) -> Self {
        let Ended { span, end } = ended;
        let attributes = span.fields.attributes.iter();
        Self {
            trace_id: format!("{:032x}", span.context.trace_id),
            span_id: format!("{:016x}", span.context.span_id),
            parent_span_id: span.parent_id.map(|parent| format!("{parent:016x}")),
            flags: 1,
            name: span.fields.name.as_deref().unwrap_or("unnamed"),
            kind: span.fields.kind.unwrap_or(Kind::Internal),
            start_time_unix_nano: nanos(span.start),
            end_time_unix_nano: nanos(*end),
            attributes: attributes.map(|(key, value)| Attribute { key, value: value.clone() }).collect(),
            status: span.fields.has_failed.then_some(Status::ERROR),
        }
    }
}

/// As text, since it is longer than JSON's numbers are exact.
fn nanos(at: Timestamp) -> String {
    at.as_nanosecond().to_string()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::span::{Context, Fields, Open};

    #[test]
    fn spans_are_sent_as_the_specification_lays_them_out_by_service() {
        let span = |service: Option<&str>, parent_id, has_failed| Ended {
            span: Open {
                context: Context { trace_id: 0xabc, span_id: 0x1d, is_sampled: true },
                parent_id,
                service: service.map(str::to_owned),
                fields: Fields {
                    name: Some("process user.enrichment.requested".to_owned()),
                    kind: Some(Kind::Consumer),
                    has_failed,
                    attributes: vec![
                        ("messaging.system", Value::Text("kafka".to_owned())),
                        ("messaging.kafka.offset", Value::Integer(i64::MAX)),
                        ("messaging.kafka.message.tombstone", Value::Bool(false)),
                    ],
                    ..Fields::default()
                },
                start: "2026-01-31T18:42:00.000000001Z".parse().unwrap(),
            },
            end: "2026-01-31T18:42:01Z".parse().unwrap(),
        };
        let ended = [span(Some("enrichment"), Some(0xf0), true), span(None, None, false)];
        let given = [
            ("deployment.environment.name", "dev"),
            ("service.name", "another"),
            ("deployment.environment.name", "prod"),
        ];
        let given = given.map(|(key, value)| (key.to_owned(), value.to_owned()));
        let sent: serde_json::Value = serde_json::from_slice(&encode(&ended, &given)).unwrap();
        let attribute = |key: &str, value: serde_json::Value| json!({"key": key, "value": value});
        let resource = |name: &str| {
            json!({"attributes": [
                attribute("service.name", json!({"stringValue": name})),
                attribute("service.namespace", json!({"stringValue": "joiner"})),
                attribute("faas.name", json!({"stringValue": name})),
                attribute("deployment.environment.name", json!({"stringValue": "dev"})),
            ]})
        };
        let expected = json!({
            "traceId": "00000000000000000000000000000abc",
            "spanId": "000000000000001d",
            "parentSpanId": "00000000000000f0",
            "flags": 1,
            "name": "process user.enrichment.requested",
            "kind": 5,
            "startTimeUnixNano": "1769884920000000001",
            "endTimeUnixNano": "1769884921000000000",
            "attributes": [
                attribute("messaging.system", json!({"stringValue": "kafka"})),
                attribute("messaging.kafka.offset", json!({"intValue": "9223372036854775807"})),
                attribute("messaging.kafka.message.tombstone", json!({"boolValue": false})),
            ],
            "status": {"code": 2},
        });
        let of = |service: usize, field: &str| sent["resourceSpans"][service][field].clone();
        assert_eq!([of(0, "resource"), of(1, "resource")], [resource("enrichment"), resource("joiner")]);
        assert_eq!(of(0, "scopeSpans")[0]["spans"], json!([expected]));
        let root = &of(1, "scopeSpans")[0]["spans"][0];
        assert_eq!([&root["parentSpanId"], &root["status"]], [&json!(null), &json!(null)]);
    }
}

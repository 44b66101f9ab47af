use contracts::{CorrelationId, EventId, header};
use lambda_runtime::Context;
use runtime::record::Record;
use tracing::{Span, field::Empty};

/// What every log line of an invocation carries.
pub(crate) fn invocation(service: &'static str, context: &Context) -> Span {
    let xray_trace_id = context.xray_trace_id.as_deref();
    tracing::info_span!("invocation", service, function_request_id = %context.request_id, xray_trace_id)
}

/// The record's part of its trace.
/// <https://opentelemetry.io/docs/specs/semconv/messaging/kafka/>
pub(crate) fn consumer(record: &Record) -> Span {
    let (correlation_id, event_id) = (record.correlation_id(), record.event_id());
    tracing::info_span!(
        "consumer",
        otel.kind = "consumer",
        otel.name = format!("process {}", record.topic),
        otel.status_code = Empty,
        traceparent = record.header(header::TRACEPARENT),
        messaging.system = "kafka",
        "messaging.operation.type" = "process",
        messaging.operation.name = "process",
        messaging.destination.name = record.topic,
        messaging.destination.partition.id = record.partition.to_string(),
        messaging.kafka.offset = record.offset,
        faas.trigger = "pubsub",
        joiner.correlation_id = correlation_id.as_ref().map(CorrelationId::as_str),
        joiner.event_id = event_id.as_ref().map(EventId::as_str),
    )
}

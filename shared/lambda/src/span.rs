use lambda_runtime::Context;
use tracing::Span;

/// What every log line of an invocation carries.
pub(crate) fn invocation(service: &'static str, context: &Context) -> Span {
    let xray_trace_id = context.xray_trace_id.as_deref();
    tracing::info_span!("invocation", service, function_request_id = %context.request_id, xray_trace_id)
}

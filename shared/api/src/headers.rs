//! The headers that more than one file here reads.

use contracts::CorrelationId;
use lambda_http::Request;
use runtime::Clock;

/// The header by which callers and we say which request it is.
pub const CORRELATION_ID: &str = "x-correlation-id";
pub(crate) const API_KEY: &str = "x-api-key";

/// What proxies and many clients send in place of a correlation id.
const REQUEST_ID: &str = "x-request-id";

pub(crate) fn header_of<'a>(request: &'a Request, name: &str) -> Option<&'a str> {
    request.headers().get(name)?.to_str().ok()
}

/// The caller's id if it sent a usable one, else a new one.
pub(crate) fn correlation_id(request: &Request, clock: Clock) -> CorrelationId {
    let sent = [CORRELATION_ID, REQUEST_ID].into_iter().find_map(|name| header_of(request, name));
    sent.and_then(|id| CorrelationId::parse(id).ok())
        .unwrap_or_else(|| CorrelationId::parse(clock.new_id().to_string()).expect("a UUID is an identifier"))
}

use std::borrow::Cow;

use contracts::{CorrelationId, TraceParent};
use jiff::Timestamp;
use lambda_http::{
    Request,
    aws_lambda_events::query_map::QueryMap,
    http::{HeaderValue, Method, StatusCode, header},
};
use runtime::Clock;
use serde::de::DeserializeOwned;

use crate::{Problem, body, key::Caller, serve::API_KEY};

/// A request that was let in.
pub struct Call {
    pub correlation_id: CorrelationId,
    pub caller: Caller,
    /// When Lambda ends the invocation, whether or not it has answered.
    pub deadline: Timestamp,
    pub(crate) clock: Clock,
    pub(crate) route: String,
    pub(crate) path: QueryMap,
    pub(crate) query: QueryMap,
    pub(crate) request: Request,
}

impl Call {
    /// The route's path as `template.yaml` has it, such as `/v1/users/{id}`; `$default` when no route matched.
    pub fn route(&self) -> &str {
        &self.route
    }

    pub fn is(&self, method: &Method) -> bool {
        self.request.method() == method
    }

    /// Whether the method is one of those that `allow` lists, as the header of that name does.
    pub fn one_of(&self, allow: &'static str) -> Result<(), Problem> {
        let allowed = allow.split(", ").any(|method| method == self.request.method().as_str());
        if allowed { Ok(()) } else { Err(Problem::method_not_allowed(allow)) }
    }

    /// `allow` is the one method that the route has.
    pub fn only(&self, method: &Method, allow: &'static str) -> Result<(), Problem> {
        if self.is(method) { Ok(()) } else { Err(Problem::method_not_allowed(allow)) }
    }

    /// The caller's trace, if it sent one; else the begin of a new one, another with each call.
    pub fn traceparent(&self) -> TraceParent {
        header_of(&self.request, "traceparent").and_then(TraceParent::parse).unwrap_or_else(|| {
            let (trace, span) = (self.clock.new_id().as_u128(), self.clock.new_id().as_u64_pair().1);
            TraceParent::new(trace, span)
        })
    }

    /// A header as it was sent. API Gateway joins repeated ones with commas.
    pub fn header(&self, name: &str) -> Option<&[u8]> {
        self.request.headers().get(name).map(HeaderValue::as_bytes)
    }

    /// What tells callers apart; empty where they need no key.
    pub fn api_key(&self) -> &[u8] {
        self.header(API_KEY).unwrap_or_default()
    }

    /// A `{name}` of the route.
    pub fn path(&self, name: &str) -> &str {
        self.path.first(name).unwrap_or_default()
    }

    /// A query parameter that isn't empty.
    pub fn query(&self, name: &str) -> Option<&str> {
        self.query.first(name).filter(|value| !value.is_empty())
    }

    /// The query parameter `limit`: how many items a page has, 50 unless it says otherwise.
    pub fn limit(&self) -> Result<usize, Problem> {
        let limit = self.parsed("limit", "a number from 1 to 100", |limit| {
            limit.parse().ok().filter(|limit| (1..=100).contains(limit))
        })?;
        Ok(limit.unwrap_or(50))
    }

    /// A query parameter of a type that reads its text; `expected` completes "`name` must be …". An empty one is read
    /// too: a filter that a caller's script left empty must not become none.
    pub fn parsed<T>(
        &self,
        name: &str,
        expected: &str,
        parse: impl FnOnce(&str) -> Option<T>,
    ) -> Result<Option<T>, Problem> {
        let Some(value) = self.query.first(name) else { return Ok(None) };
        parse(value)
            .map(Some)
            .ok_or_else(|| Problem::bad_request("invalid_parameter", format!("`{name}` must be {expected}.")))
    }

    /// The query parameter `dry_run`: whether only to say what would happen.
    pub fn is_dry_run(&self) -> Result<bool, Problem> {
        Ok(self.parsed("dry_run", "true or false", |value| value.parse().ok())?.unwrap_or(false))
    }

    /// The body as what `T` reads, or a fault that names the field. Only `T` knows its fields: it has to refuse others.
    pub fn json<T: DeserializeOwned>(&self, limit: usize) -> Result<T, Problem> {
        body::read(self.json_body(limit)?)
    }

    /// The body, if it is announced as JSON and at most `limit` bytes long.
    pub fn json_body(&self, limit: usize) -> Result<&[u8], Problem> {
        let kind = header_of(&self.request, header::CONTENT_TYPE.as_str()).unwrap_or_default();
        let essence: Cow<'_, str> = kind.split(';').next().unwrap_or_default().trim().to_lowercase().into();
        if essence != "application/json" && !essence.ends_with("+json") {
            let detail = "Send JSON, and say so: Content-Type: application/json.";
            return Err(Problem::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "not_json", detail));
        }
        let body = self.request.body().as_ref();
        if body.len() > limit {
            let detail = format!("The body is {} bytes long; the most is {limit}.", body.len());
            return Err(Problem::new(StatusCode::PAYLOAD_TOO_LARGE, "body_too_large", detail));
        }
        Ok(body)
    }
}

pub(crate) fn header_of<'a>(request: &'a Request, name: &str) -> Option<&'a str> {
    request.headers().get(name)?.to_str().ok()
}

impl std::fmt::Debug for Call {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Call").field("route", &self.route).finish_non_exhaustive()
    }
}

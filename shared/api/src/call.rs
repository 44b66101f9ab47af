use std::{borrow::Cow, collections::BTreeSet};

use contracts::{CorrelationId, TraceParent};
use jiff::Timestamp;
use lambda_http::{
    Request, RequestExt,
    aws_lambda_events::query_map::QueryMap,
    http::{HeaderValue, StatusCode, header},
    request::RequestContext,
};
use runtime::Clock;
use serde::de::DeserializeOwned;

use crate::{
    Problem, body,
    headers::{API_KEY, header_of},
    principal::Principal,
};

/// What a body may have at most: HR records are a few kilobytes, and this is room for what we don't read of them.
pub const MAX_BODY_BYTES: usize = 256 * 1024;

/// A request that was let in.
pub struct Call {
    pub correlation_id: CorrelationId,
    pub principal: Principal,
    /// When Lambda ends the invocation, whether or not it has answered.
    pub deadline: Timestamp,
    clock: Clock,
    route: String,
    path: QueryMap,
    query: QueryMap,
    request: Request,
}

impl Call {
    pub fn new(request: Request, correlation_id: CorrelationId, principal: Principal, clock: Clock) -> Self {
        let deadline = request.lambda_context_ref().map_or(0, |context| context.deadline);
        let deadline = clock.now() + clock.until(deadline);
        let route = route_of(&request).to_owned();
        let (path, query) = (request.path_parameters(), request.query_string_parameters());
        Self { correlation_id, principal, deadline, clock, route, path, query, request }
    }

    /// The route's path as `template.yaml` has it, such as `/v1/users/{id}`.
    pub fn route(&self) -> &str {
        &self.route
    }

    /// The caller's trace, if it sent one, else the one that is recorded; else the begin of a new one, another with each
    /// call.
    pub fn traceparent(&self) -> TraceParent {
        let callers = header_of(&self.request, contracts::header::TRACEPARENT).and_then(TraceParent::parse);
        callers.or_else(otlp::traceparent).unwrap_or_else(|| {
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

    /// Refuses what the route doesn't know, and what is there twice: a filter that is misspelt must not become none, nor one of
    /// two values be overlooked.
    pub(crate) fn check_query(&self, known: &[&str]) -> Result<(), Problem> {
        let (mut sent, mut repeated) = (BTreeSet::new(), None);
        for (name, _value) in self.query.iter() {
            if !sent.insert(name) {
                repeated = Some(name);
            }
        }
        let unknown: Vec<_> = sent.into_iter().filter(|name| !known.contains(name)).collect();
        if !unknown.is_empty() {
            let quoted =
                |names: &[&str]| names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ");
            let known = if known.is_empty() { "none".to_owned() } else { quoted(known) };
            let detail = format!("There is no query parameter {}; this route has {known}.", quoted(&unknown));
            return Err(Problem::bad_request("unknown_parameter", detail));
        }
        match repeated {
            Some(name) => {
                let detail = format!("`{name}` is there more than once.");
                Err(Problem::bad_request("invalid_parameter", detail))
            }
            None => Ok(()),
        }
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
    pub fn json<T: DeserializeOwned>(&self) -> Result<T, Problem> {
        body::read(self.json_body()?)
    }

    /// The body, if it is announced as JSON and at most [`MAX_BODY_BYTES`] long.
    pub fn json_body(&self) -> Result<&[u8], Problem> {
        let kind = header_of(&self.request, header::CONTENT_TYPE.as_str()).unwrap_or_default();
        let essence: Cow<'_, str> = kind.split(';').next().unwrap_or_default().trim().to_lowercase().into();
        if essence != "application/json" && !essence.ends_with("+json") {
            let detail = "Send JSON, and say so: Content-Type: application/json.";
            return Err(Problem::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "not_json", detail));
        }
        let body = self.request.body().as_ref();
        if body.len() > MAX_BODY_BYTES {
            let detail = format!("The body is {} bytes long; the most is {MAX_BODY_BYTES}.", body.len());
            return Err(Problem::new(StatusCode::PAYLOAD_TOO_LARGE, "body_too_large", detail));
        }
        Ok(body)
    }
}

/// The path in API Gateway's `routeKey`, which is "METHOD /path" or `$default`.
pub(crate) fn route_of(request: &Request) -> &str {
    match request.request_context_ref() {
        Some(RequestContext::ApiGatewayV2(context)) => {
            let key = context.route_key.as_deref().unwrap_or("$default");
            key.split_once(' ').map_or(key, |(_method, path)| path)
        }
        _ => "$default",
    }
}

impl std::fmt::Debug for Call {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Call").field("route", &self.route).finish_non_exhaustive()
    }
}

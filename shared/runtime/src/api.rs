//! What every HTTP function does around its own answer.

use std::borrow::Cow;

use contracts::{CorrelationId, TraceParent};
use lambda_http::{
    Body, Request, RequestExt, Response,
    aws_lambda_events::query_map::QueryMap,
    http::{HeaderValue, Method, StatusCode, header},
    request::RequestContext,
};
use secrecy::{ExposeSecret, SecretString};
use serde::Serialize;
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;
use tracing::Instrument;
use url::form_urlencoded;

use crate::{Clock, ConfigError, Problem, Vars};

const CORRELATION_ID: &str = "x-correlation-id";
const API_KEY: &str = "x-api-key";

/// An HTTP API of one function.
#[derive(Clone)]
pub struct Api {
    service: &'static str,
    /// SHA-256 of the key, so that a comparison takes as long for every length and prefix.
    key: Option<[u8; 32]>,
    open_route: Option<&'static str>,
    clock: Clock,
}

/// A request that was let in.
pub struct Call {
    pub correlation_id: CorrelationId,
    pub traceparent: TraceParent,
    route: String,
    path: QueryMap,
    query: QueryMap,
    request: Request,
}

impl Api {
    /// Reads `API_KEY`: the key that callers send as `X-API-Key`. Unset, everybody is let in.
    pub fn from_vars(service: &'static str, vars: &Vars, clock: Clock) -> Result<Self, ConfigError> {
        let key: Option<SecretString> = vars.secret("API_KEY");
        let key = key.map(|key| Sha256::digest(key.expose_secret()).into());
        Ok(Self { service, key, open_route: None, clock })
    }

    /// Lets everybody in on this route.
    #[must_use]
    pub fn open(self, route: &'static str) -> Self {
        Self { open_route: Some(route), ..self }
    }

    pub async fn serve<H, F>(&self, request: Request, handler: H) -> Response<Body>
    where
        H: FnOnce(Call) -> F,
        F: Future<Output = Result<Response<Body>, Problem>>,
    {
        let correlation_id = self.correlation_id(&request);
        let context = request.lambda_context_ref();
        let span = tracing::info_span!(
            "request",
            service = self.service,
            function_request_id = context.map_or("", |context| context.request_id.as_str()),
            correlation_id = correlation_id.as_str(),
            event_id = tracing::field::Empty,
        );
        async {
            let (route, method) = (route_of(&request), request.method().clone());
            let answer = match self.admit(&request, &route) {
                Ok(()) => handler(self.call(request, route.clone(), correlation_id.clone())).await,
                Err(problem) => Err(problem),
            };
            let code = answer.as_ref().err().map(|problem| problem.code);
            let mut response = answer.unwrap_or_else(|problem| problem.into_response(&correlation_id));
            tracing::info!(%method, route, status = response.status().as_u16(), code, "answered");
            let echo = HeaderValue::from_str(correlation_id.as_str());
            response.headers_mut().insert(CORRELATION_ID, echo.expect("an identifier is visible ASCII"));
            response
        }
        .instrument(span)
        .await
    }

    /// The caller's id if it is one, else a new one.
    fn correlation_id(&self, request: &Request) -> CorrelationId {
        header_of(request, CORRELATION_ID).and_then(|id| CorrelationId::parse(id).ok()).unwrap_or_else(|| {
            CorrelationId::parse(self.clock.new_id().to_string()).expect("a UUID is an identifier")
        })
    }

    fn admit(&self, request: &Request, route: &str) -> Result<(), Problem> {
        let Some(expected) = self.key.filter(|_| self.open_route != Some(route)) else { return Ok(()) };
        let Some(given) = header_of(request, API_KEY) else {
            let detail = "Send the API key in the header X-API-Key.";
            return Err(Problem::new(StatusCode::UNAUTHORIZED, "api_key_missing", detail));
        };
        if bool::from(Sha256::digest(given).ct_eq(&expected)) {
            Ok(())
        } else {
            Err(Problem::new(StatusCode::FORBIDDEN, "api_key_wrong", "This API key is not the right one."))
        }
    }

    fn call(&self, request: Request, route: String, correlation_id: CorrelationId) -> Call {
        let traceparent =
            header_of(&request, "traceparent").and_then(TraceParent::parse).unwrap_or_else(|| {
                let (trace, span) = (self.clock.new_id().as_u128(), self.clock.new_id().as_u64_pair().1);
                TraceParent::new(trace, span)
            });
        let (path, query) = (request.path_parameters(), request.query_string_parameters());
        Call { correlation_id, traceparent, route, path, query, request }
    }
}

impl Call {
    /// The route's path as `template.yaml` has it, such as `/v1/users/{id}`; `$default` when no route matched.
    pub fn route(&self) -> &str {
        &self.route
    }

    /// `allow` is the one method that the route has.
    pub fn only(&self, method: &Method, allow: &'static str) -> Result<(), Problem> {
        if self.request.method() == method { Ok(()) } else { Err(Problem::method_not_allowed(allow)) }
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
        let Some(limit) = self.query("limit") else { return Ok(50) };
        let limit = limit.parse().ok().filter(|limit| (1..=100).contains(limit));
        limit.ok_or_else(|| {
            Problem::bad_request("invalid_parameter", "`limit` must be a number from 1 to 100.")
        })
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

/// The header that leads to the next page: <https://www.rfc-editor.org/rfc/rfc8288>.
pub fn link_to_next(response: &mut Response<Body>, path: &str, query: &[(&str, Option<&str>)]) {
    let mut encoded = form_urlencoded::Serializer::new(String::new());
    encoded.extend_pairs(query.iter().filter_map(|(name, value)| Some((*name, (*value)?))));
    let link = HeaderValue::try_from(format!("<{path}?{}>; rel=\"next\"", encoded.finish()));
    response.headers_mut().insert(header::LINK, link.expect("a form-encoded query is visible ASCII"));
}

/// A JSON answer.
pub fn json(status: StatusCode, body: &impl Serialize) -> Response<Body> {
    raw_json(status, serde_json::to_string(body).expect("our answers have string keys"))
}

/// An answer that is JSON already.
pub fn raw_json(status: StatusCode, body: String) -> Response<Body> {
    let mut response = Response::new(Body::Text(body));
    *response.status_mut() = status;
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}

fn header_of<'a>(request: &'a Request, name: &str) -> Option<&'a str> {
    request.headers().get(name)?.to_str().ok()
}

/// API Gateway's `routeKey` is "METHOD /path", or `$default`.
fn route_of(request: &Request) -> String {
    match request.request_context_ref() {
        Some(RequestContext::ApiGatewayV2(context)) => {
            let key = context.route_key.as_deref().unwrap_or("$default");
            key.split_once(' ').map_or(key, |(_method, path)| path).to_owned()
        }
        _ => "$default".to_owned(),
    }
}

impl std::fmt::Debug for Api {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Api").field("service", &self.service).finish_non_exhaustive()
    }
}

impl std::fmt::Debug for Call {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Call").field("route", &self.route).finish_non_exhaustive()
    }
}

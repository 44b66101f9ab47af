use aws::Aws;
use contracts::CorrelationId;
use lambda_http::{
    Body, Request, RequestExt, Response,
    http::{HeaderValue, Method, StatusCode, header},
    request::RequestContext,
};
use runtime::{Clock, ConfigError, Vars, telemetry};
use tracing::Instrument;

use crate::{
    Call, Problem,
    access::Access,
    call::header_of,
    key::{self, Caller, Refusal},
};

/// The header by which callers and we say which request it is.
pub const CORRELATION_ID: &str = "x-correlation-id";
pub(crate) const API_KEY: &str = "x-api-key";

/// An HTTP API of one function.
#[derive(Clone)]
pub struct Api {
    service: &'static str,
    access: Access,
    open_route: Option<&'static str>,
    clock: Clock,
}

impl Api {
    /// Reads the first of the variables `keys` that is set, or that is set with `_SECRET_ID` after it: the keys that
    /// callers may send as `X-API-Key`. With none of them `AUTH` has to be `off`, and everybody is let in.
    pub fn from_vars(
        service: &'static str,
        keys: &[&str],
        vars: &Vars,
        aws: &Aws,
        clock: Clock,
    ) -> Result<Self, ConfigError> {
        Ok(Self { service, access: Access::from_vars(keys, vars, aws)?, open_route: None, clock })
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
            xray_trace_id = context.and_then(|context| context.xray_trace_id.as_deref()),
            correlation_id = correlation_id.as_str(),
            event_id = tracing::field::Empty,
        );
        async {
            let (route, method) = (route_of(&request), request.method().clone());
            if is_preflight(&request) {
                return preflight();
            }
            let answer = match self.admit(&request, &route).await {
                Ok(caller) => {
                    handler(self.call(request, route.clone(), correlation_id.clone(), caller)).await
                }
                Err(problem) => Err(problem),
            };
            let code = answer.as_ref().err().map(|problem| problem.code);
            let mut response = answer.unwrap_or_else(|problem| problem.into_response(&correlation_id));
            tracing::info!(%method, route, status = response.status().as_u16(), code, "answered");
            let echo = HeaderValue::from_str(correlation_id.as_str());
            let echo = echo.expect("an identifier is visible ASCII");
            // An answer that was given before has its own.
            response.headers_mut().entry(CORRELATION_ID).or_insert(echo);
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

    async fn admit(&self, request: &Request, route: &str) -> Result<Caller, Problem> {
        let keys = match &self.access {
            Access::WithKey(keys) if self.open_route != Some(route) => keys,
            Access::WithKey(_) | Access::Everybody => return Ok(Caller::anybody()),
        };
        let Some(given) = header_of(request, API_KEY) else {
            let detail = "Send the API key in the header X-API-Key.";
            return Err(Problem::new(StatusCode::UNAUTHORIZED, "api_key_missing", detail));
        };
        key::admit(given, keys).await.map_err(|refusal| match refusal {
            Refusal::Wrong => Problem::new(
                StatusCode::FORBIDDEN,
                "api_key_wrong",
                "This API key is not the right one for this route.",
            ),
            Refusal::Unknown(error) => {
                let error = telemetry::chain(&error);
                tracing::error!(error, "a request was not answered: its API key could not be checked");
                Problem::unavailable()
            }
        })
    }

    fn call(&self, request: Request, route: String, correlation_id: CorrelationId, caller: Caller) -> Call {
        let deadline = request.lambda_context_ref().map_or(0, |context| context.deadline);
        let deadline = self.clock.now() + self.clock.until(deadline);
        let (path, query) = (request.path_parameters(), request.query_string_parameters());
        Call { correlation_id, caller, deadline, clock: self.clock, route, path, query, request }
    }
}

/// A browser's question whether a page may make the request that it wants to make. It comes without a key.
fn is_preflight(request: &Request) -> bool {
    let asks = |name| request.headers().contains_key(name);
    request.method() == Method::OPTIONS && asks(header::ORIGIN) && asks(header::ACCESS_CONTROL_REQUEST_METHOD)
}

/// API Gateway passes it on where a route takes any method, and says in the headers of our answer what is allowed. To a
/// browser only a success counts.
fn preflight() -> Response<Body> {
    let mut response = Response::new(Body::Empty);
    *response.status_mut() = StatusCode::NO_CONTENT;
    response
}

/// API Gateway's `routeKey` is "METHOD /path", or `$default`.
pub fn route_of(request: &Request) -> String {
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

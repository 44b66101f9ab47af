use aws::Aws;
use contracts::{CorrelationId, header::TRACEPARENT};
use lambda_http::{
    Body, Request, RequestExt, Response,
    http::{HeaderValue, Method, StatusCode, header},
};
use runtime::{Clock, ConfigError, Vars, telemetry};
use tracing::{Instrument, Span, field::Empty};

use crate::{
    Call, Problem,
    access::Access,
    call::route_of,
    headers::{API_KEY, CORRELATION_ID, correlation_id, header_of},
    key::{self, Refusal},
    paths::{Known, Paths},
    principal::Principal,
    route::{Route, allow},
    scope::Scope,
};

/// The HTTP API of the function `F`.
pub struct Api<F: 'static> {
    service: &'static str,
    routes: &'static [Route<F>],
    paths: Paths,
    access: Access,
    clock: Clock,
}

impl<F> Api<F> {
    /// Reads `API_KEY` and `ADMIN_KEY`, which are set or are set with `_SECRET_ID` after the name: the keys that callers
    /// may send as `X-API-Key`. Where no key opens one of the routes `AUTH` has to be `off`, and everybody is let in.
    pub fn from_vars(
        service: &'static str,
        routes: &'static [Route<F>],
        vars: &Vars,
        aws: &Aws,
        clock: Clock,
    ) -> Result<Self, ConfigError> {
        let scopes = routes.iter().filter_map(|route| route.scope);
        let access = Access::from_vars(scopes, vars, aws)?;
        Ok(Self { service, routes, paths: Paths::default(), access, clock })
    }

    /// Answers also what no route takes: 405 where one of `paths` has other methods, else 404. `paths` is a line for each
    /// route of the whole API, such as "GET /v1/users", with " open" after it where it needs no key.
    #[must_use]
    pub fn catch_all(self, paths: &'static str) -> Self {
        Self { paths: Paths(paths), ..self }
    }

    pub async fn serve(&self, function: &F, request: Request) -> Response<Body> {
        let correlation_id = correlation_id(&request, self.clock);
        let context = request.lambda_context_ref();
        let server = self.server(&request, &correlation_id);
        let span = server.in_scope(|| {
            tracing::info_span!(
                "request",
                service = self.service,
                function_request_id = context.map_or("", |context| context.request_id.as_str()),
                xray_trace_id = context.and_then(|context| context.xray_trace_id.as_deref()),
                correlation_id = correlation_id.as_str(),
                event_id = Empty,
            )
        });
        let serving = async {
            let (route, method) = (route_of(&request).to_owned(), request.method().clone());
            let answer = self.answer(function, request, &correlation_id).await;
            let code = answer.as_ref().err().map(|problem| problem.code);
            let mut response = answer.unwrap_or_else(|problem| problem.into_response(&correlation_id));
            tracing::info!(%method, route, status = response.status().as_u16(), code, "answered");
            let echo = HeaderValue::from_str(correlation_id.as_str());
            let echo = echo.expect("an identifier is visible ASCII");
            let headers = response.headers_mut();
            // An answer that was given before has its own.
            headers.entry(CORRELATION_ID).or_insert(echo);
            // It is of people or of this moment, unless it says otherwise.
            headers.entry(header::CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
            if method == Method::HEAD {
                *response.body_mut() = Body::Empty;
            }
            response
        };
        let response = serving.instrument(span).instrument(server.clone()).await;
        server.record("http.response.status_code", response.status().as_u16());
        if response.status().is_server_error() {
            server.record("otel.status_code", "ERROR");
        }
        response
    }

    /// The request's part of its trace.
    /// <https://opentelemetry.io/docs/specs/semconv/http/http-spans/#http-server-span>
    fn server(&self, request: &Request, correlation_id: &CorrelationId) -> Span {
        let (method, route) = (request.method(), route_of(request));
        tracing::info_span!(
            "server",
            service = self.service,
            otel.kind = "server",
            otel.name = format!("{method} {route}"),
            otel.status_code = Empty,
            traceparent = header_of(request, TRACEPARENT),
            http.request.method = %method,
            http.route = route,
            http.response.status_code = Empty,
            faas.trigger = "http",
            joiner.correlation_id = correlation_id.as_str(),
        )
    }

    async fn answer(
        &self,
        function: &F,
        request: Request,
        correlation_id: &CorrelationId,
    ) -> Result<Response<Body>, Problem> {
        let path = route_of(&request);
        let Some(route) =
            self.routes.iter().find(|route| route.path == path && route.takes(request.method()))
        else {
            return self.without_route(&request).await;
        };
        let principal = match route.scope {
            Some(scope) => self.admit(&request, scope).await?,
            None => Principal::anybody(),
        };
        let call = Call::new(request, correlation_id.clone(), principal, self.clock);
        call.check_query(route.query)?;
        let mut answer = (route.handler)(function, &call).await;
        if let (Ok(response), Some(deprecation)) = (&mut answer, route.deprecation) {
            deprecation.announce(response.headers_mut());
        }
        answer
    }

    /// OPTIONS is answered to everybody, as API Gateway does it by itself.
    async fn without_route(&self, request: &Request) -> Result<Response<Body>, Problem> {
        let path = route_of(request);
        let mut known = Known::default();
        for route in self.routes.iter().filter(|route| route.path == path) {
            known.add(route.method, route.scope.is_none());
        }
        if known.methods.is_empty() {
            known = self.paths.known(request.raw_http_path());
        }
        let Known { methods, is_open } = known;
        if request.method() == Method::OPTIONS && !methods.is_empty() {
            return Ok(options(&allow(&methods)));
        }
        if !is_open {
            self.authenticate(request).await?;
        }
        if methods.is_empty() {
            return Err(Problem::unknown_route());
        }
        Err(Problem::method_not_allowed(allow(&methods)))
    }

    async fn admit(&self, request: &Request, scope: Scope) -> Result<Principal, Problem> {
        let principal = self.authenticate(request).await?;
        if principal.may(scope) { Ok(principal) } else { Err(wrong_key()) }
    }

    async fn authenticate(&self, request: &Request) -> Result<Principal, Problem> {
        let Access::WithKey(keys) = &self.access else { return Ok(Principal::anybody()) };
        let Some(given) = header_of(request, API_KEY) else {
            let detail = "Send the API key in the header X-API-Key.";
            return Err(Problem::new(StatusCode::UNAUTHORIZED, "api_key_missing", detail));
        };
        key::authenticate(given, keys).await.map_err(|refusal| match refusal {
            Refusal::Wrong => wrong_key(),
            Refusal::Unknown(error) => {
                let error = telemetry::chain(&error);
                tracing::error!(error, "a request was not answered: its API key could not be checked");
                Problem::unavailable()
            }
        })
    }
}

/// One answer for a key that nobody has and one without the scope: a function knows the keys only that it needs.
fn wrong_key() -> Problem {
    let detail = "This API key is not the right one for this route.";
    Problem::new(StatusCode::FORBIDDEN, "api_key_wrong", detail)
}

fn options(allow: &str) -> Response<Body> {
    let mut response = Response::new(Body::Empty);
    *response.status_mut() = StatusCode::NO_CONTENT;
    let allow = HeaderValue::from_str(allow).expect("methods are visible ASCII");
    response.headers_mut().insert(header::ALLOW, allow);
    response
}

// Derived, it would ask the function for the same.
impl<F> Clone for Api<F> {
    fn clone(&self) -> Self {
        Self { access: self.access.clone(), ..*self }
    }
}

impl<F> std::fmt::Debug for Api<F> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Api").field("service", &self.service).finish_non_exhaustive()
    }
}

#[cfg(test)]
pub(crate) mod tests;

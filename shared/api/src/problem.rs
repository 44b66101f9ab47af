//! Errors as people and programs read them: RFC 9457 `application/problem+json`.

use std::time::Duration;

use contracts::CorrelationId;
use lambda_http::{
    Body, Response,
    http::{HeaderValue, StatusCode, header},
};
use serde::Serialize;

/// An answer that says what went wrong. `code` is stable; `detail` is for people and holds nothing personal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    pub status: StatusCode,
    pub code: &'static str,
    pub detail: String,
    pub errors: Vec<Fault>,
    pub retry_after: Option<Duration>,
    pub allow: Option<String>,
}

/// There is no registered scheme for keys in headers. <https://www.rfc-editor.org/rfc/rfc9110#section-11.6.1>
const CHALLENGE: &str = "ApiKey header=\"X-API-Key\"";

/// One wrong place in a request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Fault {
    /// RFC 6901, such as `/email`.
    pub pointer: String,
    pub detail: String,
}

/// The body as sent. <https://www.rfc-editor.org/rfc/rfc9457#section-3.1>
#[derive(Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[cfg_attr(feature = "schema", schemars(rename = "Problem"))]
pub(crate) struct Wire<'a> {
    r#type: String,
    title: &'a str,
    status: u16,
    detail: &'a str,
    code: &'a str,
    #[serde(skip_serializing_if = "<[Fault]>::is_empty")]
    errors: &'a [Fault],
    #[cfg_attr(feature = "schema", schemars(with = "CorrelationId"))]
    correlation_id: &'a str,
}

impl Problem {
    pub fn new(status: StatusCode, code: &'static str, detail: impl Into<String>) -> Self {
        Self { status, code, detail: detail.into(), errors: Vec::new(), retry_after: None, allow: None }
    }

    pub fn bad_request(code: &'static str, detail: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, code, detail)
    }

    pub fn not_found(code: &'static str, detail: impl Into<String>) -> Self {
        Self::new(StatusCode::NOT_FOUND, code, detail)
    }

    pub fn unknown_route() -> Self {
        Self::not_found("route_not_found", "There is nothing at this path.")
    }

    pub fn method_not_allowed(allow: String) -> Self {
        let detail = format!("This path answers {allow} only.");
        Self { allow: Some(allow), ..Self::new(StatusCode::METHOD_NOT_ALLOWED, "method_not_allowed", detail) }
    }

    pub fn faults(errors: Vec<Fault>) -> Self {
        let detail = "Some fields are missing or wrong; `errors` lists each.";
        Self { errors, ..Self::new(StatusCode::UNPROCESSABLE_ENTITY, "invalid_fields", detail) }
    }

    /// Something that we need is away. The body is constant: what exactly it was is in the log.
    pub fn unavailable() -> Self {
        let detail = "The service can't do this right now. Try again later.";
        Self {
            retry_after: Some(Duration::from_secs(5)),
            ..Self::new(StatusCode::SERVICE_UNAVAILABLE, "unavailable", detail)
        }
    }

    pub fn into_response(self, correlation_id: &CorrelationId) -> Response<Body> {
        let body = serde_json::to_string(&Wire {
            r#type: format!("urn:joiner:problem:{}", self.code),
            title: self.status.canonical_reason().unwrap_or("Error"),
            status: self.status.as_u16(),
            detail: &self.detail,
            code: self.code,
            errors: &self.errors,
            correlation_id: correlation_id.as_str(),
        })
        .expect("a struct of strings has no key that JSON can't hold");
        let mut response = Response::new(Body::Text(body));
        *response.status_mut() = self.status;
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        if let Some(wait) = self.retry_after {
            headers.insert(header::RETRY_AFTER, HeaderValue::from(wait.as_secs()));
        }
        if self.status == StatusCode::UNAUTHORIZED {
            headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static(CHALLENGE));
        }
        if let Some(allow) = self.allow {
            headers.insert(header::ALLOW, HeaderValue::try_from(allow).expect("methods are visible ASCII"));
        }
        response
    }
}

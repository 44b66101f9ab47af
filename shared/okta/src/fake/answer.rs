use axum::{
    body::Body,
    http::{HeaderValue, Response, StatusCode, header},
};
use jiff::{Timestamp, fmt::rfc2822::DateTimePrinter};
use serde_json::{Value, json};
use url::Url;

use super::{random::Random, traffic::Standing};

/// An answer before it has its headers.
#[derive(Debug)]
pub(super) struct Answer {
    status: StatusCode,
    body: String,
    links: Vec<(&'static str, Url)>,
}

impl Answer {
    pub(super) fn ok(body: &Value) -> Self {
        Self { status: StatusCode::OK, body: body.to_string(), links: Vec::new() }
    }

    pub(super) fn garbage() -> Self {
        let body = "<html><body>Please log in to the guest network</body></html>".to_owned();
        Self { status: StatusCode::OK, body, links: Vec::new() }
    }

    pub(super) fn wrong_json() -> Self {
        Self::ok(&json!({ "items": [{ "id": 7, "profile": "none" }] }))
    }

    /// `code` is one of <https://developer.okta.com/docs/reference/error-codes/>.
    pub(super) fn error(status: StatusCode, code: &str, summary: &str) -> Self {
        let body = json!({
            "errorCode": code,
            "errorSummary": summary,
            "errorLink": code,
            "errorId": format!("oae{}", Random::of(summary).alphanumeric(17)),
            "errorCauses": [],
        });
        Self { status, ..Self::ok(&body) }
    }

    /// In the place of a link with the same relation.
    pub(super) fn with_link(mut self, relation: &'static str, target: Url) -> Self {
        self.links.retain(|(other, _)| *other != relation);
        self.links.push((relation, target));
        self
    }

    pub(super) fn into_response(self, standing: Standing, now: Timestamp) -> Response<Body> {
        let mut response = Response::new(Body::from(self.body));
        *response.status_mut() = self.status;
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
        let reset_in = i64::try_from(standing.reset_in.as_millis().div_ceil(1000)).unwrap_or(i64::MAX);
        headers.insert("x-rate-limit-limit", standing.limit.into());
        headers.insert("x-rate-limit-remaining", standing.remaining.into());
        headers.insert("x-rate-limit-reset", now.as_second().saturating_add(reset_in).into());
        // hyper would send the real time, which need not be the clock's.
        let date = DateTimePrinter::new().timestamp_to_rfc9110_string(&now).unwrap_or_default();
        if let Ok(date) = HeaderValue::try_from(date) {
            headers.insert(header::DATE, date);
        }
        for (relation, target) in self.links {
            if let Ok(link) = HeaderValue::try_from(format!("<{target}>; rel=\"{relation}\"")) {
                headers.append(header::LINK, link);
            }
        }
        response
    }
}

use std::{fmt, time::Duration};

use reqwest::{
    Method, StatusCode,
    header::{HeaderMap, RETRY_AFTER},
};
use serde::Deserialize;

/// An answer that is an error: Joiner's `application/problem+json`, or what stands before it has to say.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) struct Problem {
    status: StatusCode,
    detail: Option<String>,
    faults: Vec<Fault>,
    retry_after: Option<Duration>,
}

/// A wrong place in what was sent.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
struct Fault {
    pointer: String,
    detail: String,
}

#[derive(Default, Deserialize)]
struct Body {
    #[serde(alias = "message")]
    detail: Option<String>,
    #[serde(default)]
    errors: Vec<Fault>,
}

impl Problem {
    pub(super) fn read(status: StatusCode, headers: &HeaderMap, body: &[u8]) -> Self {
        let Body { detail, errors } = serde_json::from_slice(body).unwrap_or_default();
        let seconds = headers.get(RETRY_AFTER).and_then(|value| value.to_str().ok()?.parse().ok());
        Self { status, detail, faults: errors, retry_after: seconds.map(Duration::from_secs) }
    }

    /// Whether it may go well a little later.
    pub(super) fn passes(&self) -> bool {
        self.status == StatusCode::TOO_MANY_REQUESTS || self.status.is_server_error()
    }

    /// Whether it is about one letter, and another one may go well.
    pub(super) fn is_of_the_letter(&self) -> bool {
        matches!(self.status, StatusCode::NOT_FOUND | StatusCode::CONFLICT)
    }

    /// Whether such a request can be sent again: nothing has come of it.
    pub(super) fn is_before(&self, method: &Method) -> bool {
        match self.status {
            StatusCode::TOO_MANY_REQUESTS => true,
            StatusCode::SERVICE_UNAVAILABLE => method.is_safe(),
            _ => false,
        }
    }

    pub(super) fn wait(&self) -> Duration {
        const DEFAULT_WAIT: Duration = Duration::from_secs(1);
        const MAX_WAIT: Duration = Duration::from_secs(10);
        self.retry_after.unwrap_or(DEFAULT_WAIT).min(MAX_WAIT)
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.faults.is_empty() {
            let faults = self.faults.iter().map(|Fault { pointer, detail }| format!("{pointer} {detail}"));
            return write!(f, "refused: {}", faults.collect::<Vec<_>>().join("; "));
        }
        match &self.detail {
            Some(detail) => f.write_str(detail.trim_end_matches('.'))?,
            None => write!(f, "the answer is {}", self.status)?,
        }
        match self.status {
            StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => {
                f.write_str(": JOINER_API_KEY has to be the admin key")
            }
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn problem(status: u16, body: &str) -> Problem {
        Problem::read(StatusCode::from_u16(status).unwrap(), &HeaderMap::new(), body.as_bytes())
    }

    #[test]
    fn a_problem_is_one_sentence_with_each_fault() {
        let faults = r#"{"detail":"Some.","errors":[{"pointer":"/email","detail":"must be an e-mail address"},
            {"pointer":"/first_name","detail":"is missing"}]}"#;
        for (status, body, sentence) in [
            (409, r#"{"detail":"Not done: it is resolved."}"#, "Not done: it is resolved"),
            (422, faults, "refused: /email must be an e-mail address; /first_name is missing"),
            (403, r#"{"detail":"Wrong key."}"#, "Wrong key: JOINER_API_KEY has to be the admin key"),
            (429, r#"{"message":"Too Many Requests"}"#, "Too Many Requests"),
            (502, "<html>", "the answer is 502 Bad Gateway"),
        ] {
            assert_eq!(problem(status, body).to_string(), sentence);
        }
    }

    #[test]
    fn only_that_of_which_nothing_came_is_sent_again() {
        for (status, method, again) in [
            (429, Method::POST, true),
            (503, Method::GET, true),
            (503, Method::POST, false),
            (500, Method::GET, false),
            (409, Method::POST, false),
        ] {
            assert_eq!(problem(status, "{}").is_before(&method), again, "{status} {method}");
        }
    }
}

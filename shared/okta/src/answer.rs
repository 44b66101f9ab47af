//! From an HTTP answer to a value or an [`Error`]. No I/O: every branch is a unit test.

use std::time::Duration;

use jiff::{Timestamp, fmt::rfc2822};
use reqwest::{StatusCode, header, header::HeaderMap};
use serde::{Deserialize, de::DeserializeOwned};

use crate::{Error, Limit};

/// A concurrency limit's reset time is a hint only: it passes as soon as other requests end.
const CONCURRENCY_WAIT: Duration = Duration::from_secs(1);

/// When Okta doesn't say, its limits are per minute.
const ORG_WAIT: Duration = Duration::from_mins(1);

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ErrorBody {
    error_code: String,
}

pub(crate) fn read<T: DeserializeOwned>(
    status: StatusCode,
    headers: &HeaderMap,
    body: &[u8],
    now: Timestamp,
) -> Result<T, Error> {
    if status.is_success() {
        return serde_json::from_slice(body).map_err(|_| Error::Malformed("not the documented JSON"));
    }
    let code = serde_json::from_slice::<ErrorBody>(body).map(|body| body.error_code).unwrap_or_default();
    Err(match (status.as_u16(), code.as_str()) {
        (_, "E0000007") => Error::NotFound,
        (429, _) | (_, "E0000047") => rate_limited(headers, now),
        (401 | 403, _) | (_, "E0000004" | "E0000006" | "E0000011") => {
            Error::Unauthorized { status: status.as_u16() }
        }
        (408 | 500.., _) => Error::Failed { status: status.as_u16() },
        (400, _) => Error::Malformed("a request that it should accept was refused"),
        _ => Error::Malformed("an undocumented status"),
    })
}

fn rate_limited(headers: &HeaderMap, now: Timestamp) -> Error {
    let number = |name| headers.get(name)?.to_str().ok()?.parse::<i64>().ok();
    if number("x-rate-limit-limit") == Some(0) && number("x-rate-limit-remaining") == Some(0) {
        return Error::RateLimited { limit: Limit::Concurrency, wait: CONCURRENCY_WAIT };
    }
    // The server's own clock, where it says it: ours may be off by more than the wait.
    let now = server_time(headers).unwrap_or(now);
    let wait = number("x-rate-limit-reset").map_or(ORG_WAIT, |reset| {
        let seconds = reset.saturating_sub(now.as_second()).max(1);
        Duration::from_secs(seconds.unsigned_abs())
    });
    Error::RateLimited { limit: Limit::Org, wait }
}

fn server_time(headers: &HeaderMap) -> Option<Timestamp> {
    Some(rfc2822::parse(headers.get(header::DATE)?.to_str().ok()?).ok()?.timestamp())
}

#[cfg(test)]
mod tests {
    use reqwest::header::{HeaderName, HeaderValue};
    use serde_json::{Value, json};

    use super::*;

    fn answer(status: u16, headers: &[(&'static str, &'static str)], body: &str) -> Result<Value, Error> {
        let headers = headers
            .iter()
            .map(|(name, value)| (HeaderName::from_static(name), HeaderValue::from_static(value)))
            .collect();
        let now = "2026-01-31T18:42:00Z".parse().unwrap();
        read(StatusCode::from_u16(status).unwrap(), &headers, body.as_bytes(), now)
    }

    fn wait(headers: &[(&'static str, &'static str)]) -> (Limit, Duration) {
        match answer(429, headers, r#"{"errorCode":"E0000047"}"#) {
            Err(Error::RateLimited { limit, wait }) => (limit, wait),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_success_is_its_json() {
        assert_eq!(answer(200, &[], "[1]").unwrap(), json!([1]));
        assert!(matches!(answer(200, &[], "<html>"), Err(Error::Malformed(_))));
    }

    #[test]
    fn failures_are_told_apart_by_status_and_error_code() {
        assert!(matches!(answer(404, &[], r#"{"errorCode":"E0000007"}"#), Err(Error::NotFound)));
        for (status, code) in [(401, "E0000011"), (401, "E0000004"), (403, "E0000006")] {
            let body = format!(r#"{{"errorCode":"{code}","errorSummary":"not found"}}"#);
            assert!(matches!(answer(status, &[], &body), Err(Error::Unauthorized { .. })), "{code}");
        }
        let wrong_host = answer(404, &[], "<html>not okta</html>");
        assert!(matches!(wrong_host, Err(Error::Malformed(_))), "{wrong_host:?}");
        assert!(matches!(answer(502, &[], "<html>"), Err(Error::Failed { status: 502 })));
        assert!(matches!(answer(400, &[], r#"{"errorCode":"E0000031"}"#), Err(Error::Malformed(_))));
    }

    #[test]
    fn an_org_limit_lasts_until_its_reset_by_the_servers_clock() {
        let limit = [("x-rate-limit-limit", "600"), ("x-rate-limit-remaining", "0")];
        let reset = ("x-rate-limit-reset", "1769884950"); // 18:42:30
        assert_eq!(wait(&[limit[0], limit[1], reset]), (Limit::Org, Duration::from_secs(30)));
        let date = ("date", "Sat, 31 Jan 2026 18:42:10 GMT");
        assert_eq!(wait(&[limit[0], limit[1], reset, date]), (Limit::Org, Duration::from_secs(20)));
        assert_eq!(wait(&[limit[0], ("x-rate-limit-reset", "1")]), (Limit::Org, Duration::from_secs(1)));
        assert_eq!(wait(&[]), (Limit::Org, ORG_WAIT));
    }

    #[test]
    fn a_concurrency_limit_is_waited_out_briefly_whatever_its_reset_says() {
        let headers = [
            ("x-rate-limit-limit", "0"),
            ("x-rate-limit-remaining", "0"),
            ("x-rate-limit-reset", "1769888550"),
        ];
        assert_eq!(wait(&headers), (Limit::Concurrency, CONCURRENCY_WAIT));
    }
}

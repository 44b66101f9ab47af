//! How a function is asked whether it can do its work, without giving it any.

use std::{collections::BTreeMap, str::FromStr};

use runtime::{Clock, ConfigError, Vars, event::KafkaEvent};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::unfit::Unfit;

const USER_AGENT: &str = concat!("joiner-", env!("CARGO_PKG_NAME"));

/// `HEALTH_ROUTES`, such as `hr-webhook=/v1/hr/healthz,user-query=/v1/users/healthz`: the functions that answer HTTP, and what each
/// is asked.
#[derive(Debug, Clone)]
pub(crate) struct HealthRoutes(BTreeMap<String, String>);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Question<'a> {
    /// API Gateway's, for this path.
    Get(&'a str),
    /// A batch of Kafka's without a record.
    NoRecords,
}

/// What a function answers API Gateway, as far as it is needed.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Response {
    status_code: u16,
}

impl HealthRoutes {
    pub(crate) fn from_vars(vars: &Vars) -> Result<Self, ConfigError> {
        vars.parse_or("HEALTH_ROUTES", Self(BTreeMap::new()), "function=/path, several separated by commas")
    }

    /// What the function of that name, which is `joiner-<stage>-<function>`, is asked.
    pub(crate) fn question(&self, name: &str) -> Result<Question<'_>, Unfit> {
        let function = name.strip_prefix("joiner-").and_then(|name| name.split_once('-'));
        let (_stage, function) = function.ok_or(Unfit::Foreign)?;
        Ok(self.0.get(function).map_or(Question::NoRecords, |path| Question::Get(path)))
    }
}

impl FromStr for HealthRoutes {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let route = |route: &str| {
            let (function, path) = route.trim().split_once('=').ok_or(())?;
            if path.starts_with('/') { Ok((function.to_owned(), path.to_owned())) } else { Err(()) }
        };
        text.split(',').map(route).collect::<Result<_, _>>().map(Self)
    }
}

impl Question<'_> {
    pub(crate) fn event(self, clock: Clock) -> Value {
        match self {
            Self::Get(path) => {
                let route_key = format!("GET {path}");
                json!({
                    "version": "2.0",
                    "routeKey": route_key,
                    "rawPath": path,
                    "rawQueryString": "",
                    "headers": {"accept": "application/json", "user-agent": USER_AGENT},
                    "requestContext": {
                        "http": {
                            "method": "GET",
                            "path": path,
                            "protocol": "HTTP/1.1",
                            "sourceIp": "127.0.0.1",
                            "userAgent": USER_AGENT,
                        },
                        "requestId": clock.new_id().to_string(),
                        "routeKey": route_key,
                        "stage": "$default",
                        "timeEpoch": clock.now().as_millisecond(),
                    },
                    "isBase64Encoded": false,
                })
            }
            Self::NoRecords => {
                serde_json::to_value(KafkaEvent::from_iter([])).expect("a struct's JSON has string keys")
            }
        }
    }

    /// Whether a function that answers so can do its work.
    pub(crate) fn judge(self, answer: &[u8]) -> Result<(), Unfit> {
        match self {
            Self::Get(_) => match serde_json::from_slice(answer) {
                Ok(Response { status_code: 200 }) => Ok(()),
                Ok(Response { status_code }) => Err(Unfit::Unhealthy(status_code)),
                Err(_) => Err(Unfit::Strange),
            },
            Self::NoRecords => {
                let none_failed = json!({"batchItemFailures": []});
                let answer = serde_json::from_slice::<Value>(answer).ok();
                if answer == Some(none_failed) { Ok(()) } else { Err(Unfit::Strange) }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn routes(value: &str) -> Result<HealthRoutes, ConfigError> {
        HealthRoutes::from_vars(&Vars::from_iter([("HEALTH_ROUTES", value)]))
    }

    #[test]
    fn a_function_with_a_health_route_is_asked_for_it_and_any_other_gets_no_records() {
        let routes = routes("hr-webhook=/v1/hr/healthz, user-query=/v1/healthz").unwrap();
        for (name, question) in [
            ("joiner-dev-hr-webhook", Some(Question::Get("/v1/hr/healthz"))),
            ("joiner-prod-user-query", Some(Question::Get("/v1/healthz"))),
            ("joiner-prod-dlq-reprocessor", Some(Question::NoRecords)),
            ("joiner-prod", None),
            ("hr-webhook", None),
        ] {
            assert_eq!(routes.question(name).ok(), question, "{name}");
        }
    }

    #[test]
    fn a_route_that_is_none_stops_the_start() {
        for wrong in ["hr-webhook", "hr-webhook=v1", "hr-webhook=/v1,", ","] {
            assert_eq!(routes(wrong).unwrap_err().name, "HEALTH_ROUTES", "{wrong}");
        }
        assert!(routes("").is_ok(), "no function has one");
    }

    #[test]
    fn only_the_answer_of_a_function_that_works_is_good() {
        let health = Question::Get("/v1/healthz");
        for (question, answer, is_good) in [
            (health, r#"{"statusCode":200,"body":"{}"}"#, true),
            (health, r#"{"statusCode":401}"#, false),
            (health, r#"{"statusCode":503}"#, false),
            (health, r#"{"statusCode":404}"#, false),
            (health, r#"{"batchItemFailures":[]}"#, false),
            (Question::NoRecords, r#"{"batchItemFailures":[]}"#, true),
            (Question::NoRecords, r#"{"batchItemFailures":[{"itemIdentifier":{}}]}"#, false),
            (Question::NoRecords, r#"{"statusCode":200}"#, false),
            (Question::NoRecords, "null", false),
            (Question::NoRecords, "", false),
        ] {
            assert_eq!(question.judge(answer.as_bytes()).is_ok(), is_good, "{question:?}: {answer}");
        }
    }
}

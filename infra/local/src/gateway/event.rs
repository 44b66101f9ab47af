//! Between HTTP and the JSON of a Lambda proxy integration:
//! <https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-lambda.html>.

use std::{
    borrow::Cow,
    collections::{BTreeMap, btree_map::Entry},
};

use anyhow::Context;
use axum::{
    body::Body,
    http::{HeaderName, HeaderValue, StatusCode, header, request::Parts},
    response::Response,
};
use base64::{Engine, prelude::BASE64_STANDARD};
use runtime::Clock;
use serde::{Deserialize, Serialize};
use url::form_urlencoded;

use super::routes::Matched;
use crate::template::ACCOUNT;

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Event<'a> {
    version: &'static str,
    route_key: &'a str,
    raw_path: &'a str,
    raw_query_string: &'a str,
    cookies: Vec<&'a str>,
    headers: &'a Joined<'a>,
    query_string_parameters: Joined<'a>,
    path_parameters: &'a BTreeMap<String, String>,
    request_context: RequestContext<'a>,
    body: Option<Cow<'a, str>>,
    is_base64_encoded: bool,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct RequestContext<'a> {
    account_id: &'static str,
    api_id: &'static str,
    domain_name: &'static str,
    domain_prefix: &'static str,
    http: Http<'a>,
    request_id: String,
    route_key: &'a str,
    stage: &'static str,
    time: String,
    /// Milliseconds.
    time_epoch: i64,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Http<'a> {
    method: &'a str,
    path: &'a str,
    protocol: &'static str,
    source_ip: &'static str,
    user_agent: Option<&'a str>,
}

/// Headers or parameters by name; those that are there twice are joined with commas.
#[derive(Serialize)]
struct Joined<'a>(BTreeMap<Cow<'a, str>, Cow<'a, str>>);

impl<'a> FromIterator<(Cow<'a, str>, Cow<'a, str>)> for Joined<'a> {
    fn from_iter<I: IntoIterator<Item = (Cow<'a, str>, Cow<'a, str>)>>(pairs: I) -> Self {
        let mut joined = BTreeMap::<_, Cow<'_, str>>::new();
        for (name, value) in pairs {
            match joined.entry(name) {
                Entry::Vacant(entry) => drop(entry.insert(value)),
                Entry::Occupied(mut entry) => {
                    let all = entry.get_mut().to_mut();
                    all.push(',');
                    all.push_str(&value);
                }
            }
        }
        Self(joined)
    }
}

pub(super) fn request(parts: &Parts, body: &[u8], matched: &Matched<'_>, clock: Clock) -> Vec<u8> {
    let (path, now) = (parts.uri.path(), clock.now());
    let raw_query_string = parts.uri.query().unwrap_or_default();
    let headers = parts.headers.iter().filter(|(name, _)| *name != header::COOKIE);
    let headers = headers.map(|(name, value)| (Cow::Borrowed(name.as_str()), text(value)));
    let mut headers: Joined<'_> = headers.collect();
    // API Gateway says these itself, whatever the client sent.
    headers.0.insert("host".into(), "localhost".into());
    headers.0.insert("x-forwarded-proto".into(), "http".into());
    let cookies: Vec<_> = parts.headers.get_all(header::COOKIE).iter().map(text).collect();
    let cookies = cookies.iter().flat_map(|cookies| cookies.split(';')).map(str::trim);
    let (body, is_base64_encoded) = match std::str::from_utf8(body) {
        Ok(text) => (Cow::Borrowed(text), false),
        Err(_) => (Cow::Owned(BASE64_STANDARD.encode(body)), true),
    };
    let event = Event {
        version: "2.0",
        route_key: &matched.key,
        raw_path: path,
        raw_query_string,
        cookies: cookies.filter(|cookie| !cookie.is_empty()).collect(),
        query_string_parameters: form_urlencoded::parse(raw_query_string.as_bytes()).collect(),
        path_parameters: &matched.parameters,
        request_context: RequestContext {
            account_id: ACCOUNT,
            api_id: "local",
            domain_name: "localhost",
            domain_prefix: "localhost",
            http: Http {
                method: parts.method.as_str(),
                path,
                protocol: "HTTP/1.1",
                source_ip: "127.0.0.1",
                user_agent: headers.0.get("user-agent").map(Cow::as_ref),
            },
            request_id: clock.new_id().to_string(),
            route_key: &matched.key,
            stage: "$default",
            time: now.strftime("%d/%b/%Y:%H:%M:%S +0000").to_string(),
            time_epoch: now.as_millisecond(),
        },
        headers: &headers,
        body: (!body.is_empty()).then_some(body),
        is_base64_encoded,
    };
    serde_json::to_vec(&event).expect("an event has string keys")
}

fn text(value: &HeaderValue) -> Cow<'_, str> {
    String::from_utf8_lossy(value.as_bytes())
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Answer {
    status_code: u16,
    #[serde(default)]
    headers: BTreeMap<String, String>,
    #[serde(default)]
    cookies: Vec<String>,
    #[serde(default)]
    body: Option<String>,
    #[serde(default)]
    is_base64_encoded: bool,
}

pub(super) fn response(answer: &[u8]) -> anyhow::Result<Response> {
    let answer: Answer = serde_json::from_slice(answer).context("not an answer to API Gateway")?;
    let body = answer.body.unwrap_or_default();
    let body = if answer.is_base64_encoded { BASE64_STANDARD.decode(body)? } else { body.into_bytes() };
    let mut response = Response::new(Body::from(body));
    *response.status_mut() = StatusCode::from_u16(answer.status_code)?;
    for (name, value) in answer.headers {
        response.headers_mut().insert(HeaderName::try_from(name)?, HeaderValue::try_from(value)?);
    }
    for cookie in answer.cookies {
        response.headers_mut().append(header::SET_COOKIE, HeaderValue::try_from(cookie)?);
    }
    Ok(response)
}

#[cfg(test)]
mod tests {
    use std::{future::ready, sync::Arc, time::Duration};

    use futures_util::future::BoxFuture;
    use serde_json::{Value, json};

    use super::*;
    use crate::function::Function;

    #[test]
    fn what_a_request_says_twice_is_joined_in_its_event() {
        let http = axum::http::Request::get("/v1/users/a%2Fb?tag=1&tag=2%263&none")
            .header("x-twice", "1")
            .header("x-twice", "2")
            .header("host", "elsewhere")
            .header("cookie", "a=1; b=2")
            .header("cookie", "c=3");
        let (parts, ()) = http.body(()).unwrap().into_parts();
        let echo = Arc::new(|payload, _context| -> BoxFuture<'static, _> { Box::pin(ready(Ok(payload))) });
        let matched = Matched {
            key: "GET /v1/users/{id}".to_owned(),
            parameters: BTreeMap::from([("id".to_owned(), "a/b".to_owned())]),
            function: &Function::new("echo".to_owned(), Duration::ZERO, Clock::system(), echo),
        };
        let event = |body: &[u8]| -> Value {
            serde_json::from_slice(&request(&parts, body, &matched, Clock::system())).unwrap()
        };
        let expected = json!({
            "version": "2.0",
            "routeKey": "GET /v1/users/{id}",
            "rawPath": "/v1/users/a%2Fb",
            "rawQueryString": "tag=1&tag=2%263&none",
            "cookies": ["a=1", "b=2", "c=3"],
            "headers": {"host": "localhost", "x-forwarded-proto": "http", "x-twice": "1,2"},
            "queryStringParameters": {"none": "", "tag": "1,2&3"},
            "pathParameters": {"id": "a/b"},
            "body": "hé",
            "isBase64Encoded": false,
        });
        let event_of_text = event("hé".as_bytes());
        for (name, value) in expected.as_object().unwrap() {
            assert_eq!(event_of_text[name], *value, "{name}");
        }
        assert_eq!((&event(b"")["body"], &event(b"\xff")["body"]), (&Value::Null, &json!("/w==")));
        assert_eq!(event(b"\xff")["isBase64Encoded"], true);
    }

    #[test]
    fn an_answer_becomes_a_response_with_its_cookies() {
        let answer = json!({
            "statusCode": 201, "headers": {"content-type": "text/plain"}, "cookies": ["a=1; Secure", "b=2"],
            "body": "aGk=", "isBase64Encoded": true,
        });
        let response = response(answer.to_string().as_bytes()).unwrap();
        assert_eq!(response.status(), StatusCode::CREATED);
        assert_eq!(response.headers()["content-type"], "text/plain");
        let cookies: Vec<_> = response.headers().get_all("set-cookie").iter().collect();
        assert_eq!(cookies, ["a=1; Secure", "b=2"]);
    }

    #[test]
    fn what_is_no_answer_is_an_error() {
        for answer in
            ["", "null", "{}", r#"{"statusCode": 99}"#, r#"{"statusCode": 200, "headers": {"a b": ""}}"#]
        {
            assert!(response(answer.as_bytes()).is_err(), "{answer}");
        }
    }
}

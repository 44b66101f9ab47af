//! Between HTTP and the JSON of a Lambda proxy integration:
//! <https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-lambda.html>.

use std::collections::BTreeMap;

use anyhow::Context;
use axum::{
    body::Body,
    http::{HeaderName, HeaderValue, StatusCode, header, request::Parts},
    response::Response,
};
use base64::{Engine, prelude::BASE64_STANDARD};
use runtime::Clock;
use serde::Deserialize;
use serde_json::json;
use url::form_urlencoded;

use super::routes::Matched;

pub(super) fn request(parts: &Parts, body: &[u8], matched: &Matched<'_>, clock: Clock) -> Vec<u8> {
    let mut headers = BTreeMap::<&str, String>::new();
    for (name, value) in &parts.headers {
        join(headers.entry(name.as_str()).or_default(), &String::from_utf8_lossy(value.as_bytes()));
    }
    // API Gateway says these itself, whatever the client sent.
    headers.insert("host", "localhost".to_owned());
    headers.insert("x-forwarded-proto", "http".to_owned());
    let cookies = headers.remove("cookie").unwrap_or_default();
    let cookies: Vec<_> = cookies.split(';').map(str::trim).filter(|cookie| !cookie.is_empty()).collect();
    let raw_query = parts.uri.query().unwrap_or_default();
    let mut query = BTreeMap::<String, String>::new();
    for (name, value) in form_urlencoded::parse(raw_query.as_bytes()) {
        join(query.entry(name.into_owned()).or_default(), &value);
    }
    let (text, is_base64) = match std::str::from_utf8(body) {
        Ok(text) => (text.to_owned(), false),
        Err(_) => (BASE64_STANDARD.encode(body), true),
    };
    let now = clock.now();
    let event = json!({
        "version": "2.0",
        "routeKey": matched.key,
        "rawPath": parts.uri.path(),
        "rawQueryString": raw_query,
        "cookies": cookies,
        "headers": headers,
        "queryStringParameters": query,
        "pathParameters": matched.parameters,
        "requestContext": {
            "accountId": "000000000000",
            "apiId": "local",
            "domainName": "localhost",
            "domainPrefix": "localhost",
            "http": {
                "method": parts.method.as_str(),
                "path": parts.uri.path(),
                "protocol": "HTTP/1.1",
                "sourceIp": "127.0.0.1",
                "userAgent": headers.get("user-agent"),
            },
            "requestId": clock.new_id().to_string(),
            "routeKey": matched.key,
            "stage": "$default",
            "time": now.strftime("%d/%b/%Y:%H:%M:%S +0000").to_string(),
            "timeEpoch": now.as_millisecond(),
        },
        "body": (!body.is_empty()).then_some(text),
        "isBase64Encoded": is_base64,
    });
    event.to_string().into_bytes()
}

/// Repeated headers and parameters are joined with commas.
fn join(all: &mut String, one: &str) {
    if !all.is_empty() {
        all.push(',');
    }
    all.push_str(one);
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
    use super::*;

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

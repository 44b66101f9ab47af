use jiff::civil::date;
use serde_json::Value;

use super::*;
use crate::{json, route::Answering};

type Row = Route<()>;

static ROUTES: [Row; 5] = [
    Row::get("/v1/things", "list", Scope::UsersRead, subject).query(&["color", "limit"]),
    Row::post("/v1/things", "make", Scope::HrWrite, subject),
    Row::delete("/v1/things/{id}", "erase", Scope::UsersErase, subject),
    Row::open("/v1/things/healthz", "health", subject),
    Row::get("/v1/old", "old", Scope::UsersRead, subject).deprecated(date(2026, 12, 1), date(2027, 6, 1)),
];

const ELSEWHERE: &str = "GET /v1/others/{id}\nPOST /v1/others\nGET /v1/healthz open";

/// Answers who called.
pub(crate) fn subject<'a>((): &'a (), call: &'a Call) -> Answering<'a> {
    Box::pin(async { Ok(json(StatusCode::OK, &call.principal.subject)) })
}

/// API Gateway's event of a request that took `route`, such as "GET /v1/things".
pub(crate) fn request(route: &str, method: &str, asked: &str, headers: &[(&str, &str)]) -> Request {
    let (path, query) = asked.split_once('?').unwrap_or((asked, ""));
    let headers: serde_json::Map<_, _> =
        headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).into())).collect();
    let event = serde_json::json!({
        "version": "2.0", "routeKey": route, "rawPath": path, "rawQueryString": query, "headers": headers,
        "requestContext": {
            "routeKey": route, "timeEpoch": 0,
            "http": {"method": method, "path": path, "protocol": "HTTP/1.1", "sourceIp": "192.0.2.1"},
        },
        "isBase64Encoded": false,
    });
    lambda_http::request::from_str(&event.to_string()).unwrap()
}

fn api(vars: &[(&str, &str)]) -> Api<()> {
    let mut all = Vars::from_iter(aws::EMULATED);
    all.extend(vars.iter().copied());
    let aws = Aws::from_vars(&all).unwrap();
    Api::from_vars("test", &ROUTES, &all, &aws, Clock::system()).unwrap().catch_all(ELSEWHERE)
}

fn open() -> Api<()> {
    api(&[("AUTH", "off")])
}

fn code(response: &Response<Body>) -> (u16, Value) {
    let body: Value = serde_json::from_slice(response.body()).unwrap_or_default();
    (response.status().as_u16(), body["code"].clone())
}

#[tokio::test]
async fn a_row_takes_its_method_and_get_also_head_without_a_body() {
    let api = open();
    for (method, route, status, body) in [
        ("GET", "/v1/things", 200, "\"anybody\""),
        ("POST", "/v1/things", 200, "\"anybody\""),
        ("HEAD", "/v1/things", 200, ""),
        ("HEAD", "/v1/nothing", 404, ""),
        ("DELETE", "/v1/things/{id}", 200, "\"anybody\""),
    ] {
        let response = api.serve(&(), request(&format!("{method} {route}"), method, route, &[])).await;
        assert_eq!(response.status(), status, "{method} {route}");
        assert_eq!(response.body().as_ref(), body.as_bytes(), "{method} {route}");
        let kind = if status == 200 { "application/json" } else { "application/problem+json" };
        assert_eq!(response.headers()["content-type"], kind, "{method} {route}");
    }
}

#[tokio::test]
async fn what_a_path_does_not_take_is_refused_with_what_it_does() {
    let api = open();
    for (method, route, asked, allow) in [
        ("PUT", "/v1/things", "/v1/things", "GET, HEAD, POST, OPTIONS"),
        ("HEAD", "/v1/things/{id}", "/v1/things/1", "DELETE, OPTIONS"),
        ("PUT", "/{proxy+}", "/v1/others/1", "GET, HEAD, OPTIONS"),
        ("DELETE", "/{proxy+}", "/v1/others", "POST, OPTIONS"),
    ] {
        let response = api.serve(&(), request(&format!("{method} {route}"), method, asked, &[])).await;
        assert_eq!(response.status(), 405, "{method} {asked}");
        assert_eq!(response.headers()["allow"], allow, "{method} {asked}");
        let options = api.serve(&(), request(&format!("OPTIONS {route}"), "OPTIONS", asked, &[])).await;
        assert_eq!((options.status().as_u16(), &options.headers()["allow"]), (204, &allow.parse().unwrap()));
    }
}

#[tokio::test]
async fn an_unknown_path_is_shown_as_such_to_those_only_who_may_come_in() {
    let api = api(&[("API_KEY", "api"), ("ADMIN_KEY", "admin")]);
    for (method, asked, expected) in
        [("GET", "/v1/nowhere", (404, "route_not_found")), ("PUT", "/v1/others", (405, "method_not_allowed"))]
    {
        for key in ["api", "admin"] {
            let asking = request("GET /{proxy+}", method, asked, &[("x-api-key", key)]);
            assert_eq!(code(&api.serve(&(), asking).await), (expected.0, expected.1.into()), "{asked} {key}");
        }
        let wrong = request("GET /{proxy+}", method, asked, &[("x-api-key", "wrong")]);
        assert_eq!(code(&api.serve(&(), wrong).await), (403, "api_key_wrong".into()));
        let response = api.serve(&(), request("GET /{proxy+}", method, asked, &[])).await;
        assert_eq!(code(&response), (401, "api_key_missing".into()));
        assert_eq!(response.headers()["www-authenticate"], "ApiKey header=\"X-API-Key\"");
    }
}

#[tokio::test]
async fn a_wrong_method_of_an_open_path_needs_no_key_either() {
    let api = api(&[("API_KEY", "api")]);
    for (route, asked) in [("/v1/things/healthz", "/v1/things/healthz"), ("/{proxy+}", "/v1/healthz")] {
        let response = api.serve(&(), request(&format!("PUT {route}"), "PUT", asked, &[])).await;
        assert_eq!(code(&response), (405, "method_not_allowed".into()), "{asked}");
    }
}

#[tokio::test]
async fn a_key_opens_the_routes_whose_scope_it_has() {
    let api = api(&[("API_KEY", "api"), ("ADMIN_KEY", "admin")]);
    for (method, route, api_key, admin_key, none) in [
        ("GET", "/v1/things", 200, 403, 401),
        ("HEAD", "/v1/things", 200, 403, 401),
        ("POST", "/v1/things", 200, 403, 401),
        ("DELETE", "/v1/things/{id}", 403, 200, 401),
        ("GET", "/v1/things/healthz", 200, 200, 200),
    ] {
        for (key, status) in [(Some("api"), api_key), (Some("admin"), admin_key), (None, none)] {
            let headers: Vec<_> = key.map(|key| ("x-api-key", key)).into_iter().collect();
            let asking = request(&format!("{method} {route}"), method, route, &headers);
            let response = api.serve(&(), asking).await;
            assert_eq!(response.status(), status, "{method} {route} {key:?}");
        }
    }
}

#[tokio::test]
async fn query_parameters_that_a_row_does_not_know_are_named() {
    let api = open();
    let known = request("GET /v1/things", "GET", "/v1/things?color=red&limit=", &[]);
    assert_eq!(api.serve(&(), known).await.status(), 200);
    let unknown = request("GET /v1/things", "GET", "/v1/things?colour=red&color=red&b&colour=blue", &[]);
    let response = api.serve(&(), unknown).await;
    assert_eq!(code(&response), (400, "unknown_parameter".into()));
    let body: Value = serde_json::from_slice(response.body()).unwrap();
    assert_eq!(body["detail"], "There is no query parameter `b`, `colour`; this route has `color`, `limit`.");
    let none = api.serve(&(), request("POST /v1/things", "POST", "/v1/things?x=1", &[])).await;
    let body: Value = serde_json::from_slice(none.body()).unwrap();
    assert_eq!(body["detail"], "There is no query parameter `x`; this route has none.");
}

#[tokio::test]
async fn no_cache_on_the_way_keeps_an_answer() {
    for (path, status) in [("/v1/things", 200), ("/v1/nothing", 404)] {
        let response = open().serve(&(), request(&format!("GET {path}"), "GET", path, &[])).await;
        assert_eq!(response.status().as_u16(), status, "{path}");
        assert_eq!(response.headers()["cache-control"], "no-store", "{path}");
    }
}

#[tokio::test]
async fn a_deprecated_row_says_since_when_and_until_when() {
    let api = open();
    let old = api.serve(&(), request("GET /v1/old", "GET", "/v1/old", &[])).await;
    assert_eq!(old.headers()["deprecation"], "@1796083200");
    assert_eq!(old.headers()["sunset"], "Tue, 01 Jun 2027 00:00:00 GMT");
    let new = api.serve(&(), request("GET /v1/things", "GET", "/v1/things", &[])).await;
    assert!(!new.headers().contains_key("deprecation"));
}

#[tokio::test]
async fn a_request_id_is_the_correlation_id_where_there_is_none() {
    let api = open();
    for (headers, expected) in [
        (&[("x-request-id", "r-1")][..], Some("r-1")),
        (&[("x-request-id", "r-1"), ("x-correlation-id", "c-1")], Some("c-1")),
        (&[("x-request-id", "r-1"), ("x-correlation-id", "not sane")], None),
        (&[("x-request-id", "not sane")], None),
        (&[], None),
    ] {
        let response = api.serve(&(), request("GET /v1/things", "GET", "/v1/things", headers)).await;
        let id = response.headers()[CORRELATION_ID].to_str().unwrap();
        assert_eq!(expected.unwrap_or(id), id, "{headers:?}");
        assert_eq!(expected.is_none(), id.len() == 36, "{headers:?}: {id} is new");
    }
}

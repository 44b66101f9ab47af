//! Pages of other origins, as a browser lets them call the API.

use reqwest::{Method, StatusCode, header::HeaderMap};
use serde_json::Value;
use testkit::{Answer, Employee, Setup, World};

const CONSOLE: &str = "https://console.example";

/// A path of every function, a route that isn't there, and one that has no such method.
const PATHS: [&str; 5] =
    ["/v1/hr/webhook", "/v1/users", "/v1/dead-letters/abc/redrive", "/v1/nothing", "/v1/requests/x"];

/// Needs keys, which no preflight has.
async fn world() -> World {
    let vars = vec![("API_KEY", "sesame".to_owned())];
    let parameters = vec![("CorsAllowedOrigins", "https://console.example,https://other.example")];
    World::with(Setup { vars, parameters, ..Setup::default() }).await
}

async fn preflight(world: &World, path: &str, origin: &str) -> Answer {
    let headers = [
        ("origin", origin),
        ("access-control-request-method", "POST"),
        ("access-control-request-headers", "content-type,x-api-key"),
    ];
    world.call(Method::OPTIONS, path, &headers, None).await
}

fn cors_headers(headers: &HeaderMap) -> Vec<(&str, &str)> {
    let headers = headers.iter().map(|(name, value)| (name.as_str(), value.to_str().unwrap()));
    let mut headers: Vec<_> = headers.filter(|(name, _)| name.starts_with("access-control-")).collect();
    headers.sort_unstable();
    headers
}

#[tokio::test(flavor = "multi_thread")]
async fn a_browser_that_asks_beforehand_is_told_what_a_page_may_do() {
    let world = world().await;
    for path in PATHS {
        let answer = preflight(&world, path, CONSOLE).await;
        assert_eq!((answer.status, &answer.json), (StatusCode::NO_CONTENT, &Value::Null), "{path}");
        assert!(!answer.headers.contains_key("x-correlation-id"), "{path}: a function was asked");
        let allowed = [
            (
                "access-control-allow-headers",
                "Content-Type,X-API-Key,X-Correlation-Id,X-Request-Id,Idempotency-Key,traceparent",
            ),
            ("access-control-allow-methods", "GET,HEAD,POST,DELETE"),
            ("access-control-allow-origin", CONSOLE),
            (
                "access-control-expose-headers",
                "X-Correlation-Id,Retry-After,Link,Idempotency-Replayed,Deprecation,Sunset",
            ),
            ("access-control-max-age", "3600"),
        ];
        assert_eq!(cors_headers(&answer.headers), allowed, "{path}");
    }
    let answer = preflight(&world, "/v1/users", "https://evil.example").await;
    assert_eq!(cors_headers(&answer.headers), []);
}

#[tokio::test(flavor = "multi_thread")]
async fn only_a_page_that_is_let_in_reads_an_answer() {
    let world = world().await;
    let ada = Employee::ada();
    world.knows(&ada);
    let body = ada.body("hired").to_string();
    let hired = world.hr().posts(&body, &[("origin", CONSOLE), ("x-api-key", "sesame")]).await;
    assert_eq!(
        (hired.status, &hired.headers["access-control-allow-origin"]),
        (StatusCode::ACCEPTED, &CONSOLE.parse().unwrap())
    );
    world.settle().await;
    for (origin, is_let_in) in
        [(CONSOLE, true), ("https://other.example", true), ("https://evil.example", false)]
    {
        for path in PATHS {
            let answer = world.call(Method::GET, path, &[("origin", origin)], None).await;
            let found =
                answer.headers.get("access-control-allow-origin").map(|found| found.to_str().unwrap());
            assert_eq!(found, is_let_in.then_some(origin), "{path}: an error can be read, too");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn options_that_no_browser_asks_has_no_route() {
    let world = World::new().await;
    for headers in [&[][..], &[("origin", CONSOLE)]] {
        let answer = world.call(Method::OPTIONS, "/v1/hr/webhook", headers, None).await;
        assert_eq!((answer.status, &answer.json["message"]), (StatusCode::NOT_FOUND, &"Not Found".into()));
    }
}

//! How to call the API, and what is on the topics, as everybody may read it.

use std::fs;

use reqwest::{Method, StatusCode};
use scenarios::root;
use serde_json::{Value, json};
use testkit::World;

#[tokio::test(flavor = "multi_thread")]
async fn the_api_is_described_as_the_document_says() {
    let world = World::new().await;
    let written = fs::read_to_string(root().join("docs/openapi.yaml")).unwrap();
    let written: Value = serde_norway::from_str(&written).unwrap();
    let answer = world.get("/openapi.json").await;
    assert_eq!(
        (answer.status, &answer.headers["content-type"]),
        (StatusCode::OK, &"application/json".parse().unwrap())
    );
    assert_eq!(answer.json, written);
}

#[tokio::test(flavor = "multi_thread")]
async fn each_version_of_a_message_has_its_schema_and_one_is_the_latest() {
    let world = World::new().await;
    let listed = world.get("/v1/schemas").await.json;
    let commands = json!({"subject": "user.enrichment.requested", "versions": [1, 2]});
    assert!(listed["schemas"].as_array().unwrap().contains(&commands), "{listed}");
    for message in listed["schemas"].as_array().unwrap() {
        let subject = message["subject"].as_str().unwrap();
        let path = |version: &str| format!("/v1/schemas/{subject}/versions/{version}");
        let mut newest = Value::Null;
        for version in message["versions"].as_array().unwrap() {
            let file = root().join(format!("docs/schemas/{subject}/v{version}.json"));
            let written: Value = serde_json::from_slice(&fs::read(file).unwrap()).unwrap();
            let answer = world.get(&path(&version.to_string())).await;
            assert_eq!(answer.headers["content-type"], "application/schema+json");
            assert_eq!(answer.json, written, "{subject} {version}");
            newest = written;
        }
        assert_eq!(world.get(&path("latest")).await.json, newest, "{subject}");
    }
    for unknown in ["/v1/schemas/user.enrichment.requested/versions/99", "/v1/schemas/nothing/versions/1"] {
        let answer = world.get(unknown).await;
        assert_eq!((answer.status.as_u16(), &answer.json["code"]), (404, &json!("schema_not_found")));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_has_an_answer_gets_it_again_only_if_it_is_another() {
    let world = World::new().await;
    for path in ["/docs", "/openapi.json", "/v1/schemas", "/v1/schemas/user.enrichment.requested/versions/1"]
    {
        let first = world.get(path).await;
        assert_eq!(first.status, StatusCode::OK, "{path}");
        assert_eq!(first.headers["cache-control"], "public, max-age=300", "{path}");
        let tag = first.headers["etag"].to_str().unwrap();
        for (asked, status) in [(tag, StatusCode::NOT_MODIFIED), ("\"another\"", StatusCode::OK)] {
            let again = world.call(Method::GET, path, &[("if-none-match", asked)], None).await;
            assert_eq!((again.status, &again.headers["etag"]), (status, &first.headers["etag"]), "{path}");
            let is_there = again.json == first.json;
            assert!(is_there || status == StatusCode::NOT_MODIFIED, "{path}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_page_is_one_that_loads_nothing_and_may_do_nothing() {
    let world = World::new().await;
    let page = world.get("/docs").await;
    assert_eq!(page.headers["content-type"], "text/html; charset=utf-8");
    let policy = page.headers["content-security-policy"].to_str().unwrap();
    assert!(policy.starts_with("default-src 'none'; style-src 'sha256-"), "{policy}");
    assert!(
        !policy.contains("unsafe") && !policy.contains("script-src") && !policy.contains("http"),
        "{policy}"
    );
    assert_eq!(page.headers["x-content-type-options"], "nosniff");
}

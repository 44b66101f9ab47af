use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use testkit::{Answer, Employee, Setup, World};

use crate::redacted;

fn assert_problem(answer: &Answer, status: u16, code: &str) {
    assert_eq!((answer.status.as_u16(), &answer.json["code"]), (status, &json!(code)), "{answer:?}");
    assert_eq!(answer.headers["content-type"], "application/problem+json");
    assert_eq!(answer.json["status"], status);
    let id = answer.headers["x-correlation-id"].to_str().unwrap();
    assert_eq!(answer.json["correlation_id"], id, "the header and the body agree");
}

/// Posts what must not be accepted: nothing will be on the topic.
async fn refused(world: &World, body: &str, headers: &[(&str, &str)]) -> Answer {
    let answer = world.hr().posts(body, headers).await;
    assert_ne!(answer.status, StatusCode::ACCEPTED);
    world.settle().await;
    answer
}

#[tokio::test(flavor = "multi_thread")]
async fn every_way_to_be_wrong_has_its_own_problem() {
    let world = World::new().await;
    assert_problem(&refused(&world, "{", &[]).await, 400, "malformed_json");
    assert_problem(&refused(&world, "[]", &[]).await, 400, "malformed_json");
    assert_problem(&refused(&world, "{}", &[]).await, 422, "invalid_fields");
    let long = format!(r#"{{"x":"{}"}}"#, "y".repeat(256 * 1024));
    assert_problem(&refused(&world, &long, &[]).await, 413, "body_too_large");
    for path in ["edit", "discard"].map(|act| format!("/v1/dead-letters/{}/{act}", "0".repeat(32))) {
        let json = &[("content-type", "application/json")];
        let answer = world.call(Method::POST, &path, json, Some(long.clone().into_bytes())).await;
        assert_problem(&answer, 413, "body_too_large");
    }

    let body = Employee::ada().body("hired").to_string().into_bytes();
    for kind in [&[][..], &[("content-type", "text/plain")][..]] {
        let answer = world.call(Method::POST, "/v1/hr/webhook", kind, Some(body.clone())).await;
        assert_problem(&answer, 415, "not_json");
    }
    let answer = world.get("/v1/hr/webhook").await;
    assert_problem(&answer, 405, "method_not_allowed");
    assert_eq!(answer.headers["allow"], "POST, OPTIONS");
    assert_problem(&world.get("/v1/nowhere").await, 404, "route_not_found");
    assert_problem(&world.get("/").await, 404, "route_not_found");
    assert_eq!(world.users().await, Vec::<Value>::new());
}

#[tokio::test(flavor = "multi_thread")]
async fn faults_are_listed_by_pointer() {
    let world = World::new().await;
    let body = json!({
        "employee_id": "E\n1", "event_id": "ada@acme.example", "event_type": "", "occurred_at": "yesterday",
        "first_name": ["Ada"], "email": "nobody", "country": "Sweden", "manager_email": "boss",
    });
    let answer = refused(&world, &body.to_string(), &[]).await;
    redacted(|| insta::assert_json_snapshot!("faults", answer.json));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_callers_correlation_id_is_kept_if_it_is_sane() {
    let world = World::new().await;
    let ada = Employee::ada();
    world.knows(&ada);
    let body = ada.body("hired").to_string();
    let kept = world.hr().posts(&body, &[("x-correlation-id", "hr-job-42")]).await;
    assert_eq!(kept.json["correlation_id"], "hr-job-42");
    assert_eq!(kept.json["status_url"], "/v1/requests/hr-job-42");
    for (headers, expected) in [
        (&[("x-request-id", "gateway-7")][..], "gateway-7"),
        (&[("x-request-id", "gateway-7"), ("x-correlation-id", "hr-job-43")], "hr-job-43"),
    ] {
        assert_eq!(world.hr().posts(&body, headers).await.json["correlation_id"], expected);
    }
    for insane in ["a b", "<script>", &"x".repeat(129)] {
        let made = world.hr().posts(&body, &[("x-correlation-id", insane)]).await;
        let id = made.json["correlation_id"].as_str().unwrap();
        assert_eq!((id.len(), &id[14..15]), (36, "7"), "a UUIDv7: {id}");
    }
    world.settle().await;
    assert_eq!(world.get("/v1/requests/hr-job-42").await.json["status"], "enriched");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_content_type_with_parameters_or_a_suffix_is_json_too() {
    let world = World::new().await;
    let ada = Employee::ada();
    world.knows(&ada);
    for kind in ["application/json; charset=utf-8", "Application/JSON", "application/cloudevents+json"] {
        let body = Some(ada.body("hired").to_string().into_bytes());
        let answer = world.call(Method::POST, "/v1/hr/webhook", &[("content-type", kind)], body).await;
        assert_eq!(answer.status, StatusCode::ACCEPTED, "{kind}");
    }
    world.settle().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn with_an_api_key_nobody_gets_in_without_it() {
    let key = vec![("API_KEY", "right".to_owned())];
    let world = World::with(Setup { vars: key, ..Setup::default() }).await;
    let ada = Employee::ada();
    world.knows(&ada);
    let body = ada.body("hired").to_string();
    assert_problem(&refused(&world, &body, &[]).await, 401, "api_key_missing");
    for wrong in ["wrong", "righ", "rightt", ""] {
        assert_problem(&refused(&world, &body, &[("x-api-key", wrong)]).await, 403, "api_key_wrong");
    }
    assert_problem(&world.get("/v1/users").await, 401, "api_key_missing");
    assert_problem(&world.get("/v1/dead-letters").await, 401, "api_key_missing");
    for open in ["/v1/healthz", "/v1/users/healthz", "/v1/hr/healthz", "/v1/dead-letters/healthz"] {
        assert_eq!(world.get(open).await.status, StatusCode::OK, "a load balancer has no key");
    }

    let answer = world.hr().posts(&body, &[("x-api-key", "right")]).await;
    assert_eq!(answer.status, StatusCode::ACCEPTED);
    world.settle().await;
    let user = world.call(Method::GET, "/v1/users/E100", &[("x-api-key", "right")], None).await;
    assert_eq!(user.json["id"], "E100");
}

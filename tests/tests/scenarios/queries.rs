use std::collections::BTreeSet;

use reqwest::{Method, StatusCode};
use serde_json::json;
use testkit::{Employee, Setup, World};

use crate::redacted;

/// Twelve people: two in three of Sales, the others in Legal.
async fn twelve_people() -> World {
    let world = World::new().await;
    for n in 0..12 {
        let department = if n % 3 == 2 { "Legal" } else { "Sales" };
        let employee = Employee::new(&format!("E{n:02}"), "Robin", "Smith").with("department", department);
        world.knows(&employee);
        world.hr().hires(&employee).await;
    }
    world.settle().await;
    world
}

#[tokio::test(flavor = "multi_thread")]
async fn users_are_listed_by_page_and_each_is_listed_once() {
    let world = twelve_people().await;
    let (mut ids, mut path) = (Vec::new(), "/v1/users?department=sales&limit=3".to_owned());
    for page in 0.. {
        let answer = world.get(&path).await;
        let users = answer.json["users"].as_array().unwrap();
        ids.extend(users.iter().map(|user| user["id"].as_str().unwrap().to_owned()));
        let Some(cursor) = answer.json["next_cursor"].as_str() else {
            assert!(!answer.headers.contains_key("link"));
            break;
        };
        assert!(page < 3 && users.len() == 3, "a page is full unless it is the last");
        let link = answer.headers["link"].to_str().unwrap();
        assert!(
            link.contains("department=sales&limit=3&cursor=") && link.ends_with("; rel=\"next\""),
            "{link}"
        );
        path = format!("/v1/users?department=sales&limit=3&cursor={cursor}");
    }
    assert_eq!((ids.len(), ids.iter().collect::<BTreeSet<_>>().len()), (8, 8));
    assert_eq!(world.users().await.len(), 12);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cursor_can_be_neither_forged_nor_moved_to_another_query() {
    let world = twelve_people().await;
    let page = world.get("/v1/users?department=Sales&limit=2").await;
    let cursor = page.json["next_cursor"].as_str().unwrap();
    let status = async |query: &str| {
        let answer = world.get(&format!("/v1/users?{query}")).await;
        (answer.status.as_u16(), answer.json["code"].clone())
    };
    assert_eq!(status(&format!("department=SALES&limit=5&cursor={cursor}")).await.0, 200, "the same query");
    let refused = (400, json!("invalid_cursor"));
    assert_eq!(status(&format!("department=Legal&cursor={cursor}")).await, refused);
    assert_eq!(status(&format!("cursor={cursor}")).await, refused);
    assert_eq!(status(&format!("department=Sales&cursor={}", cursor.to_uppercase())).await, refused);
    assert_eq!(status("department=Sales&cursor=RTAx").await, refused);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_user_is_found_by_e_mail_in_any_case() {
    let world = twelve_people().await;
    let found = world.get("/v1/users?email=E05%40ACME.example").await.json;
    assert_eq!(found["users"].as_array().unwrap().len(), 1);
    assert_eq!(found["users"][0]["id"], "E05");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_filter_that_is_misspelt_is_named_and_does_not_list_everybody() {
    let world = twelve_people().await;
    let answer = world.get("/v1/users?departmnet=Sales&limit=3").await;
    assert_eq!((answer.status.as_u16(), &answer.json["code"]), (400, &json!("unknown_parameter")));
    assert_eq!(
        answer.json["detail"],
        "There is no query parameter `departmnet`; this route has `department`, `email`, `limit`, `cursor`."
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_parameter_that_is_there_twice_is_refused() {
    let world = World::new().await;
    let answer = world.get("/v1/users?limit=1&limit=100").await;
    assert_eq!((answer.status.as_u16(), &answer.json["code"]), (400, &json!("invalid_parameter")));
}

#[tokio::test(flavor = "multi_thread")]
async fn wrong_parameters_are_named() {
    let world = World::new().await;
    for (query, name) in [
        ("limit=0", "limit"),
        ("limit=101", "limit"),
        ("limit=x", "limit"),
        ("limit=", "limit"),
        ("email=x", "email"),
        ("email=", "email"),
        ("department=%20", "department"),
    ] {
        let answer = world.get(&format!("/v1/users?{query}")).await;
        assert_eq!(
            (answer.status.as_u16(), &answer.json["code"]),
            (400, &json!("invalid_parameter")),
            "{query}"
        );
        assert!(answer.json["detail"].as_str().unwrap().contains(&format!("`{name}`")), "{answer:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_there_is_404_and_what_is_read_only_is_405() {
    let world = World::new().await;
    for (path, code) in [
        ("/v1/users/E404", "user_not_found"),
        ("/v1/users/not%20an%20id", "user_not_found"),
        ("/v1/requests/unknown", "request_not_found"),
        ("/v1/dead-letters/unknown", "dead_letter_not_found"),
        ("/v1/users/E1/groups", "route_not_found"),
    ] {
        let answer = world.get(path).await;
        assert_eq!((answer.status, &answer.json["code"]), (StatusCode::NOT_FOUND, &json!(code)), "{path}");
    }
    assert_eq!(world.get("/v1/requests/unknown").await.headers["retry-after"], "1");
    for (path, methods) in [
        ("/v1/users", "GET, HEAD, OPTIONS"),
        ("/v1/users/E1", "GET, HEAD, DELETE, OPTIONS"),
        ("/v1/users/E1/history", "GET, HEAD, OPTIONS"),
        ("/v1/requests/x", "GET, HEAD, OPTIONS"),
        ("/v1/healthz", "GET, HEAD, OPTIONS"),
        ("/v1/hr/healthz", "GET, HEAD, OPTIONS"),
        ("/v1/dead-letters", "GET, HEAD, OPTIONS"),
        ("/v1/dead-letters/x/edit", "POST, OPTIONS"),
    ] {
        let answer = world.call(Method::PUT, path, &[], None).await;
        assert_eq!(answer.status, StatusCode::METHOD_NOT_ALLOWED, "{path}");
        assert_eq!(answer.headers["allow"], methods, "{path}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn health_says_how_each_dependency_is() {
    let world = World::new().await;
    for path in ["/v1/users/healthz", "/v1/healthz"] {
        let health = world.get(path).await;
        assert_eq!(health.status, StatusCode::OK);
        redacted(|| insta::assert_json_snapshot!("health", health.json));
    }
    let health = world.get("/v1/hr/healthz").await;
    assert_eq!(health.status, StatusCode::OK);
    redacted(|| insta::assert_json_snapshot!("webhook_health", health.json));
    let health = world.get("/v1/dead-letters/healthz").await;
    assert_eq!(health.status, StatusCode::OK);
    redacted(|| insta::assert_json_snapshot!("dead_letters_health", health.json));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unknown_path_is_shown_as_such_to_those_only_who_may_come_in() {
    let vars = vec![("API_KEY", "api".to_owned()), ("ADMIN_KEY", "admin".to_owned())];
    let world = World::with(Setup { vars, ..Setup::default() }).await;
    for (key, status, code) in [
        (None, 401, "api_key_missing"),
        (Some("neither"), 403, "api_key_wrong"),
        (Some("api"), 404, "route_not_found"),
        (Some("admin"), 404, "route_not_found"),
    ] {
        let headers: Vec<_> = key.map(|key| ("x-api-key", key)).into_iter().collect();
        for path in ["/v1/nowhere", "/v1/users/E1/x", "/"] {
            let answer = world.call(Method::GET, path, &headers, None).await;
            assert_eq!(
                (answer.status.as_u16(), &answer.json["code"]),
                (status, &json!(code)),
                "{path} {key:?}"
            );
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn health_says_how_long_events_take_until_their_person_is_complete() {
    let world = World::new().await;
    let ada = Employee::ada();
    world.knows(&ada);
    world.hr().hires(&ada).await;
    world.settle().await;
    let completion = &world.get("/v1/healthz").await.json["completion"];
    assert_eq!(completion["events"], 1, "{completion}");
    assert_eq!(completion["p50_ms"], completion["p99_ms"], "{completion}");
    assert!(completion["p99_ms"].as_u64().unwrap() < 60_000, "{completion}");
}

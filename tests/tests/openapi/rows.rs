//! Every row, tried from the outside.

use std::collections::BTreeSet;

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use testkit::{Setup, World};

use crate::built;

/// Method, path and description of each operation.
fn operations() -> Vec<(Method, String, Value)> {
    let document = built();
    let mut operations = Vec::new();
    for (path, methods) in document["paths"].as_object().unwrap() {
        for (method, operation) in methods.as_object().unwrap() {
            operations.push((method.to_uppercase().parse().unwrap(), path.clone(), operation.clone()));
        }
    }
    operations
}

/// A path that can be asked for: with the examples of its parameters.
fn asked(path: &str, operation: &Value) -> String {
    let parameters = operation["parameters"].as_array().unwrap().iter().filter(|one| one["in"] == "path");
    parameters.fold(path.to_owned(), |path, parameter| {
        let (name, example) = (parameter["name"].as_str().unwrap(), parameter["example"].as_str().unwrap());
        path.replace(&format!("{{{name}}}"), example)
    })
}

fn fits(path: &str, asked: &str) -> bool {
    path.split('/').count() == asked.split('/').count()
        && path.split('/').zip(asked.split('/')).all(|(one, other)| one.starts_with('{') || one == other)
}

#[tokio::test(flavor = "multi_thread")]
async fn every_other_method_is_refused_with_those_that_there_are() {
    let world = World::new().await;
    let operations = operations();
    let paths: BTreeSet<_> = operations.iter().map(|(_, path, operation)| asked(path, operation)).collect();
    for path in paths {
        let fitting = operations.iter().filter(|(_, described, _)| fits(described, &path));
        let mut methods: BTreeSet<_> = fitting.map(|(method, ..)| method.to_string()).collect();
        if methods.contains("GET") {
            methods.insert("HEAD".to_owned());
        }
        for method in ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"] {
            if methods.contains(method) {
                continue;
            }
            let answer = world.call(method.parse().unwrap(), &path, &[], None).await;
            assert_eq!(answer.status, StatusCode::METHOD_NOT_ALLOWED, "{method} {path}");
            let allowed = answer.headers["allow"].to_str().unwrap().split(", ").map(str::to_owned);
            let allowed: BTreeSet<_> = allowed.filter(|method| method != "OPTIONS").collect();
            assert_eq!(allowed, methods, "{method} {path}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn head_is_answered_as_get_without_the_body() {
    let world = World::new().await;
    for (_, path, operation) in operations().iter().filter(|(method, ..)| method == Method::GET) {
        let path = asked(path, operation);
        let (get, head) = (world.get(&path).await, world.call(Method::HEAD, &path, &[], None).await);
        assert_eq!((head.status, &head.json), (get.status, &Value::Null), "{path}");
        assert_eq!(head.headers["content-type"], get.headers["content-type"], "{path}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_query_parameter_that_a_row_does_not_know_is_named_before_anything_is_done() {
    let world = World::new().await;
    for (method, path, operation) in operations() {
        let asked = format!("{}?departmnet=Sales", asked(&path, &operation));
        let answer = world.call(method.clone(), &asked, &[], None).await;
        assert_eq!(
            (answer.status.as_u16(), &answer.json["code"]),
            (400, &json!("unknown_parameter")),
            "{method} {path}"
        );
        assert!(answer.json["detail"].as_str().unwrap().contains("`departmnet`"), "{answer:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_row_is_closed_to_those_without_its_scope() {
    let vars = vec![("API_KEY", "api".to_owned()), ("ADMIN_KEY", "admin".to_owned())];
    let world = World::with(Setup { vars, ..Setup::default() }).await;
    let mut closed = 0;
    for (method, path, operation) in operations() {
        let path = asked(&path, &operation);
        let scheme =
            operation["security"][0].as_object().and_then(|security| security.keys().next().cloned());
        let other_key = match scheme.as_deref() {
            Some("ApiKey") => "admin",
            Some("AdminKey") => "api",
            _ => {
                assert_eq!(world.get(&path).await.status, StatusCode::OK, "{path} is open");
                let put = world.call(Method::PUT, &path, &[], None).await;
                assert_eq!(put.status, StatusCode::METHOD_NOT_ALLOWED, "{path} is open");
                continue;
            }
        };
        closed += 1;
        for (key, status, code) in [
            (None, 401, "api_key_missing"),
            (Some(other_key), 403, "api_key_wrong"),
            (Some("neither"), 403, "api_key_wrong"),
        ] {
            let headers: Vec<_> = key.map(|key| ("x-api-key", key)).into_iter().collect();
            let answer = world.call(method.clone(), &path, &headers, None).await;
            assert_eq!(
                (answer.status.as_u16(), &answer.json["code"]),
                (status, &json!(code)),
                "{method} {path} {key:?}"
            );
            let challenge = answer.headers.get("www-authenticate").map(|value| value.to_str().unwrap());
            assert_eq!(challenge, key.is_none().then_some("ApiKey header=\"X-API-Key\""), "{method} {path}");
        }
    }
    assert!(closed > 10, "{closed}");
}

//! A dry run asks Okta for each letter, and has an answer while there is time for one.

use std::time::Duration;

use dead_letters::Function;
use lambda::{Context, Function as _};
use lambda_http::{RequestExt, http::StatusCode};
use okta::fake::Behaviour;
use runtime::Clock;
use serde_json::{Value, json};
use testkit::{Employee, World};

/// Of an invocation with a second to its end.
async fn foreseen(function: &Function, route: &str, id: &str, body: &Value) -> Value {
    let event = json!({
        "version": "2.0", "routeKey": format!("ANY {route}"), "rawPath": route, "rawQueryString": "dry_run=true",
        "headers": {"content-type": "application/json"}, "pathParameters": {"id": id},
        "requestContext": {
            "http": {"method": "POST", "path": route, "protocol": "HTTP/1.1", "sourceIp": "192.0.2.1"},
            "routeKey": format!("ANY {route}"), "stage": "$default", "timeEpoch": 0,
        },
        "body": body.to_string(), "isBase64Encoded": false,
    });
    let mut context = Context::default();
    let end = Clock::system().now() + Duration::from_secs(1);
    context.deadline = u64::try_from(end.as_millisecond()).unwrap();
    let request = lambda_http::request::from_str(&event.to_string()).unwrap().with_lambda_context(context);
    let answer = function.handle(request).await;
    assert_eq!(answer.status(), StatusCode::OK, "{answer:?}");
    assert!(Clock::system().now() < end, "nobody hears an answer that comes later");
    serde_json::from_slice(answer.body()).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dry_run_says_of_what_it_had_no_time_for() {
    let world = World::new().await;
    let people = ["E1", "E2", "E3"].map(|id| Employee::new(id, "No", id));
    for person in &people {
        world.hr().hires(person).await;
    }
    // Needs no look at Okta.
    world.publishes(Some("E4"), Some(b"{broken"), &[]).await;
    world.settle().await;
    let function = Function::from_vars(&world.vars_of("dead-letters"), Clock::system()).unwrap();
    let letters = world.dead_letters().await;
    let id_of = |person: &str| {
        letters.iter().find(|letter| letter["employee_id"] == person).unwrap()["id"].as_str().unwrap()
    };
    world.okta().set_behaviour(Behaviour { latency: Duration::from_hours(1), ..Behaviour::default() });

    let unseen =
        |id: &str| json!({"id": id, "outcome": "unknown", "because": "there was no time to look at it"});
    let many = foreseen(&function, "/v1/dead-letter-jobs", "", &json!({"action": "redrive"})).await;
    let many = many["dry_run"].as_array().unwrap();
    assert_eq!(many.len(), 4);
    for person in ["E1", "E2", "E3"] {
        assert!(many.contains(&unseen(id_of(person))), "{many:?}");
    }
    let broken = json!({
        "id": id_of("E4"), "outcome": "failed", "reason": "undecodable", "message": "not JSON: line 1, column 2",
    });
    assert!(many.contains(&broken), "{many:?}");
    let redrive = "/v1/dead-letters/{id}/redrive";
    assert_eq!(foreseen(&function, redrive, id_of("E1"), &json!({})).await, unseen(id_of("E1")));
    let edit = "/v1/dead-letters/{id}/edit";
    assert_eq!(foreseen(&function, edit, id_of("E2"), &people[1].body("hired")).await, unseen(id_of("E2")));
}

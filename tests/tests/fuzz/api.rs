//! Whatever is sent over HTTP is answered, and never with a 5xx: nothing is away here.

use base64::{
    Engine,
    prelude::{BASE64_STANDARD, BASE64_URL_SAFE_NO_PAD},
};
use lambda::Function as _;
use lambda_http::{Body, Response};
use proptest::{prelude::*, test_runner::TestCaseError};
use runtime::Clock;
use serde::de::IgnoredAny;
use serde_json::{Value, json};
use tokio::runtime::Runtime;

use crate::{
    damage::{garbled, text},
    for_each, sample, world,
};

const READS: &[&str] = &[
    "/v1/users",
    "/v1/users/{id}",
    "/v1/users/{id}/history",
    "/v1/requests/{id}",
    "/v1/users/healthz",
    "/v1/healthz",
    "/v1/dead-letters",
    "/v1/dead-letters/healthz",
    "/v1/dead-letters/{id}",
    "/v1/dead-letter-groups",
    "/v1/dead-letter-groups/{id}",
    "/v1/dead-letter-jobs",
    "/v1/dead-letter-jobs/{id}",
    "/v1/dead-letter-audit",
    "/v1/fact-jobs",
    "/v1/fact-jobs/healthz",
    "/v1/fact-jobs/{id}",
    "/nowhere",
];

const ACTS: &[&str] = &[
    "/v1/dead-letters/{id}/redrive",
    "/v1/dead-letters/{id}/edit",
    "/v1/dead-letters/{id}/discard",
    "/v1/dead-letter-jobs",
    "/v1/dead-letter-jobs/{id}/stop",
    "/v1/dead-letter-jobs/{id}/resume",
];

/// API Gateway's event, with this route and what the caller chose.
pub(crate) fn event(route: &str, method: &str, query: &[(String, String)], id: &str, body: &[u8]) -> String {
    let mut event = sample("hr-webhook/new-hire.json");
    event["routeKey"] = json!(format!("{method} {route}"));
    event["rawPath"] = route.into();
    event["requestContext"]["routeKey"] = event["routeKey"].clone();
    event["requestContext"]["http"]["method"] = method.into();
    let raw = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(query).finish();
    event["rawQueryString"] = raw.into();
    event["pathParameters"] = json!({"id": id});
    event["body"] = BASE64_STANDARD.encode(body).into();
    event["isBase64Encoded"] = true.into();
    event.to_string()
}

fn request(event: &str) -> lambda_http::Request {
    lambda_http::request::from_str(event).unwrap()
}

/// Whatever is wrong is the caller's fault, and said in the one way.
fn assert_answered(answer: &Response<Body>, sent: &str) -> Result<(), TestCaseError> {
    let status = answer.status().as_u16();
    prop_assert!(status < 500, "{status} for {sent}");
    let body: Value = serde_json::from_slice(answer.body()).unwrap();
    if status >= 400 {
        prop_assert_eq!(&answer.headers()["content-type"], "application/problem+json");
        prop_assert_eq!(&body["status"], status);
    }
    Ok(())
}

#[test]
fn no_body_of_the_webhook_is_answered_with_a_5xx_and_what_is_accepted_is_an_event() {
    let (runtime, clock) = (Runtime::new().unwrap(), Clock::system());
    let world = runtime.block_on(world());
    let webhook = {
        let _entered = runtime.enter();
        hr_webhook::Function::from_vars(&world.vars_of("hr-webhook"), clock).unwrap()
    };
    let samples = vec![
        sample("hr-webhook/full-profile.body.json"),
        json!({"employee_id": "E1", "first_name": "Ada", "last_name": "Lovelace", "email": "ada@acme.example"}),
        json!({"employee_id": "E1", "event_type": "updated", "title": "Countess", "phone": null}),
        json!({"employee_id": 4711, "event_type": "terminated", "end_date": "2026-06-30T00:00:00Z"}),
    ];
    for_each(500, &garbled(samples, 3), |body| {
        let event = event("/v1/hr/webhook", "POST", &[], "", &body);
        let answer = runtime.block_on(webhook.handle(request(&event)));
        assert_answered(&answer, &String::from_utf8_lossy(&body))?;
        if answer.status() == 202 {
            // What it ignores may be nested deeper than a `Value` can be.
            prop_assert_eq!(body.trim_ascii_start().first(), Some(&b'{'));
            prop_assert!(serde_json::from_slice::<IgnoredAny>(&body).is_ok());
        }
        Ok(())
    });
    runtime.block_on(async {
        world.settle().await;
        world.stop().await;
    });
}

#[test]
fn nobody_whom_we_are_to_forget_is_answered_with_a_5xx() {
    let (runtime, clock) = (Runtime::new().unwrap(), Clock::system());
    let world = runtime.block_on(world());
    let webhook = {
        let _entered = runtime.enter();
        hr_webhook::Function::from_vars(&world.vars_of("hr-webhook"), clock).unwrap()
    };
    for_each(100, &text(), |id| {
        let event = event("/v1/users/{id}", "DELETE", &[], &id, b"");
        let answer = runtime.block_on(webhook.handle(request(&event)));
        assert_answered(&answer, &event)?;
        prop_assert!([202, 404].contains(&answer.status().as_u16()), "{} for {id:?}", answer.status());
        Ok(())
    });
    runtime.block_on(async {
        world.settle().await;
        let failed = world.dead_letters().await;
        assert!(failed.is_empty(), "{failed:?}");
        world.stop().await;
    });
}

#[test]
fn no_query_id_or_cursor_is_answered_with_a_5xx_and_no_forged_cursor_opens() {
    let (runtime, clock) = (Runtime::new().unwrap(), Clock::system());
    let world = runtime.block_on(world());
    let (users, letters, facts) = {
        let _entered = runtime.enter();
        (
            user_query::Function::from_vars(&world.vars_of("user-query"), clock).unwrap(),
            dead_letters::Function::from_vars(&world.vars_of("dead-letters"), clock).unwrap(),
            fact_jobs::Function::from_vars(&world.vars_of("fact-jobs"), clock).unwrap(),
        )
    };
    let names = prop::sample::select(
        &[
            "cursor",
            "limit",
            "department",
            "email",
            "state",
            "reason",
            "group",
            "employee_id",
            "parked_after",
            "dry_run",
            "x",
        ][..],
    );
    let forged =
        prop::collection::vec(any::<u8>(), 1..80).prop_map(|bytes| BASE64_URL_SAFE_NO_PAD.encode(bytes));
    let value = prop_oneof![3 => text(), 1 => forged];
    let query = prop::collection::vec((names.prop_map(str::to_owned), value), 0..4);
    for_each(500, &(prop::sample::select(READS), query, text()), |(route, query, id)| {
        let event = event(route, "GET", &query, &id, b"");
        let answer = if route.starts_with("/v1/dead") {
            runtime.block_on(letters.handle(request(&event)))
        } else if route.starts_with("/v1/fact") {
            runtime.block_on(facts.handle(request(&event)))
        } else {
            runtime.block_on(users.handle(request(&event)))
        };
        assert_answered(&answer, &event)?;
        let lists = !route.contains("{id}") && !route.ends_with("healthz") && route != "/nowhere";
        let cursor = query.iter().find(|(name, _)| name == "cursor");
        if lists && cursor.is_some_and(|(_, cursor)| !cursor.is_empty()) {
            prop_assert_eq!(answer.status(), 400, "{}", event);
        }
        Ok(())
    });
    runtime.block_on(world.stop());
}

#[test]
fn no_act_on_dead_letters_is_answered_with_a_5xx() {
    let (runtime, clock) = (Runtime::new().unwrap(), Clock::system());
    let world = runtime.block_on(world());
    let id = runtime.block_on(async {
        world.publishes(Some("E1"), Some(b"{broken"), &[]).await;
        world.settle().await;
        world.dead_letters().await[0]["id"].as_str().unwrap().to_owned()
    });
    let letters = {
        let _entered = runtime.enter();
        dead_letters::Function::from_vars(&world.vars_of("dead-letters"), clock).unwrap()
    };
    let samples = vec![
        json!({"because": "hired by mistake"}),
        json!({"action": "redrive", "filter": {"state": "resolved", "group": "0123456789abcdef"}, "per_second": 500}),
        json!({"action": "discard", "because": "x", "filter": {"employee_id": "E9", "parked_after": "2026-01-31T18:42:00Z"}}),
        sample("hr-webhook/full-profile.body.json"),
    ];
    let ids = prop_oneof![Just(id), text()];
    let cases = (prop::sample::select(ACTS), ids, garbled(samples, 2), any::<bool>());
    for_each(300, &cases, |(route, id, body, dry)| {
        let query = [("dry_run".to_owned(), dry.to_string())];
        let query = if route.contains("-jobs/") { &[][..] } else { &query };
        let event = event(route, "POST", query, &id, &body);
        let answer = runtime.block_on(letters.handle(request(&event)));
        assert_answered(&answer, &format!("{route} {id} {}", String::from_utf8_lossy(&body)))
    });
    runtime.block_on(async {
        world.settle().await;
        world.stop().await;
    });
}

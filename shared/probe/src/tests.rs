//! What a probe makes of answers that a whole Joiner seldom gives. The way of its events is in `tests/tests/scenarios`.

use std::sync::{Arc, Mutex};

use aws::Aws;
use axum::{
    Json, Router,
    extract::State,
    http::{HeaderMap, StatusCode},
    routing::{get, post},
};
use runtime::telemetry;
use secrets::fake::SecretsManager;
use serde_json::Value;
use tokio::{net::TcpListener, task::AbortHandle};

use super::*;

/// Takes every event, and says of it what it is told to say.
struct Joiner {
    base: Url,
    state: Arc<Mutex<Told>>,
    server: AbortHandle,
}

#[derive(Default)]
struct Told {
    key: Option<String>,
    /// Answers to those who ask for a request, before its event.
    before: Vec<StatusCode>,
    event: Value,
    asked: usize,
}

impl Joiner {
    async fn start(event: Value) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let base = format!("http://{}/stage", listener.local_addr().unwrap()).parse().unwrap();
        let state = Arc::new(Mutex::new(Told { event, ..Told::default() }));
        let app = Router::new()
            .route("/stage/v1/hr/webhook", post(accept))
            .route("/stage/v1/requests/c-1", get(report))
            .with_state(Arc::clone(&state));
        let server = tokio::spawn(async { axum::serve(listener, app).await }).abort_handle();
        Self { base, state, server }
    }

    fn told(&self) -> std::sync::MutexGuard<'_, Told> {
        self.state.lock().unwrap()
    }

    fn settings(&self) -> Settings {
        Settings {
            base: self.base.clone(),
            key: None,
            employee_id: EmployeeId::parse(EMPLOYEE_ID).unwrap(),
            email: Email::parse("joiner.canary@acme.example").unwrap(),
            within: WITHIN,
        }
    }

    async fn probe(&self, settings: Settings) -> Result<(), Error> {
        let probe = Probe::new(settings, Clock::system()).unwrap();
        let accepted = probe.send().await?;
        assert_eq!(accepted.correlation_id.as_str(), "c-1");
        let complete_ms = probe.follow(&accepted).await?;
        assert!(accepted.accepted_ms <= complete_ms);
        Ok(())
    }

    /// What a probe says that must fail.
    async fn fails(&self, settings: Settings) -> String {
        telemetry::chain(&self.probe(settings).await.unwrap_err())
    }
}

impl Drop for Joiner {
    fn drop(&mut self) {
        self.server.abort();
    }
}

type Answer = (StatusCode, Json<Value>);

async fn accept(State(state): State<Arc<Mutex<Told>>>, headers: HeaderMap) -> Answer {
    let told = state.lock().unwrap();
    let given = headers.get("x-api-key").map(|key| key.to_str().unwrap().to_owned());
    if told.key.is_some() && given != told.key {
        let problem = json!({"title": "Forbidden", "detail": "This key opens nothing."});
        return (StatusCode::FORBIDDEN, Json(problem));
    }
    (StatusCode::ACCEPTED, Json(json!({"status": "accepted", "correlation_id": "c-1"})))
}

async fn report(State(state): State<Arc<Mutex<Told>>>) -> Answer {
    let mut told = state.lock().unwrap();
    told.asked += 1;
    match told.before.pop() {
        Some(status) => (status, Json(json!({"message": "Not now"}))),
        None => (StatusCode::OK, Json(json!({"correlation_id": "c-1", "events": [told.event]}))),
    }
}

fn complete() -> Value {
    json!({"status": "enriched", "outcome": "changed", "fields": ["title"]})
}

#[tokio::test]
async fn what_may_pass_is_waited_out() {
    let joiner = Joiner::start(complete()).await;
    joiner.told().before = vec![StatusCode::SERVICE_UNAVAILABLE, StatusCode::NOT_FOUND];
    joiner.probe(joiner.settings()).await.unwrap();
    assert_eq!(joiner.told().asked, 3);
}

#[tokio::test]
async fn what_does_not_pass_is_said_at_once() {
    let joiner = Joiner::start(complete()).await;
    joiner.told().before = vec![StatusCode::BAD_REQUEST];
    assert_eq!(
        joiner.fails(joiner.settings()).await,
        "the event was accepted, but what became of it is not to be had: the answer is 400 Bad Request (Not now)"
    );
    let failed = json!({"status": "failed", "reason": "user_not_found", "message": "Okta knows nobody"});
    let nothing_new = json!({"status": "enriched", "outcome": "nothing_new"});
    for (event, expected) in [
        (failed, "the event is a dead letter (user_not_found): Okta knows nobody"),
        (nothing_new, "the event came through and changed nothing"),
    ] {
        joiner.told().event = event;
        assert_eq!(joiner.fails(joiner.settings()).await, expected);
    }
}

#[tokio::test]
async fn an_event_that_is_late_is_where_it_was_seen_last() {
    let joiner = Joiner::start(json!({"status": "accepted"})).await;
    let settings = Settings { within: Duration::from_millis(300), ..joiner.settings() };
    for (before, expected) in [
        (vec![], "the event was taken off the topic and is not finished"),
        (vec![StatusCode::NOT_FOUND; 9], "nothing has taken the event off the topic"),
        (
            vec![StatusCode::TOO_MANY_REQUESTS; 9],
            "its request could not be asked for: the answer is 429 Too Many Requests (Not now)",
        ),
    ] {
        joiner.told().before = before;
        let said = joiner.fails(settings.clone()).await;
        assert_eq!(said, format!("the person is not complete after 300ms: {expected}"));
    }
}

#[tokio::test]
async fn where_nothing_answers_the_first_step_fails() {
    let joiner = Joiner::start(complete()).await;
    let settings = Settings { base: "http://127.0.0.1:1".parse().unwrap(), ..joiner.settings() };
    let said = joiner.fails(settings).await;
    assert!(said.starts_with("the event was not accepted: nothing answers: "), "{said}");
    assert!(!said.contains("127.0.0.1:1/"), "{said}");
}

#[tokio::test]
async fn a_key_that_is_refused_is_named_by_nobody() {
    let joiner = Joiner::start(complete()).await;
    joiner.told().key = Some("right-key".to_owned());
    for key in ["wrong-key", "wrong-key, right-key"] {
        let settings = Settings { key: Some(key.into()), ..joiner.settings() };
        let said = joiner.fails(settings).await;
        assert_eq!(said, "the event was not accepted: the answer is 403 Forbidden (This key opens nothing)");
    }
    let settings = Settings { key: Some("right-key, old-key".into()), ..joiner.settings() };
    joiner.probe(settings).await.unwrap();
}

#[tokio::test]
async fn a_key_that_was_rotated_is_read_again() {
    let (joiner, manager) = (Joiner::start(complete()).await, SecretsManager::start().await);
    manager.put("joiner/api-key", "old-key");
    let vars = manager.vars().with("API_KEY_SECRET_ID", "joiner/api-key");
    let key = Secret::from_vars(&vars, "API_KEY", &Aws::from_vars(&vars).unwrap()).unwrap();
    joiner.told().key = Some("old-key".to_owned());
    let settings = Settings { key, ..joiner.settings() };
    joiner.probe(settings.clone()).await.unwrap();
    assert_eq!(manager.reads(), 1);
    // What was read a moment ago is not read again when it is refused.
    tokio::time::pause();
    tokio::time::advance(Duration::from_secs(10)).await;
    tokio::time::resume();
    manager.put("joiner/api-key", "new-key");
    joiner.told().key = Some("new-key".to_owned());
    joiner.probe(settings).await.unwrap();
}

#[test]
fn a_key_goes_nowhere_in_the_clear() {
    let settings = |base: &str| Settings {
        base: base.parse().unwrap(),
        key: None,
        employee_id: EmployeeId::parse(EMPLOYEE_ID).unwrap(),
        email: Email::parse("joiner.canary@acme.example").unwrap(),
        within: WITHIN,
    };
    for (base, is_private) in
        [("https://joiner.example", true), ("http://localhost:3000", true), ("http://joiner.example", false)]
    {
        assert_eq!(Probe::new(settings(base), Clock::system()).is_ok(), is_private, "{base}");
    }
}

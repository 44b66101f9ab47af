//! A Secrets Manager that holds what it is told, served over HTTP.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard},
};

use axum::{
    Json, Router,
    extract::State,
    http::{HeaderMap, StatusCode},
    routing::post,
};
use runtime::Vars;
use serde_json::{Value, json};
use tokio::{net::TcpListener, task::AbortHandle};

/// Answers on a free port of 127.0.0.1 until it is dropped.
#[derive(Debug)]
pub struct SecretsManager {
    endpoint: String,
    shelf: Arc<Mutex<Shelf>>,
    server: AbortHandle,
}

#[derive(Debug, Default)]
struct Shelf {
    secrets: HashMap<String, String>,
    away: bool,
    reads: usize,
}

impl SecretsManager {
    /// # Panics
    /// When this machine has no free port.
    pub async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("loopback has a free port");
        let address = listener.local_addr().expect("a bound listener has an address");
        let shelf = Arc::<Mutex<Shelf>>::default();
        let app = Router::new().route("/", post(answer)).with_state(Arc::clone(&shelf));
        let server = tokio::spawn(async { axum::serve(listener, app).await }).abort_handle();
        Self { endpoint: format!("http://{address}"), shelf, server }
    }

    /// Makes the secret, or rotates it.
    pub fn put(&self, id: &str, value: &str) {
        self.shelf().secrets.insert(id.to_owned(), value.to_owned());
    }

    pub fn set_away(&self, away: bool) {
        self.shelf().away = away;
    }

    /// How often a secret was asked for.
    pub fn reads(&self) -> usize {
        self.shelf().reads
    }

    pub fn endpoint(&self) -> &str {
        &self.endpoint
    }

    /// The variables by which a client finds it.
    pub fn vars(&self) -> Vars {
        Vars::from_iter(aws::EMULATED).with("AWS_ENDPOINT_URL_SECRETS_MANAGER", &self.endpoint)
    }

    fn shelf(&self) -> MutexGuard<'_, Shelf> {
        self.shelf.lock().expect("no holder of this lock panics")
    }
}

impl Drop for SecretsManager {
    fn drop(&mut self) {
        self.server.abort();
    }
}

async fn answer(
    State(shelf): State<Arc<Mutex<Shelf>>>,
    headers: HeaderMap,
    body: String,
) -> (StatusCode, Json<Value>) {
    let mut shelf = shelf.lock().expect("no holder of this lock panics");
    let refused = |kind| (StatusCode::BAD_REQUEST, Json(json!({"__type": kind})));
    if headers.get("x-amz-target").is_none_or(|target| target != "secretsmanager.GetSecretValue") {
        return refused("UnknownOperationException");
    }
    shelf.reads += 1;
    if shelf.away {
        return (StatusCode::SERVICE_UNAVAILABLE, Json(json!({"__type": "ServiceUnavailable"})));
    }
    let request: Value = serde_json::from_str(&body).unwrap_or_default();
    let id = request["SecretId"].as_str().unwrap_or_default();
    match shelf.secrets.get(id) {
        Some(value) => (StatusCode::OK, Json(json!({"Name": id, "SecretString": value}))),
        None => refused("ResourceNotFoundException"),
    }
}

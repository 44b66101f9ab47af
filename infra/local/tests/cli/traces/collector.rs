//! A collector of traces that keeps what it is sent.

use std::{
    collections::BTreeMap,
    sync::mpsc::{self, Receiver, Sender},
    thread,
    time::{Duration, Instant},
};

use axum::{Router, extract::State, http::HeaderMap, routing::post};
use serde_json::Value;
use tokio::{net::TcpListener, runtime::Builder};

use crate::child::LIMIT;

pub(super) struct Collector {
    pub(super) url: String,
    coming: Receiver<String>,
    pub(super) spans: Vec<Span>,
    /// All that was received.
    pub(super) text: String,
}

#[derive(Debug, Clone)]
pub(super) struct Span {
    pub(super) trace: String,
    pub(super) id: String,
    pub(super) parent: Option<String>,
    pub(super) name: String,
    pub(super) service: String,
    pub(super) kind: u64,
    /// Nanoseconds since 1970.
    pub(super) start: u128,
    pub(super) end: u128,
    pub(super) has_failed: bool,
    attributes: BTreeMap<String, Value>,
}

impl Collector {
    pub(super) fn start() -> Self {
        let (found, coming) = mpsc::channel();
        let (bound, address) = mpsc::channel();
        thread::spawn(move || {
            let runtime = Builder::new_current_thread().enable_all().build().expect("a runtime can be made");
            runtime.block_on(async {
                let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port is free");
                bound.send(listener.local_addr().expect("it is bound")).expect("the test waits for it");
                let app = Router::new().route("/v1/traces", post(take)).with_state(found);
                axum::serve(listener, app).await.expect("it serves until the test ends");
            });
        });
        let address = address.recv_timeout(LIMIT).expect("it starts");
        Self { url: format!("http://{address}"), coming, spans: Vec::new(), text: String::new() }
    }

    /// Receives until the spans fit.
    pub(super) fn until(&mut self, fits: impl Fn(&[Span]) -> bool) {
        let deadline = Instant::now() + LIMIT;
        while !fits(&self.spans) {
            let left = deadline.saturating_duration_since(Instant::now());
            let body = self.coming.recv_timeout(left);
            self.keep(&body.unwrap_or_else(|_| panic!("the spans never fit: {:#?}", self.spans)));
        }
    }

    /// Takes what has come meanwhile.
    pub(super) fn drain(&mut self) {
        while let Ok(body) = self.coming.recv_timeout(Duration::ZERO) {
            self.keep(&body);
        }
    }

    fn keep(&mut self, body: &str) {
        let sent: Value = serde_json::from_str(body).expect("it is JSON");
        for resource in items(&sent["resourceSpans"]) {
            let service = attributes(&resource["resource"])["service.name"].as_str().map(str::to_owned);
            for scope in items(&resource["scopeSpans"]) {
                self.spans.extend(items(&scope["spans"]).map(|span| Span::of(span, service.as_deref())));
            }
        }
        self.text.push_str(body);
    }
}

impl Span {
    fn of(sent: &Value, service: Option<&str>) -> Self {
        let text = |field: &str| sent[field].as_str().map(str::to_owned);
        let nanos = |field: &str| sent[field].as_str().and_then(|nanos| nanos.parse().ok());
        Self {
            trace: text("traceId").expect("a span is of a trace"),
            id: text("spanId").expect("a span has an id"),
            parent: text("parentSpanId"),
            name: text("name").expect("a span has a name"),
            service: service.expect("a resource has a name").to_owned(),
            kind: sent["kind"].as_u64().expect("a span has a kind"),
            start: nanos("startTimeUnixNano").expect("a span has a start"),
            end: nanos("endTimeUnixNano").expect("a span has an end"),
            has_failed: sent["status"]["code"] == 2,
            attributes: attributes(sent),
        }
    }

    /// As text; null if it has none.
    pub(super) fn attribute(&self, key: &str) -> &Value {
        self.attributes.get(key).unwrap_or(&Value::Null)
    }
}

fn attributes(of: &Value) -> BTreeMap<String, Value> {
    let pairs = items(&of["attributes"]).map(|pair| {
        let (_type, value) =
            pair["value"].as_object().and_then(|value| value.iter().next()).expect("a value");
        (pair["key"].as_str().expect("a key").to_owned(), value.clone())
    });
    pairs.collect()
}

fn items(array: &Value) -> impl Iterator<Item = &Value> {
    array.as_array().into_iter().flatten()
}

async fn take(State(found): State<Sender<String>>, headers: HeaderMap, body: String) -> &'static str {
    assert_eq!(headers["content-type"], "application/json");
    // The test may have ended.
    drop(found.send(body));
    "{}"
}

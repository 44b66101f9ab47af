//! DynamoDB with bad weather: an HTTP proxy before the real tables that throttles, fails, hangs, cuts answers short, and
//! carries out a write whose answer it then loses. It is also the witness of every person that is written.

mod attribute;
mod bug;
mod witness;

use std::{
    collections::BTreeSet,
    future::pending,
    io,
    sync::{Arc, Mutex, MutexGuard},
    time::{Duration, Instant},
};

use anyhow::Context;
use axum::{
    Router,
    body::{Body, Bytes},
    extract::{Request, State},
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::Response,
};
use fastrand::Rng;
use futures_util::stream;
use serde_json::{Value, json};
use tokio::net::TcpListener;

pub(crate) use self::bug::Bug;
use self::witness::Seen;
use crate::{
    evidence::{Entry, Write},
    tally::Tally,
};

/// No request of ours is longer.
const MAX_BODY_BYTES: usize = 2 * 1024 * 1024;

/// Whose credentials these are is nothing to DynamoDB Local, but that there are some.
const ANYBODY: &str = "AWS4-HMAC-SHA256 Credential=chaos/20260101/eu-central-1/dynamodb/aws4_request, \
                       SignedHeaders=host, Signature=0";

/// How long the tables themselves may take; whoever asks gives up before.
const PATIENCE: Duration = Duration::from_secs(30);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fault {
    Throttled,
    Failed,
    /// Neither carried out nor answered.
    Hung,
    /// Carried out, and the answer breaks off.
    CutShort,
    /// Carried out, and never answered.
    AnswerLost,
}

/// What goes wrong: this share of all requests, 0 to 1, in any way, and that share in one.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Weather {
    pub(crate) usual: f64,
    pub(crate) storm: Option<(Fault, f64)>,
}

type Answer = (StatusCode, HeaderMap, Bytes);

#[derive(Clone)]
pub(crate) struct Tables(Arc<Shared>);

/// The tables that are watched.
#[derive(Debug, Clone)]
pub(crate) struct Names {
    pub(crate) users: String,
    pub(crate) history: String,
    pub(crate) outbox: String,
}

struct Shared {
    upstream: String,
    names: Names,
    http: reqwest::Client,
    bug: Option<Bug>,
    tally: Tally,
    state: Mutex<Sky>,
}

struct Sky {
    weather: Weather,
    random: Rng,
    writes: Vec<Write>,
    /// Of the requests that wrote them.
    tokens: BTreeSet<String>,
    last_request: Instant,
    memory: bug::Memory,
}

impl Tables {
    /// Before the tables at `upstream`. Returns where it listens.
    pub(crate) async fn start(
        upstream: String,
        names: Names,
        seed: u64,
        bug: Option<Bug>,
        tally: Tally,
    ) -> anyhow::Result<(Self, String)> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let url = format!("http://{}", listener.local_addr()?);
        let sky = Sky {
            weather: Weather::CALM,
            random: Rng::with_seed(seed),
            writes: Vec::new(),
            tokens: BTreeSet::new(),
            last_request: Instant::now(),
            memory: bug::Memory::default(),
        };
        let http = okta::http_client(PATIENCE);
        let state = Mutex::new(sky);
        let tables = Self(Arc::new(Shared { upstream, names, http, bug, tally, state }));
        let app = Router::new().fallback(handle).with_state(tables.clone());
        tokio::spawn(async move { axum::serve(listener, app).await });
        Ok((tables, url))
    }

    pub(crate) fn set_weather(&self, change: impl FnOnce(&mut Weather)) {
        change(&mut self.sky().weather);
    }

    /// In the order in which the table took them.
    pub(crate) fn writes(&self) -> Vec<Write> {
        self.sky().writes.clone()
    }

    /// For how long nobody has asked for anything.
    pub(crate) fn idle(&self) -> Duration {
        self.sky().last_request.elapsed()
    }

    fn sky(&self) -> MutexGuard<'_, Sky> {
        self.0.state.lock().expect("no holder of this lock panics")
    }

    fn fault(&self) -> Option<Fault> {
        let mut sky = self.sky();
        sky.last_request = Instant::now();
        let Weather { usual, storm } = sky.weather;
        let fault = match storm {
            Some((fault, share)) if sky.random.f64() < share => Some(fault),
            _ if sky.random.f64() < usual => sky.random.choice(Fault::ALL),
            _ => None,
        };
        drop(sky);
        if let Some(fault) = fault {
            self.0.tally.count(fault.name());
        }
        fault
    }

    /// The history table, past the weather.
    pub(crate) async fn entries(&self) -> anyhow::Result<Vec<Entry>> {
        let history = self.scan(&self.0.names.history).await?;
        let history = history.iter().filter(|item| !witness::is_claim(item));
        history
            .map(|item| witness::entry(item).context("an entry of the history table can't be read"))
            .collect()
    }

    /// How many writes have facts that wait, past the weather.
    pub(crate) async fn untold(&self) -> anyhow::Result<usize> {
        Ok(self.scan(&self.0.names.outbox).await?.len())
    }

    async fn scan(&self, table: &str) -> anyhow::Result<Vec<Value>> {
        let (mut items, mut start) = (Vec::new(), None);
        loop {
            let mut scan = json!({"TableName": table, "ConsistentRead": true});
            if let Some(start) = start {
                scan["ExclusiveStartKey"] = start;
            }
            let request = self.0.http.post(&self.0.upstream).body(scan.to_string());
            let request = request
                .header("x-amz-target", "DynamoDB_20120810.Scan")
                .header(header::CONTENT_TYPE, "application/x-amz-json-1.0")
                .header(header::AUTHORIZATION, ANYBODY);
            let page: Value = request.send().await?.error_for_status()?.json().await?;
            let found = page["Items"].as_array().context("a scan without items")?;
            items.extend(found.iter().map(attribute::plain_item));
            match page.get("LastEvaluatedKey") {
                Some(last) => start = Some(last.clone()),
                None => return Ok(items),
            }
        }
    }

    async fn carry_out(self, headers: HeaderMap, body: Bytes) -> reqwest::Result<Answer> {
        let seen = witness::person_written(&self.0.names, &headers, &body);
        match (self.0.bug, seen) {
            // What no event has written, but a note of the next attempt, meets no bug.
            (Some(bug), Some(Seen { write, .. })) if !write.entries.is_empty() => {
                self.mishandle(bug, write, headers, body).await
            }
            (_, seen) => self.ask(headers, body, seen).await,
        }
    }

    /// Asks the tables, and notes the person that they took.
    async fn ask(&self, headers: HeaderMap, body: Bytes, seen: Option<Seen>) -> reqwest::Result<Answer> {
        let request = self.0.http.post(&self.0.upstream).headers(headers).body(body);
        let answer = request.send().await?;
        let (status, headers) = (answer.status(), answer.headers().clone());
        if status == StatusCode::OK
            && let Some(Seen { write, token }) = seen
        {
            let mut sky = self.sky();
            if token.is_none_or(|token| sky.tokens.insert(token)) {
                sky.writes.push(write);
            }
        }
        Ok((status, headers, answer.bytes().await?))
    }
}

async fn handle(State(tables): State<Tables>, request: Request) -> Response {
    let fault = tables.fault();
    match fault {
        Some(Fault::Throttled) => {
            return refusal(StatusCode::BAD_REQUEST, "ProvisionedThroughputExceededException");
        }
        Some(Fault::Failed) => return refusal(StatusCode::INTERNAL_SERVER_ERROR, "InternalServerError"),
        Some(Fault::Hung) => return pending().await,
        Some(Fault::CutShort | Fault::AnswerLost) | None => {}
    }
    let (parts, body) = request.into_parts();
    let Ok(body) = axum::body::to_bytes(body, MAX_BODY_BYTES).await else {
        return refusal(StatusCode::BAD_REQUEST, "ValidationException");
    };
    // On its own: what the tables do must be seen, also when whoever asked is killed meanwhile.
    let carried_out = tokio::spawn(tables.carry_out(parts.headers, body)).await;
    let Ok(Ok((status, headers, body))) = carried_out else {
        return refusal(StatusCode::INTERNAL_SERVER_ERROR, "InternalServerError");
    };
    let length = body.len();
    let body = match fault {
        Some(Fault::AnswerLost) => return pending().await,
        // The header of its length promises more.
        Some(Fault::CutShort) => Body::from_stream(stream::iter([
            Ok(body.slice(..length / 2)),
            Err(io::Error::from(io::ErrorKind::ConnectionReset)),
        ])),
        _ => Body::from(body),
    };
    let mut response = Response::new(body);
    *response.status_mut() = status;
    *response.headers_mut() = headers;
    // How it came here says nothing of how it goes on.
    for hop in [header::TRANSFER_ENCODING, header::CONNECTION] {
        response.headers_mut().remove(hop);
    }
    response.headers_mut().insert(header::CONTENT_LENGTH, length.into());
    response
}

/// As DynamoDB writes an error.
fn refusal(status: StatusCode, code: &str) -> Response {
    let body = format!(r#"{{"__type":"com.amazonaws.dynamodb.v20120810#{code}","message":"chaos"}}"#);
    let mut response = Response::new(Body::from(body));
    *response.status_mut() = status;
    let json = HeaderValue::from_static("application/x-amz-json-1.0");
    response.headers_mut().insert(header::CONTENT_TYPE, json);
    response
}

impl Fault {
    pub(crate) const ALL: [Self; 5] =
        [Self::Throttled, Self::Failed, Self::Hung, Self::CutShort, Self::AnswerLost];

    fn name(self) -> &'static str {
        match self {
            Self::Throttled => "tables: throttled",
            Self::Failed => "tables: 500",
            Self::Hung => "tables: no answer, nothing done",
            Self::CutShort => "tables: done, answer cut short",
            Self::AnswerLost => "tables: done, answer lost",
        }
    }
}

impl Weather {
    pub(crate) const CALM: Self = Self { usual: 0.0, storm: None };
}

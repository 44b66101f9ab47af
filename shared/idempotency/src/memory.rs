use std::time::Duration;

use api::{CORRELATION_ID, Call, Problem, raw_json};
use aws::Aws;
use dynamo::{Error, Written};
use jiff::Timestamp;
use lambda_http::{
    Body, Response,
    http::{HeaderValue, StatusCode},
};
use runtime::{Clock, ConfigError, Vars, telemetry};
use tokio::time::timeout;
use uuid::Uuid;

use crate::{
    Config, Keyed,
    entry::{Answer, Decision, Entry},
    store::Store,
};

/// Says that an answer was given before.
const REPLAYED: &str = "idempotency-replayed";

/// Remembers what was answered to requests with a key. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Memory {
    table: Option<(Store, Duration)>,
    clock: Clock,
}

impl Memory {
    /// Without a table nothing is remembered, and every request is a first one.
    pub fn from_vars(vars: &Vars, aws: &Aws, clock: Clock) -> Result<Self, ConfigError> {
        let config = Config::from_vars(vars)?;
        let table = config.map(|config| (Store::new(config.clone(), aws), config.timeout));
        Ok(Self { table, clock })
    }

    /// Asks the table whether it answers. `None` where there is none.
    pub fn ping(&self) -> Option<impl Future<Output = Result<(), Error>>> {
        self.table.as_ref().map(|(store, _)| store.ping())
    }

    /// Does the work of the request that was first with its key, and gives its answer to the repeats. `work` gets the
    /// request's id, which is that of the first one also where another goes on in its place.
    ///
    /// What was answered well is remembered. After a problem the request can be sent again, corrected or not: the problem
    /// may be ours.
    pub async fn once<W>(
        &self,
        call: &Call,
        keyed: &Keyed,
        work: impl FnOnce(Uuid) -> W,
    ) -> Result<Response<Body>, Problem>
    where
        W: Future<Output = Result<Response<Body>, Problem>>,
    {
        let Some((store, limit)) = &self.table else { return work(keyed.request_id()).await };
        let (now, attempt) = (self.clock.now(), self.clock.new_id().to_string());
        let claim = Entry::claim(keyed, attempt, now, call.deadline);
        let claim = match bounded(*limit, take(store, claim, now)).await {
            Some(Decision::First(claim)) => claim,
            Some(Decision::Repeat(answer)) => return Ok(again(answer)),
            Some(Decision::OtherBody) => return Err(other_body()),
            Some(Decision::InFlight) => return Err(in_flight()),
            // Refusing the request could lose what it brings; doing it twice can't do harm further on.
            None => return work(keyed.request_id()).await,
        };
        let result = work(claim.request_id()).await;
        let entry = match &result {
            Ok(response) => claim.answered(Answer::of(call, response)),
            Err(_problem) => claim.failed(),
        };
        bounded(*limit, store.replace(&entry.attempt, &entry)).await;
        result
    }
}

/// Takes the key if it is free or its entry has had its time. Whoever comes second finds it in flight.
async fn take(store: &Store, claim: Entry, now: Timestamp) -> Result<Decision, Error> {
    let Some(held) = store.insert(&claim).await? else { return Ok(Decision::First(claim)) };
    let attempt = held.attempt.clone();
    let decision = held.decide(claim, now);
    if let Decision::First(claim) = &decision
        && store.replace(&attempt, claim).await? == Written::ConditionFailed
    {
        return Ok(Decision::InFlight);
    }
    Ok(decision)
}

/// `None` when the table is away or slow.
async fn bounded<T>(limit: Duration, asking: impl Future<Output = Result<T, Error>>) -> Option<T> {
    let error = match timeout(limit, asking).await {
        Ok(Ok(found)) => return Some(found),
        Ok(Err(error)) => telemetry::chain(&error),
        Err(elapsed) => elapsed.to_string(),
    };
    tracing::warn!(error, "the memory of keys is away; the request goes on without it");
    None
}

fn again(answer: Answer) -> Response<Body> {
    let first = answer.correlation_id.as_str();
    tracing::info!(first, "a repeat gets the first answer");
    let first = HeaderValue::from_str(first).expect("an identifier is visible ASCII");
    let mut response = raw_json(answer.status.0, answer.body);
    response.headers_mut().insert(CORRELATION_ID, first);
    response.headers_mut().insert(REPLAYED, HeaderValue::from_static("true"));
    response
}

fn other_body() -> Problem {
    let detail = "This Idempotency-Key came with another body before. Send a new request under a new key.";
    Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "idempotency_key_reused", detail)
}

fn in_flight() -> Problem {
    let detail =
        "The first request with this Idempotency-Key is still being worked on. Send it again in a moment.";
    Problem {
        retry_after: Some(Duration::from_secs(1)),
        ..Problem::new(StatusCode::CONFLICT, "idempotency_key_in_flight", detail)
    }
}

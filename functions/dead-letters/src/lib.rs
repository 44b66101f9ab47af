//! `/v1/dead-letters` and what belongs to them: what could not be processed and why, and the ways back for it.

mod act;
#[cfg(feature = "schema")]
mod describe;
mod dry_run;
mod health;
mod jobs;
mod routes;
mod show;

use std::{sync::Arc, time::Duration};

use api::{Api, Call, Problem, cursor::Signer};
use aws::Aws;
use contracts::Actor;
use dlq::{Discard, Error, Find, LetterId, Redrive, RunJobs, Store};
use kafka::Producer;
use lambda_http::{Body, Request, Response, http::StatusCode};
use onboarding::RepairLetters;
use recovery::{Features, Repair};
use runtime::{Clock, ConfigError, Vars, telemetry};
use tokio::time::Instant;

use routes::ROUTES;

#[cfg(feature = "schema")]
pub use describe::describe;

/// How long a request works on the job that it starts. What is left is done by the sweeps.
const FIRST_SLICE: Duration = Duration::from_secs(3);

/// How long an answer waits until what was done is told. What isn't told by then is told by fact-publisher.
const TO_TELL: Duration = Duration::from_secs(2);

#[derive(Debug, Clone)]
pub struct Function {
    api: Api<Self>,
    store: Store,
    letters: Find,
    redrive: Redrive,
    discard: Discard,
    jobs: RunJobs,
    features: Arc<Features<dyn Repair>>,
    producer: Producer,
    clock: Clock,
}

impl lambda::Function for Function {
    const NAME: &'static str = env!("CARGO_PKG_NAME");
    type Event = Request;

    fn from_vars(vars: &Vars, clock: Clock) -> Result<Self, ConfigError> {
        let aws = Aws::from_vars(vars)?;
        let producer = Producer::from_vars(vars, &aws, clock)?;
        let store = Store::from_vars(vars, &aws, producer.clone())?;
        let redrive = Redrive::new(store.clone(), producer.clone(), clock);
        Ok(Self {
            api: Api::from_vars(Self::NAME, &ROUTES, vars, &aws, clock)?,
            letters: Find::new(store.clone(), Signer::from_vars(vars, &aws)?),
            jobs: RunJobs::new(store.clone(), redrive.clone(), clock),
            discard: Discard::new(store.clone(), clock),
            store,
            redrive,
            producer,
            clock,
            features: Arc::new(Features::new([Box::new(RepairLetters::from_vars(vars, &aws, clock)?)])),
        })
    }

    async fn handle(&self, request: Request) -> Response<Body> {
        let response = self.api.serve(self, request).await;
        self.store.end_invocation(Instant::now() + TO_TELL).await;
        response
    }

    async fn flush(&self) {
        self.redrive.flush().await;
    }
}

fn by(call: &Call) -> Actor {
    Actor::caller(&call.principal.subject)
}

fn letter_id(call: &Call) -> Result<LetterId, Problem> {
    LetterId::parse(call.path("id")).ok_or_else(unknown_letter)
}

fn unknown_letter() -> Problem {
    Problem::not_found("dead_letter_not_found", "There is no dead letter with this id.")
}

/// `unknown` is what there is none of.
fn problem(error: Error, unknown: Problem) -> Problem {
    match error {
        Error::Unknown => unknown,
        Error::Refused(refused) => {
            Problem::new(StatusCode::CONFLICT, "wrong_state", format!("Not done: {refused}."))
        }
        Error::Overtaken => Problem::new(StatusCode::CONFLICT, "wrong_state", format!("Not done: {error}.")),
        Error::ValueLeftOut => {
            let detail = "Not done: the record's value is not here, but on its topic. Send an edited one.";
            Problem::new(StatusCode::CONFLICT, "value_left_out", detail)
        }
        Error::PayloadGone => {
            let detail = "Not done: the letter's payload is gone, so nobody can say which event it was. If it \
                is still wanted, HR has to send it again.";
            Problem::new(StatusCode::CONFLICT, "payload_gone", detail)
        }
        Error::Cursor(error) => error.into(),
        Error::Store(_) | Error::Contended => {
            tracing::error!(error = telemetry::chain(&error), "a request was not answered");
            Problem::unavailable()
        }
    }
}

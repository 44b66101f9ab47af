//! `/v1/dead-letters` and what belongs to them: what could not be processed and why, and the ways back for it.

mod act;
#[cfg(feature = "schema")]
mod describe;
mod dry_run;
mod jobs;
mod show;

use std::{convert::Infallible, time::Duration};

use api::{Api, Call, Problem, cursor::Signer};
use aws::Aws;
use dlq::{Actor, Discard, Error, Find, LetterId, Redrive, RunJobs, Store};
use kafka::Producer;
use lambda_http::{
    Body, Request, Response,
    http::{Method, StatusCode},
};
use onboarding::Foresee;
use runtime::{Clock, ConfigError, Vars, telemetry};

#[cfg(feature = "schema")]
pub use describe::describe;

pub const NAME: &str = "dead-letters";

/// A body is a filter, a reason, or an HR record.
const MOST_BYTES: usize = 256 * 1024;

/// How long a request works on the job that it starts. What is left is done by the sweeps.
const FIRST_SLICE: Duration = Duration::from_secs(3);

#[derive(Debug, Clone)]
pub struct Function {
    api: Api,
    letters: Find,
    redrive: Redrive,
    discard: Discard,
    jobs: RunJobs,
    foresee: Foresee,
    clock: Clock,
}

impl Function {
    pub fn from_vars(vars: &Vars, clock: Clock) -> Result<Self, ConfigError> {
        let aws = Aws::from_vars(vars)?;
        let store = Store::from_vars(vars, &aws)?;
        let redrive = Redrive::new(store.clone(), Producer::from_vars(vars, &aws, clock)?, clock);
        let users = onboarding::Store::from_vars(vars, &aws)?;
        Ok(Self {
            // Where there is one key only, it guards dead letters too.
            api: Api::from_vars(NAME, &["ADMIN_KEY", "API_KEY"], vars, &aws, clock)?,
            letters: Find::new(store.clone(), Signer::from_vars(vars, &aws)?),
            jobs: RunJobs::new(store.clone(), redrive.clone(), clock),
            discard: Discard::new(store, clock),
            redrive,
            clock,
            foresee: Foresee::new(users, okta::Client::from_vars(vars, &aws, clock)?, clock),
        })
    }

    /// To be awaited before the process ends.
    pub async fn flush(&self) {
        self.redrive.flush().await;
    }

    pub async fn handle(&self, request: Request) -> Result<Response<Body>, Infallible> {
        Ok(self.api.serve(request, async |call| Box::pin(self.answer(&call)).await).await)
    }

    async fn answer(&self, call: &Call) -> Result<Response<Body>, Problem> {
        call.one_of(methods(call.route())?)?;
        match call.route() {
            "/v1/dead-letters" => self.list(call).await,
            "/v1/dead-letters/{id}" => self.show(call).await,
            "/v1/dead-letters/{id}/redrive" => self.redrive(call).await,
            "/v1/dead-letters/{id}/edit" => self.edit(call).await,
            "/v1/dead-letters/{id}/discard" => self.discard(call).await,
            "/v1/dead-letter-groups" => self.groups(call).await,
            "/v1/dead-letter-groups/{id}" => self.group(call).await,
            "/v1/dead-letter-jobs" if call.is(&Method::POST) => self.start_job(call).await,
            "/v1/dead-letter-jobs" => self.list_jobs(call).await,
            "/v1/dead-letter-jobs/{id}" => self.show_job(call).await,
            "/v1/dead-letter-jobs/{id}/stop" => self.set_running(call, false).await,
            "/v1/dead-letter-jobs/{id}/resume" => self.set_running(call, true).await,
            "/v1/dead-letter-audit" => self.audit(call).await,
            _ => Err(Problem::unknown_route()),
        }
    }
}

fn methods(route: &str) -> Result<&'static str, Problem> {
    match route {
        "/v1/dead-letters"
        | "/v1/dead-letters/{id}"
        | "/v1/dead-letter-groups"
        | "/v1/dead-letter-groups/{id}"
        | "/v1/dead-letter-jobs/{id}"
        | "/v1/dead-letter-audit" => Ok("GET"),
        "/v1/dead-letters/{id}/redrive"
        | "/v1/dead-letters/{id}/edit"
        | "/v1/dead-letters/{id}/discard"
        | "/v1/dead-letter-jobs/{id}/stop"
        | "/v1/dead-letter-jobs/{id}/resume" => Ok("POST"),
        "/v1/dead-letter-jobs" => Ok("GET, POST"),
        _ => Err(Problem::unknown_route()),
    }
}

fn by(call: &Call) -> Actor {
    Actor::caller(call.caller.name())
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
        Error::NotWhole => {
            let detail = "Not done: the record's value is not here, but on its topic. Send an edited one.";
            Problem::new(StatusCode::CONFLICT, "value_left_out", detail)
        }
        Error::Gone => {
            let detail = "Not done: what the letter held is gone, so nobody can say which event it was. If it \
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

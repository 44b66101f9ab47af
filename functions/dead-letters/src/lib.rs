//! `GET /v1/dead-letters[/{id}]`: what could not be processed, and why.

use std::convert::Infallible;

use api::{Api, Call, Problem, cursor::Signer, json, link_to_next};
use aws::Aws;
use contracts::{CorrelationId, EmployeeId};
use dlq::{DeadLetter, Find, FindError, LetterId, Page, Store};
use lambda_http::{
    Body, Request, Response,
    http::{Method, StatusCode},
};
use runtime::{Clock, ConfigError, Vars, telemetry};
use serde::Serialize;

pub const NAME: &str = "dead-letters";

#[derive(Debug, Clone)]
pub struct Function {
    api: Api,
    letters: Find,
}

#[derive(Serialize)]
struct LetterList<'a> {
    dead_letters: Vec<Summary<'a>>,
    next_cursor: Option<&'a str>,
}

/// A letter without its payload, which is personal and long.
#[derive(Serialize)]
struct Summary<'a> {
    id: &'a str,
    state: dlq::LetterState,
    reason: &'static str,
    /// Whether it can succeed later with nothing changed by a person.
    transient: bool,
    message: &'a str,
    attempts: u32,
    failed_at: String,
    fingerprint: &'a str,
    correlation_id: Option<&'a str>,
    employee_id: Option<&'a str>,
}

impl Function {
    pub fn from_vars(vars: &Vars, clock: Clock) -> Result<Self, ConfigError> {
        let aws = Aws::from_vars(vars)?;
        Ok(Self {
            api: Api::from_vars(NAME, vars, &aws, clock)?,
            letters: Find::new(Store::from_vars(vars, &aws)?, Signer::from_vars(vars, &aws)?),
        })
    }

    pub async fn handle(&self, request: Request) -> Result<Response<Body>, Infallible> {
        Ok(self.api.serve(request, async |call| self.answer(&call).await).await)
    }

    async fn answer(&self, call: &Call) -> Result<Response<Body>, Problem> {
        match call.route() {
            "/v1/dead-letters" => {
                call.only(&Method::GET, "GET")?;
                self.list(call).await
            }
            "/v1/dead-letters/{id}" => {
                call.only(&Method::GET, "GET")?;
                self.letter(call.path("id")).await
            }
            _ => Err(Problem::unknown_route()),
        }
    }

    async fn list(&self, call: &Call) -> Result<Response<Body>, Problem> {
        let page = self.letters.list(call.query("cursor"), call.limit()?).await;
        let Page { letters, next } = page.map_err(|error| match error {
            FindError::Cursor(error) => error.into(),
            FindError::Store(error) => away(&error),
        })?;
        let list = LetterList {
            dead_letters: letters.iter().map(Summary::of).collect(),
            next_cursor: next.as_deref(),
        };
        let mut response = json(StatusCode::OK, &list);
        if next.is_some() {
            let query = [("limit", call.query("limit")), ("cursor", next.as_deref())];
            link_to_next(&mut response, call.route(), &query);
        }
        Ok(response)
    }

    async fn letter(&self, id: &str) -> Result<Response<Body>, Problem> {
        let unknown = || Problem::not_found("dead_letter_not_found", "There is no dead letter with this id.");
        let id = LetterId::parse(id).ok_or_else(unknown)?;
        let letter = self.letters.get(&id).await.map_err(|error| away(&error))?;
        letter.map(|letter| json(StatusCode::OK, &letter)).ok_or_else(unknown)
    }
}

impl<'a> Summary<'a> {
    fn of(letter: &'a DeadLetter) -> Self {
        Self {
            id: letter.id.as_str(),
            state: letter.state,
            reason: letter.reason.code(),
            transient: letter.reason.is_transient(),
            message: &letter.message,
            attempts: letter.attempts,
            failed_at: letter.failed_at.to_string(),
            fingerprint: &letter.fingerprint,
            correlation_id: letter.correlation_id.as_ref().map(CorrelationId::as_str),
            employee_id: letter.employee_id.as_ref().map(EmployeeId::as_str),
        }
    }
}

fn away(error: &dynamo::Error) -> Problem {
    tracing::error!(error = telemetry::chain(error), "a query was not answered");
    Problem::unavailable()
}

//! `POST /v1/hr/webhook`: takes an HR event, and answers 202 once Kafka has it on its disk quorum.

use std::convert::Infallible;

use api::{Api, Call, Problem, json};
use aws::Aws;
use kafka::Producer;
use lambda_http::{
    Body, Request, Response,
    http::{Method, StatusCode},
};
use onboarding::accept::{Accept, Error};
use runtime::{Clock, ConfigError, Vars, telemetry};
use serde::Serialize;

pub const NAME: &str = "hr-webhook";

/// HR records are a few kilobytes; this is room for what we don't read of them.
const MOST_BYTES: usize = 256 * 1024;

#[derive(Debug, Clone)]
pub struct Function {
    api: Api,
    accept: Accept,
    producer: Producer,
}

#[derive(Serialize)]
struct Accepted<'a> {
    status: &'static str,
    correlation_id: &'a str,
    status_url: String,
}

impl Function {
    pub fn from_vars(vars: &Vars, clock: Clock) -> Result<Self, ConfigError> {
        let aws = Aws::from_vars(vars)?;
        let producer = Producer::from_vars(vars, &aws, clock)?;
        Ok(Self {
            api: Api::from_vars(NAME, vars, &aws, clock)?,
            accept: Accept::new(producer.clone(), clock),
            producer,
        })
    }

    /// To be awaited before the process ends.
    pub async fn flush(&self) {
        self.producer.flush(kafka::SHUTDOWN_LIMIT).await;
    }

    pub async fn handle(&self, request: Request) -> Result<Response<Body>, Infallible> {
        Ok(self.api.serve(request, async |call| self.answer(&call).await).await)
    }

    async fn answer(&self, call: &Call) -> Result<Response<Body>, Problem> {
        if call.route() != "/v1/hr/webhook" {
            return Err(Problem::unknown_route());
        }
        call.only(&Method::POST, "POST")?;
        let body = call.json_body(MOST_BYTES)?;
        let id = &call.correlation_id;
        let event = self.accept.accept(body, id.clone(), &call.traceparent).await.map_err(problem)?;
        tracing::info!(event_type = event.event_type.as_str(), "accepted");
        let answer = Accepted {
            status: "accepted",
            correlation_id: id.as_str(),
            status_url: format!("/v1/requests/{id}"),
        };
        Ok(json(StatusCode::ACCEPTED, &answer))
    }
}

fn problem(error: Error) -> Problem {
    match error {
        Error::Malformed { .. } => Problem::bad_request("malformed_json", format!("Not accepted: {error}.")),
        Error::Invalid(faults) => Problem::faults(faults),
        Error::Unpublished(source) => {
            let error = telemetry::chain(&source);
            tracing::error!(error, "an event was not accepted: the brokers did not acknowledge it");
            let detail =
                "The event may or may not have been accepted. Send it again later, with the same event_id.";
            Problem { detail: detail.to_owned(), ..Problem::unavailable() }
        }
    }
}

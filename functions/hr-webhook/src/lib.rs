//! `POST /v1/hr/webhook` and `DELETE /v1/users/{id}`: takes an HR event, or the command to forget a person, and answers 202
//! once Kafka has it on its disk quorum.

use std::convert::Infallible;

use api::{Api, Call, Problem, json};
use aws::Aws;
use contracts::{EmployeeId, EnrichmentRequestedV2, EventId, Warning};
use idempotency::{Keyed, Memory};
use kafka::Producer;
use lambda_http::{
    Body, Request, Response,
    http::{Method, StatusCode},
};
use onboarding::accept::{Accept, Error};
use runtime::{Clock, ConfigError, Vars, telemetry};
use serde::Serialize;

#[cfg(feature = "schema")]
mod describe;

#[cfg(feature = "schema")]
pub use describe::describe;

pub const NAME: &str = "hr-webhook";

/// HR records are a few kilobytes; this is room for what we don't read of them.
const MOST_BYTES: usize = 256 * 1024;

/// The route's path, which another function answers for other methods.
const FORGET: &str = "/v1/users/{id}";

#[derive(Debug, Clone)]
pub struct Function {
    api: Api,
    /// To forget a person takes another key than to hire one.
    admin: Api,
    accept: Accept,
    memory: Memory,
    producer: Producer,
}

#[derive(Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
struct Accepted<'a> {
    #[cfg_attr(feature = "schema", schemars(extend("const" = "accepted")))]
    status: &'static str,
    #[cfg_attr(feature = "schema", schemars(with = "contracts::CorrelationId"))]
    correlation_id: &'a str,
    status_url: String,
    /// What was sent and could not be read: it was left out.
    #[serde(skip_serializing_if = "<[Warning]>::is_empty")]
    warnings: &'a [Warning],
}

impl Function {
    pub fn from_vars(vars: &Vars, clock: Clock) -> Result<Self, ConfigError> {
        let aws = Aws::from_vars(vars)?;
        let producer = Producer::from_vars(vars, &aws, clock)?;
        Ok(Self {
            api: Api::from_vars(NAME, &["API_KEY"], vars, &aws, clock)?,
            admin: Api::from_vars(NAME, &["ADMIN_KEY", "API_KEY"], vars, &aws, clock)?,
            accept: Accept::new(producer.clone(), clock),
            memory: Memory::from_vars(vars, &aws, clock)?,
            producer,
        })
    }

    /// To be awaited before the process ends.
    pub async fn flush(&self) {
        self.producer.flush(kafka::SHUTDOWN_LIMIT).await;
    }

    pub async fn handle(&self, request: Request) -> Result<Response<Body>, Infallible> {
        Ok(match api::route_of(&request).as_str() {
            FORGET => self.admin.serve(request, async |call| self.forget(&call).await).await,
            _ => self.api.serve(request, async |call| self.answer(&call).await).await,
        })
    }

    async fn answer(&self, call: &Call) -> Result<Response<Body>, Problem> {
        if call.route() != "/v1/hr/webhook" {
            return Err(Problem::unknown_route());
        }
        call.only(&Method::POST, "POST")?;
        let body = call.json_body(MOST_BYTES)?;
        let keyed = Keyed::of(call, body)?;
        let unnamed = keyed.as_ref().map(event_id);
        let event = self.accept.check(body, call.correlation_id.clone(), unnamed).map_err(not_an_event)?;
        let publishing = self.publish(call, &event);
        match &keyed {
            Some(keyed) => self.memory.once(call, keyed, publishing).await,
            None => publishing.await,
        }
    }

    async fn forget(&self, call: &Call) -> Result<Response<Body>, Problem> {
        call.only(&Method::DELETE, "GET, DELETE")?;
        let id = EmployeeId::parse(call.path("id"))
            .map_err(|_| Problem::not_found("user_not_found", "There is no user with this id."))?;
        tracing::info!(caller = call.caller.name(), "a person is to be forgotten");
        self.publish(call, &self.accept.erasure(id, call.correlation_id.clone())).await
    }

    async fn publish(&self, call: &Call, event: &EnrichmentRequestedV2) -> Result<Response<Body>, Problem> {
        self.accept.publish(event, &call.traceparent()).await.map_err(|error| unpublished(&error))?;
        tracing::info!(event_type = event.event_type.as_str(), "accepted");
        let id = call.correlation_id.as_str();
        let answer = Accepted {
            status: "accepted",
            correlation_id: id,
            status_url: format!("/v1/requests/{id}"),
            warnings: &event.warnings,
        };
        Ok(json(StatusCode::ACCEPTED, &answer))
    }
}

/// So that a repeat is the same event even when the memory of its key is lost.
fn event_id(keyed: &Keyed) -> EventId {
    EventId::parse(keyed.request_id().to_string()).expect("a UUID is visible ASCII")
}

fn not_an_event(error: Error) -> Problem {
    match error {
        Error::Malformed { .. } => Problem::bad_request("malformed_json", format!("Not accepted: {error}.")),
        Error::Invalid(faults) => Problem::faults(faults),
    }
}

fn unpublished(error: &kafka::Error) -> Problem {
    let error = telemetry::chain(error);
    tracing::error!(error, "an event was not accepted: the brokers did not acknowledge it");
    let detail = "The event may or may not have been accepted. Send it again later, as it is.";
    Problem { detail: detail.to_owned(), ..Problem::unavailable() }
}

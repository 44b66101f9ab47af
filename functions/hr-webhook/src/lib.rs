//! Takes an HR event, or the command to forget a person, and answers 202 once Kafka has it on its disk quorum.

use api::{Api, Call, Problem, json};
use aws::Aws;
use contracts::{EmployeeId, EnrichmentRequestedV2, EventId, Warning};
use idempotency::{Keyed, Memory};
use kafka::Producer;
use lambda_http::{Body, Request, Response, http::StatusCode};
use onboarding::accept::{Accept, Error};
use runtime::{Clock, ConfigError, Vars, telemetry};
use serde::Serialize;
use uuid::Uuid;

#[cfg(feature = "schema")]
mod describe;
mod health;
mod routes;

use routes::ROUTES;

#[cfg(feature = "schema")]
pub use describe::describe;

#[derive(Debug, Clone)]
pub struct Function {
    api: Api<Self>,
    accept: Accept,
    memory: Memory,
    producer: Producer,
    clock: Clock,
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

impl lambda::Function for Function {
    const NAME: &'static str = env!("CARGO_PKG_NAME");
    type Event = Request;

    fn from_vars(vars: &Vars, clock: Clock) -> Result<Self, ConfigError> {
        let aws = Aws::from_vars(vars)?;
        let producer = Producer::from_vars(vars, &aws, clock)?;
        Ok(Self {
            api: Api::from_vars(Self::NAME, &ROUTES, vars, &aws, clock)?,
            accept: Accept::new(producer.clone(), clock),
            memory: Memory::from_vars(vars, &aws, clock)?,
            producer,
            clock,
        })
    }

    async fn handle(&self, request: Request) -> Response<Body> {
        self.api.serve(self, request).await
    }

    async fn flush(&self) {
        self.producer.flush(kafka::SHUTDOWN_LIMIT).await;
    }
}

impl Function {
    async fn take(&self, call: &Call) -> Result<Response<Body>, Problem> {
        let body = call.json_body()?;
        let Some(keyed) = Keyed::of(call, body, self.clock.now())? else {
            let event = self.check(call, body, None)?;
            return self.publish(call, event).await;
        };
        // Before the key is taken: what is wrong may be corrected under it.
        let unnamed = event_id(keyed.request_id());
        let mut event = self.check(call, body, Some(unnamed.clone()))?;
        let publishing = |request_id| {
            let first = event_id(request_id);
            // HR's own id is the event's under every key.
            if event.event_id == unnamed && first != unnamed {
                tracing::Span::current().record("event_id", first.as_str());
                event.event_id = first;
            }
            self.publish(call, event)
        };
        self.memory.once(call, &keyed, publishing).await
    }

    fn check(
        &self,
        call: &Call,
        body: &[u8],
        unnamed: Option<EventId>,
    ) -> Result<EnrichmentRequestedV2, Problem> {
        self.accept.check(body, call.correlation_id.clone(), unnamed).map_err(not_an_event)
    }

    async fn forget(&self, call: &Call) -> Result<Response<Body>, Problem> {
        let id = EmployeeId::parse(call.path("id"))
            .map_err(|_| Problem::not_found("user_not_found", "There is no user with this id."))?;
        tracing::info!(caller = call.principal.subject, "a person is to be forgotten");
        self.publish(call, self.accept.erasure(id, call.correlation_id.clone())).await
    }

    async fn publish(&self, call: &Call, event: EnrichmentRequestedV2) -> Result<Response<Body>, Problem> {
        self.accept.publish(&event, &call.traceparent()).await.map_err(|error| unpublished(&error))?;
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
fn event_id(request_id: Uuid) -> EventId {
    EventId::parse(request_id.to_string()).expect("a UUID is visible ASCII")
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

//! The webhook: check an HR event and put it where it can't be lost.

mod body;

use api::Fault;
use contracts::{CorrelationId, EnrichmentRequestedV1, MessageHeaders, TraceParent, topic};
use kafka::{Outgoing, Producer};
use runtime::Clock;

/// Takes HR events. Touches nothing but Kafka.
#[derive(Debug, Clone)]
pub struct Accept {
    producer: Producer,
    clock: Clock,
}

/// Why an event was not accepted.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("the body is not a JSON object: line {line}, column {column}")]
    Malformed { line: usize, column: usize },
    #[error("{} fields are missing or wrong", .0.len())]
    Invalid(Vec<Fault>),
    #[error("the event could not be put on the topic")]
    Unpublished(#[source] kafka::Error),
}

impl Accept {
    pub fn new(producer: Producer, clock: Clock) -> Self {
        Self { producer, clock }
    }

    /// Returns once the brokers have the event on their disk quorum.
    pub async fn accept(
        &self,
        body: &[u8],
        correlation_id: CorrelationId,
        traceparent: &TraceParent,
    ) -> Result<EnrichmentRequestedV1, Error> {
        let event = body::parse(body, correlation_id, self.clock)?;
        tracing::Span::current().record("event_id", event.event_id.as_str());
        let headers = MessageHeaders {
            correlation_id: &event.correlation_id,
            event_id: &event.event_id,
            event_type: event.event_type,
            traceparent,
        };
        let value = event.encode();
        let record = Outgoing {
            topic: topic::ENRICHMENT_REQUESTED,
            key: Some(event.employee.id.as_str().as_bytes()),
            value: Some(&value),
        };
        self.producer.publish(record, headers.pairs()).await.map_err(Error::Unpublished)?;
        Ok(event)
    }
}

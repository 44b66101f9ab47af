//! The webhook: check an HR event and put it where it can't be lost.

mod body;
mod correct;

use api::Fault;
use contracts::{CorrelationId, EnrichmentRequestedV1, EventId, MessageHeaders, TraceParent, topic};
use kafka::{Outgoing, Producer};
use runtime::Clock;

#[cfg(feature = "schema")]
pub use self::body::HrEvent;
pub use self::correct::{Kept, correct};

/// Takes HR events. Touches nothing but Kafka.
#[derive(Debug, Clone)]
pub struct Accept {
    producer: Producer,
    clock: Clock,
}

/// Why a body is no event.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("the body is not a JSON object: line {line}, column {column}")]
    Malformed { line: usize, column: usize },
    #[error("{} fields are missing or wrong", .0.len())]
    Invalid(Vec<Fault>),
}

impl Accept {
    pub fn new(producer: Producer, clock: Clock) -> Self {
        Self { producer, clock }
    }

    /// Reads an event. One that HR gave no id gets `unnamed`, or a new one.
    pub fn check(
        &self,
        body: &[u8],
        correlation_id: CorrelationId,
        unnamed: Option<EventId>,
    ) -> Result<EnrichmentRequestedV1, Error> {
        let event = body::parse(body, correlation_id, unnamed, self.clock)?;
        tracing::Span::current().record("event_id", event.event_id.as_str());
        Ok(event)
    }

    /// Returns once the brokers have the event on their disk quorum.
    pub async fn publish(
        &self,
        event: &EnrichmentRequestedV1,
        traceparent: &TraceParent,
    ) -> Result<(), kafka::Error> {
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
        self.producer.publish(record, headers.pairs()).await
    }
}

#[cfg(test)]
mod tests {
    use aws::Aws;
    use runtime::Vars;

    use super::*;
    use crate::merge::tests::event;

    #[tokio::test]
    async fn an_event_that_no_broker_has_is_not_taken() {
        let vars = Vars::from_iter(aws::EMULATED)
            .with("KAFKA_BOOTSTRAP_SERVERS", "127.0.0.1:1")
            .with("KAFKA_ACK_TIMEOUT_SECONDS", "0.1");
        let aws = Aws::from_vars(&vars).unwrap();
        let clock = Clock::system();
        let accept = Accept::new(Producer::from_vars(&vars, &aws, clock).unwrap(), clock);
        let traceparent =
            TraceParent::parse("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01").unwrap();
        let published = accept.publish(&event(), &traceparent).await;
        assert!(matches!(published, Err(kafka::Error::Unacknowledged(_))), "{published:?}");
    }
}

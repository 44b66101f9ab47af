//! The webhook: check an HR event and put it where it can't be lost.

mod body;
mod correct;

use api::Fault;
use contracts::{
    CorrelationId, EmployeeId, EnrichmentRequestedV2, EventId, EventType, MessageHeaders, Stated,
    TraceParent, topic,
};
use kafka::{Outgoing, Producer};
use runtime::Clock;

use self::body::Defaults;
#[cfg(feature = "schema")]
pub use self::body::HrEvent;
pub(crate) use self::correct::{Kept, correct};

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
    ) -> Result<EnrichmentRequestedV2, Error> {
        let defaults = Defaults { correlation_id, event_id: unnamed, event_type: Some(EventType::Hired) };
        let event = body::parse(body, defaults, self.clock)?;
        tracing::Span::current().record("event_id", event.event_id.as_str());
        Ok(event)
    }

    /// The command to forget a person, which takes its place among the events of that person.
    pub fn erasure(&self, employee_id: EmployeeId, correlation_id: CorrelationId) -> EnrichmentRequestedV2 {
        let event_id = EventId::parse(self.clock.new_id().to_string()).expect("a UUID is visible ASCII");
        tracing::Span::current().record("event_id", event_id.as_str());
        EnrichmentRequestedV2 {
            event_id,
            event_type: EventType::Erased,
            correlation_id,
            occurred_at: None,
            received_at: self.clock.now(),
            edition: 0,
            employee_id,
            stated: Stated::default(),
            warnings: Vec::new(),
        }
    }

    /// Returns once the brokers have the event on their disk quorum.
    pub async fn publish(
        &self,
        event: &EnrichmentRequestedV2,
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
            key: Some(event.employee_id.as_str().as_bytes()),
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
    use crate::tests::event;

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

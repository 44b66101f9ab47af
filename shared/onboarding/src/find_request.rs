use contracts::{CorrelationId, EmployeeId, EventId};
use jiff::Timestamp;
use serde::Serialize;

use crate::{
    request::{self, Outcome, RequestEvent, RequestState},
    store::{self, Store},
};

/// Answers what became of a request.
#[derive(Debug, Clone)]
pub struct FindRequest {
    store: Store,
}

#[derive(Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct RequestReport {
    pub correlation_id: CorrelationId,
    /// The least good among the events: `failed`, then `accepted`, then `enriched`.
    #[cfg_attr(feature = "schema", schemars(extend("enum" = ["failed", "accepted", "enriched"])))]
    pub status: &'static str,
    pub events: Vec<RequestEvent>,
}

impl FindRequest {
    pub fn new(store: Store) -> Self {
        Self { store }
    }

    /// `None` for an id that no event was read with, yet or ever.
    pub async fn find(&self, correlation_id: CorrelationId) -> Result<Option<RequestReport>, store::Error> {
        let events = self.store.request(&correlation_id).await?;
        let worst = events.iter().map(|event| &event.state).min_by_key(|state| match state {
            RequestState::Failed { .. } => 0,
            RequestState::Accepted => 1,
            RequestState::Enriched { .. } => 2,
        });
        let Some(status) = worst.map(RequestState::name) else { return Ok(None) };
        Ok(Some(RequestReport { correlation_id, status, events }))
    }

    /// How and when the event came to be applied, or not to be needed any more. `None` until then.
    pub async fn enriched(
        &self,
        correlation_id: &CorrelationId,
        employee_id: &EmployeeId,
        event_id: &EventId,
    ) -> Result<Option<(Outcome, Timestamp)>, store::Error> {
        let event = self.store.request_event(correlation_id, &request::key(employee_id, event_id)).await?;
        Ok(event.and_then(|event| match event.state {
            RequestState::Enriched { outcome } => Some((outcome, event.updated_at)),
            RequestState::Accepted | RequestState::Failed { .. } => None,
        }))
    }
}

use contracts::{CorrelationId, EmployeeId, EventId, Reason};
use runtime::Clock;

use crate::{
    request::{RequestEvent, RequestState},
    store::{self, Store},
};

/// Tells those who ask for a request that it is in a dead letter.
#[derive(Debug, Clone)]
pub struct FailRequest {
    store: Store,
    clock: Clock,
}

impl FailRequest {
    pub fn new(store: Store, clock: Clock) -> Self {
        Self { store, clock }
    }

    pub async fn fail(
        &self,
        correlation_id: &CorrelationId,
        employee_id: EmployeeId,
        event_id: EventId,
        reason: Reason,
        message: String,
    ) -> Result<(), store::Error> {
        let state = RequestState::Failed { reason, message };
        let event = RequestEvent { event_id, employee_id, updated_at: self.clock.now(), state };
        self.store.record_request(correlation_id, &event).await
    }
}

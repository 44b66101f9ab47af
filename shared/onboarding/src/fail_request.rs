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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::Memory;

    #[tokio::test]
    async fn who_asks_for_the_request_is_told_why_it_failed() {
        let store = Store::Memory(Memory::default());
        let clock = Clock::fixed("2026-01-31T18:42:00Z".parse().unwrap());
        let (employee, event) = (EmployeeId::parse("E1").unwrap(), EventId::parse("evt-1").unwrap());
        let id = CorrelationId::parse("c-1").unwrap();
        FailRequest::new(store.clone(), clock)
            .fail(&id, employee.clone(), event.clone(), Reason::UserNotFound, "gone".to_owned())
            .await
            .unwrap();
        let state = RequestState::Failed { reason: Reason::UserNotFound, message: "gone".to_owned() };
        let expected =
            RequestEvent { event_id: event, employee_id: employee, updated_at: clock.now(), state };
        assert_eq!(store.request(&id).await.unwrap(), [expected]);
    }
}

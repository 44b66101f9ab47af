use cache::Cache;
use contracts::{CorrelationId, EmployeeId, EventId, Outcome, Reason};
use jiff::Timestamp;
use runtime::Clock;

use crate::{
    find_users::cache_key,
    request::{RequestEvent, RequestState},
    store::{self, Store},
};

/// Tells those who ask that an event is in a dead letter, and when it is tried again.
#[derive(Debug, Clone)]
pub struct FailRequest {
    store: Store,
    cache: Cache,
    clock: Clock,
}

/// An event that became a dead letter.
#[derive(Debug, Clone)]
pub struct FailedEvent {
    pub correlation_id: CorrelationId,
    pub employee_id: EmployeeId,
    pub event_id: EventId,
    pub reason: Reason,
    pub message: String,
    /// Without anybody doing something.
    pub next_attempt: Option<Timestamp>,
}

impl FailRequest {
    pub fn new(store: Store, cache: Cache, clock: Clock) -> Self {
        Self { store, cache, clock }
    }

    pub async fn fail(&self, failed: FailedEvent) -> Result<(), store::Error> {
        let FailedEvent { correlation_id, employee_id, event_id, reason, message, next_attempt } = failed;
        let state = RequestState::Ended(Outcome::Failed { reason, message });
        let updated_at = self.clock.now();
        let event =
            RequestEvent { event_id, employee_id: employee_id.clone(), updated_at, next_attempt, state };
        self.store.record_request(&correlation_id, &event).await?;
        self.schedule(&employee_id, reason, next_attempt).await
    }

    /// Notes on a person who waits for this reason when that will be tried again.
    async fn schedule(
        &self,
        id: &EmployeeId,
        reason: Reason,
        next_attempt: Option<Timestamp>,
    ) -> Result<(), store::Error> {
        let Some(read) = self.store.person(id).await? else { return Ok(()) };
        if read.okta.missing != Some(reason) || read.okta.next_attempt == next_attempt {
            return Ok(());
        }
        let mut person = read.clone();
        person.okta.next_attempt = next_attempt;
        person.writes += 1;
        // Whoever wrote meanwhile knows better.
        let _saved = self.store.commit(&person, Some(&read), None).await?;
        self.cache.invalidate(&cache_key(id)).await;
        Ok(())
    }
}

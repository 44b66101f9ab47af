use contracts::{CorrelationId, EmployeeId, EventId, Outcome, Reason};
use futures_util::future::BoxFuture;
use jiff::Timestamp;
use tokio::time::Instant;

use crate::{Feature, Unavailable};

/// What becomes of a feature's events that failed.
pub trait Follow: Feature {
    /// Tells whoever waits for the event that it is a dead letter. Done twice it comes to the same.
    fn failed(&self, event: FailedEvent) -> BoxFuture<'_, Result<(), Unavailable>>;

    /// Tells whoever waits for the event that nobody tries it again: its letter was discarded. Done twice it comes to the same.
    fn discarded<'a>(&'a self, event: &'a EventIds) -> BoxFuture<'a, Result<(), Unavailable>>;

    /// The invocation in which it was told ends, `until` then at the latest.
    fn end_invocation(&self, until: Instant) -> BoxFuture<'_, ()>;

    /// How the event ended well, after a redrive or before it; `None` until then.
    fn outcome<'a>(&'a self, event: &'a EventIds) -> BoxFuture<'a, Result<Option<Ended>, Unavailable>>;

    /// What was received of the person until then is forgotten; `None` if nothing is.
    fn forgotten_until<'a>(
        &'a self,
        employee_id: &'a EmployeeId,
    ) -> BoxFuture<'a, Result<Option<Timestamp>, Unavailable>>;
}

/// Which event, of whom, and of which request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EventIds {
    pub correlation_id: CorrelationId,
    pub employee_id: EmployeeId,
    pub event_id: EventId,
}

/// An event that became a dead letter.
#[derive(Debug, Clone)]
pub struct FailedEvent {
    pub ids: EventIds,
    pub reason: Reason,
    pub message: String,
    /// Tells its failures apart, and is the same however often one is told: those that come later sort later.
    pub failure: String,
    /// Without anybody doing something.
    pub next_attempt: Option<Timestamp>,
}

/// How an event ended well, and when.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ended {
    pub outcome: Outcome,
    pub at: Timestamp,
}

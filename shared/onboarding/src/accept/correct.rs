use api::Fault;
use contracts::{CorrelationId, EmployeeId, EnrichmentRequestedV2, EventId, EventType};
use jiff::Timestamp;
use runtime::Clock;

use super::{
    Error,
    body::{self, Defaults},
};

/// What a record that failed says of itself, and keeps when it is corrected.
#[derive(Debug)]
pub struct Kept<'a> {
    pub correlation_id: CorrelationId,
    pub event_id: Option<EventId>,
    pub employee_id: Option<EmployeeId>,
    pub value: Option<&'a [u8]>,
    /// When it was put on its topic.
    pub published_at: Timestamp,
}

/// The event that `body` describes as one sends it to the webhook, in place of one that failed: it is the same event,
/// of the same person, and as old; and it counts rather than what had failed, of which HR's part may be applied already.
pub fn correct(body: &[u8], kept: Kept<'_>) -> Result<EnrichmentRequestedV2, Error> {
    let failed = kept.value.and_then(|value| EnrichmentRequestedV2::decode(value).ok());
    let defaults = Defaults {
        correlation_id: kept.correlation_id,
        event_id: kept.event_id.clone(),
        event_type: failed.as_ref().map_or(EventType::Hired, |failed| failed.event_type),
    };
    let mut event = body::parse(body, defaults, Clock::fixed(kept.published_at))?;
    if kept.employee_id.is_some_and(|id| id != event.employee_id) {
        let detail = "must be that of the dead letter: events of one employee keep their order".to_owned();
        return Err(Error::Invalid(vec![Fault { pointer: "/employee_id".to_owned(), detail }]));
    }
    if let Some(id) = kept.event_id {
        event.event_id = id;
    }
    event.edition = 1;
    if let Some(failed) = failed {
        (event.occurred_at, event.received_at) = (failed.occurred_at, failed.received_at);
        event.edition = failed.edition + 1;
    }
    Ok(event)
}

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
pub(crate) struct Kept<'a> {
    pub(crate) correlation_id: CorrelationId,
    pub(crate) event_id: Option<EventId>,
    pub(crate) employee_id: Option<EmployeeId>,
    pub(crate) value: Option<&'a [u8]>,
    /// The value's, by its header.
    pub(crate) version: Option<&'a str>,
    /// By its header, for where the value can't be read.
    pub(crate) event_type: Option<EventType>,
    /// When it was put on its topic.
    pub(crate) published_at: Timestamp,
}

/// The event that `body` describes as one sends it to the webhook, in place of one that failed: it is the same event,
/// of the same person, and as old; and it counts rather than what had failed, of which HR's part may be applied already.
pub(crate) fn correct(body: &[u8], kept: Kept<'_>, now: Timestamp) -> Result<EnrichmentRequestedV2, Error> {
    let failed = kept.value.and_then(|value| EnrichmentRequestedV2::decode(kept.version, value).ok());
    let defaults = Defaults {
        correlation_id: kept.correlation_id,
        event_id: kept.event_id.clone(),
        // Where nothing says what it was, a person has to: a termination must not become a hire.
        event_type: failed.as_ref().map(|failed| failed.event_type).or(kept.event_type),
    };
    let mut event = body::parse(body, defaults, Clock::fixed(kept.published_at))?;
    if kept.employee_id.is_some_and(|id| id != event.employee_id) {
        let detail = "must be that of the dead letter: events of one employee keep their order".to_owned();
        return Err(Error::Invalid(vec![Fault { pointer: "/employee_id".to_owned(), detail }]));
    }
    if let Some(id) = kept.event_id {
        event.event_id = id;
    }
    // Of several letters of one event the correction that was made last counts.
    event.edition = u64::try_from(now.as_millisecond()).unwrap_or_default();
    if let Some(failed) = failed {
        (event.occurred_at, event.received_at) = (failed.occurred_at, failed.received_at);
        event.edition = event.edition.max(failed.edition + 1);
    }
    Ok(event)
}

#[cfg(test)]
mod tests {
    use super::*;

    const BODY: &str = r#"{"employee_id":"E1","first_name":"Ada","last_name":"Lovelace","email":"ada@acme.example",
        "event_id":"another","occurred_at":"2026-01-30T00:00:00Z"}"#;

    fn kept(value: Option<&[u8]>) -> Kept<'_> {
        Kept {
            correlation_id: CorrelationId::parse("c-1").unwrap(),
            event_id: EventId::parse("evt-1").ok(),
            employee_id: EmployeeId::parse("E1").ok(),
            value,
            version: None,
            event_type: Some(EventType::Hired),
            published_at: "2026-01-31T18:42:00Z".parse().unwrap(),
        }
    }

    fn now() -> Timestamp {
        "2026-02-01T00:00:00Z".parse().unwrap()
    }

    #[test]
    fn what_cannot_be_read_is_a_hire_only_if_somebody_says_so() {
        let unknown = || Kept { event_type: None, ..kept(Some(b"not json")) };
        match correct(BODY.as_bytes(), unknown(), now()) {
            Err(Error::Invalid(faults)) => assert_eq!(faults[0].pointer, "/event_type"),
            other => panic!("{other:?}"),
        }
        let left = Kept { event_type: Some(EventType::Terminated), ..unknown() };
        assert_eq!(correct(BODY.as_bytes(), left, now()).unwrap().event_type, EventType::Terminated);
        let explicit = BODY.replace('{', r#"{"event_type":"hired","#);
        assert_eq!(correct(explicit.as_bytes(), unknown(), now()).unwrap().event_type, EventType::Hired);
    }

    #[test]
    fn the_corrected_event_is_who_it_was_and_as_old_as_it_was() {
        let failed = correct(BODY.as_bytes(), kept(None), now()).unwrap();
        assert_eq!((failed.event_id.as_str(), failed.correlation_id.as_str()), ("evt-1", "c-1"));
        assert_eq!(failed.received_at, "2026-01-31T18:42:00Z".parse().unwrap());
        assert_eq!(failed.occurred_at, "2026-01-30T00:00:00Z".parse().ok(), "nothing else says when");
        let again = BODY.replace("2026-01-30", "2026-01-02");
        let value = failed.encode();
        let corrected = correct(again.as_bytes(), kept(Some(&value)), now()).unwrap();
        assert_eq!(corrected.occurred_at, failed.occurred_at, "a correction doesn't change the order");
    }

    #[test]
    fn each_correction_counts_rather_than_the_one_before() {
        let first = correct(BODY.as_bytes(), kept(None), now()).unwrap();
        let value = first.encode();
        let second = correct(BODY.as_bytes(), kept(Some(&value)), now()).unwrap();
        assert!(first.edition < second.edition);
        let later = correct(BODY.as_bytes(), kept(None), now() + std::time::Duration::from_secs(1)).unwrap();
        assert!(later.edition > second.edition, "also in another letter of the event");
    }

    #[test]
    fn a_correction_that_says_no_type_keeps_that_of_the_event() {
        let mut failed = correct(BODY.as_bytes(), kept(None), now()).unwrap();
        failed.event_type = EventType::Terminated;
        let value = failed.encode();
        let silent = correct(BODY.as_bytes(), kept(Some(&value)), now()).unwrap();
        assert_eq!(silent.event_type, EventType::Terminated);
        let explicit = BODY.replace('{', r#"{"event_type":"updated","#);
        let explicit = correct(explicit.as_bytes(), kept(Some(&value)), now()).unwrap();
        assert_eq!(explicit.event_type, EventType::Updated);
        let empty = BODY.replace('{', r#"{"event_type":"","#);
        match correct(empty.as_bytes(), kept(Some(&value)), now()) {
            Err(Error::Invalid(faults)) => assert_eq!(faults[0].pointer, "/event_type"),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn it_stays_with_its_employee_and_is_checked_like_any_other() {
        for (body, pointer) in [
            (BODY.replace("E1", "E2"), "/employee_id"),
            (BODY.replace("ada@acme.example", "nobody"), "/email"),
        ] {
            match correct(body.as_bytes(), kept(None), now()) {
                Err(Error::Invalid(faults)) => assert_eq!(faults[0].pointer, pointer),
                other => panic!("{other:?}"),
            }
        }
    }
}

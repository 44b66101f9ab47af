use api::Fault;
use contracts::{CorrelationId, EmployeeId, EnrichmentRequestedV1, EventId};
use jiff::Timestamp;
use runtime::Clock;

use super::{Error, body};

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
/// of the same person, and as old.
pub fn correct(body: &[u8], kept: Kept<'_>) -> Result<EnrichmentRequestedV1, Error> {
    let then = Clock::fixed(kept.published_at);
    let mut event = body::parse(body, kept.correlation_id, kept.event_id.clone(), then)?;
    if kept.employee_id.is_some_and(|id| id != event.employee.id) {
        let detail = "must be that of the dead letter: events of one employee keep their order".to_owned();
        return Err(Error::Invalid(vec![Fault { pointer: "/employee_id".to_owned(), detail }]));
    }
    if let Some(id) = kept.event_id {
        event.event_id = id;
    }
    if let Some(Ok(failed)) = kept.value.map(EnrichmentRequestedV1::decode) {
        (event.occurred_at, event.received_at) = (failed.occurred_at, failed.received_at);
        if !body::names_its_type(body) {
            event.event_type = failed.event_type;
        }
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
            published_at: "2026-01-31T18:42:00Z".parse().unwrap(),
        }
    }

    #[test]
    fn the_corrected_event_is_who_it_was_and_as_old_as_it_was() {
        let failed = correct(BODY.as_bytes(), kept(None)).unwrap();
        assert_eq!((failed.event_id.as_str(), failed.correlation_id.as_str()), ("evt-1", "c-1"));
        assert_eq!(failed.received_at, "2026-01-31T18:42:00Z".parse().unwrap());
        assert_eq!(failed.occurred_at, "2026-01-30T00:00:00Z".parse().unwrap(), "nothing else says when");
        let again = BODY.replace("2026-01-30", "2026-01-02");
        let value = failed.encode();
        let corrected = correct(again.as_bytes(), kept(Some(&value))).unwrap();
        assert_eq!(corrected.occurred_at, failed.occurred_at, "a correction doesn't change the order");
    }

    #[test]
    fn a_correction_that_says_no_type_keeps_that_of_the_event() {
        let mut failed = correct(BODY.as_bytes(), kept(None)).unwrap();
        failed.event_type = contracts::EventType::Terminated;
        let value = failed.encode();
        let silent = correct(BODY.as_bytes(), kept(Some(&value))).unwrap();
        assert_eq!(silent.event_type, contracts::EventType::Terminated);
        let explicit = BODY.replace('{', r#"{"event_type":"updated","#);
        let explicit = correct(explicit.as_bytes(), kept(Some(&value))).unwrap();
        assert_eq!(explicit.event_type, contracts::EventType::Updated);
    }

    #[test]
    fn it_stays_with_its_employee_and_is_checked_like_any_other() {
        for (body, pointer) in [
            (BODY.replace("E1", "E2"), "/employee_id"),
            (BODY.replace("ada@acme.example", "nobody"), "/email"),
        ] {
            match correct(body.as_bytes(), kept(None)) {
                Err(Error::Invalid(faults)) => assert_eq!(faults[0].pointer, pointer),
                other => panic!("{other:?}"),
            }
        }
    }
}

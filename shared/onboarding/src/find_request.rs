use contracts::{CorrelationId, EmployeeId, EventId, Outcome};
use jiff::Timestamp;
use serde::Serialize;

use crate::{
    request::{self, RequestEvent, RequestState},
    request_events::RequestEvents,
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
    /// The least good among all of its events: `failed`, then `accepted`, then `enriched`.
    #[cfg_attr(feature = "schema", schemars(extend("enum" = ["failed", "accepted", "enriched"])))]
    pub status: &'static str,
    /// How many events were sent with this id.
    pub total: u64,
    /// The first hundred of them, the least good first.
    pub events: Vec<RequestEvent>,
}

impl FindRequest {
    pub fn new(store: Store) -> Self {
        Self { store }
    }

    /// `None` for an id that no event was read with, yet or ever.
    pub async fn find(&self, correlation_id: CorrelationId) -> Result<Option<RequestReport>, store::Error> {
        let RequestEvents { shown, total } = self.store.request(&correlation_id).await?;
        let Some(status) = shown.first().map(|event| event.state.name()) else { return Ok(None) };
        Ok(Some(RequestReport { correlation_id, status, total, events: shown }))
    }

    /// How and when the event ended well. `None` until then.
    pub async fn enriched(
        &self,
        correlation_id: &CorrelationId,
        employee_id: &EmployeeId,
        event_id: &EventId,
    ) -> Result<Option<(Outcome, Timestamp)>, store::Error> {
        let event = self.store.request_event(correlation_id, &request::key(employee_id, event_id)).await?;
        Ok(event.and_then(|event| match event.state {
            RequestState::Ended(outcome @ (Outcome::Changed { .. } | Outcome::NothingNew)) => {
                Some((outcome, event.updated_at))
            }
            RequestState::Accepted | RequestState::Ended(Outcome::Failed { .. }) => None,
        }))
    }
}

#[cfg(test)]
mod tests {
    use contracts::Reason;

    use super::*;
    use crate::{
        store::{Memory, tests::note},
        timeline::Timeline,
    };

    fn event(employee: &str, state: RequestState) -> RequestEvent {
        RequestEvent {
            event_id: EventId::parse("evt-1").unwrap(),
            employee_id: EmployeeId::parse(employee).unwrap(),
            updated_at: Timestamp::UNIX_EPOCH,
            next_attempt: None,
            timeline: Timeline::default(),
            state,
        }
    }

    fn enriched() -> RequestState {
        RequestState::Ended(Outcome::NothingNew)
    }

    fn failed() -> RequestState {
        RequestState::Ended(Outcome::Failed { reason: Reason::UserNotFound, message: "gone".to_owned() })
    }

    fn id() -> CorrelationId {
        CorrelationId::parse("c-1").unwrap()
    }

    #[tokio::test]
    async fn a_request_is_as_good_as_the_least_good_of_its_events() {
        let store = Store::Memory(Memory::default());
        let find = FindRequest::new(store.clone());
        assert!(find.find(id()).await.unwrap().is_none());
        for (events, (employee, state, status)) in [
            ("E1", enriched(), "enriched"),
            ("E2", RequestState::Accepted, "accepted"),
            ("E3", failed(), "failed"),
        ]
        .into_iter()
        .enumerate()
        {
            note(&store, &id(), &event(employee, state)).await;
            let report = find.find(id()).await.unwrap().unwrap();
            assert_eq!((report.status, report.events.len()), (status, events + 1));
        }
    }

    #[tokio::test]
    async fn one_that_failed_among_many_is_the_first_that_is_shown() {
        let store = Store::Memory(Memory::default());
        for number in 0..150 {
            note(&store, &id(), &event(&format!("A{number}"), enriched())).await;
        }
        note(&store, &id(), &event("Z", failed())).await;
        let report = FindRequest::new(store).find(id()).await.unwrap().unwrap();
        assert_eq!((report.status, report.total, report.events.len()), ("failed", 151, 100));
        assert_eq!(report.events[0].employee_id.as_str(), "Z");
    }

    #[tokio::test]
    async fn an_event_is_enriched_when_its_own_state_says_so() {
        let store = Store::Memory(Memory::default());
        let find = FindRequest::new(store.clone());
        for (employee, state) in [("E1", enriched()), ("E2", RequestState::Accepted), ("E3", failed())] {
            note(&store, &id(), &event(employee, state)).await;
        }
        let nothing_new = (Outcome::NothingNew, Timestamp::UNIX_EPOCH);
        for (employee, expected) in [("E1", Some(nothing_new)), ("E2", None), ("E3", None), ("E4", None)] {
            let (employee, event) = (EmployeeId::parse(employee).unwrap(), EventId::parse("evt-1").unwrap());
            assert_eq!(find.enriched(&id(), &employee, &event).await.unwrap(), expected);
        }
    }
}

use cache::Cache;
use contracts::{EmployeeId, Outcome};
use facts::{Backlog, Publisher};
use jiff::Timestamp;
use recovery::{EventIds, FailedEvent};
use runtime::Clock;
use tokio::time::Instant;

use crate::{
    directory::Directory,
    find_users::cache_key,
    request::{RequestEvent, RequestState, key},
    store::{self, Store},
    timeline::Timeline,
    told,
};

/// Tells those who ask that an event is in a dead letter, and when it is tried again.
#[derive(Debug, Clone)]
pub(crate) struct FailRequest {
    store: Store,
    cache: Cache,
    facts: Publisher,
    clock: Clock,
}

impl FailRequest {
    pub(crate) fn new(store: Store, cache: Cache, facts: Publisher, clock: Clock) -> Self {
        Self { store, cache, facts, clock }
    }

    pub(crate) async fn end_invocation(&self, until: Instant) {
        self.facts.end_invocation(until).await;
    }

    pub(crate) async fn fail(&self, failed: FailedEvent) -> Result<(), store::Error> {
        let FailedEvent { ids, reason, message, failure, next_attempt } = failed;
        let EventIds { correlation_id, employee_id, event_id } = ids;
        let state = RequestState::Ended(Outcome::Failed { reason, message });
        let updated_at = self.clock.now();
        // Off the way of what goes well: there nothing is read for it.
        let earlier = self.store.request_event(&correlation_id, &key(&employee_id, &event_id)).await?;
        let earlier = earlier.map(|earlier| earlier.timeline).unwrap_or_default();
        let timeline = Timeline { failed: Some(updated_at), ..Timeline::default() }.after(earlier);
        let employee_of = employee_id.clone();
        let event =
            RequestEvent { event_id, employee_id: employee_of, updated_at, next_attempt, timeline, state };
        let facts = told::ended(&correlation_id, &event, &failure);
        let is_later = self.store.end_request(&correlation_id, &event, facts.as_ref()).await?;
        if let Some(facts) = facts.filter(|_| is_later) {
            self.facts.publish(facts, Backlog::Possible);
        }
        self.schedule(&employee_id, next_attempt, |okta| okta.missing == Some(reason)).await
    }

    /// It won't be tried again by itself.
    pub(crate) async fn give_up(&self, ids: &EventIds) -> Result<(), store::Error> {
        let EventIds { correlation_id, employee_id, event_id } = ids;
        let event = self.store.request_event(correlation_id, &key(employee_id, event_id)).await?;
        let Some(mut event) = event else { return Ok(()) };
        let Some(attempt) = event.next_attempt.take() else { return Ok(()) };
        // The person first: what is left of the two is what a repeat finds.
        self.schedule(employee_id, None, |okta| okta.next_attempt == Some(attempt)).await?;
        let _noted = self.store.end_request(correlation_id, &event, None).await?;
        Ok(())
    }

    /// Notes when a person will be tried again, if they wait for that.
    async fn schedule(
        &self,
        id: &EmployeeId,
        next_attempt: Option<Timestamp>,
        waits: impl Fn(&Directory) -> bool,
    ) -> Result<(), store::Error> {
        let Some(read) = self.store.person(id).await? else { return Ok(()) };
        if !waits(&read.okta) || read.okta.next_attempt == next_attempt {
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

#[cfg(test)]
mod tests {
    use aws::Aws;
    use contracts::Reason;
    use runtime::Vars;

    use super::*;
    use crate::{
        converge::Answer,
        store::Memory,
        tests::{event, made_of, now},
    };

    #[tokio::test]
    async fn who_asks_is_told_why_it_failed_and_when_it_is_tried_again() {
        let store = Store::Memory(Memory::default());
        let vars = Vars::from_iter(aws::EMULATED);
        let cache = Cache::from_vars(&vars, &Aws::from_vars(&vars).unwrap()).unwrap();
        let aws = Aws::from_vars(&vars).unwrap();
        let vars =
            vars.with("KAFKA_BOOTSTRAP_SERVERS", "127.0.0.1:1").with("KAFKA_ACK_TIMEOUT_SECONDS", "0.1");
        let producer = kafka::Producer::from_vars(&vars, &aws, Clock::system()).unwrap();
        let facts = Publisher::new(store.outbox(), producer);
        let fail_request = FailRequest::new(store.clone(), cache, facts, Clock::fixed(now()));
        let waiting = made_of(&event(), None, Some(Answer::None(Reason::OktaUnavailable)));
        store.commit(&waiting.person, None, Some(&waiting.entry)).await.unwrap();
        let next_attempt = Some("2026-01-31T18:43:00Z".parse().unwrap());
        let taken = Timeline { taken: Some(Timestamp::UNIX_EPOCH), ..Timeline::default() };
        let accepted = RequestEvent {
            event_id: event().event_id,
            employee_id: event().employee_id,
            updated_at: now(),
            next_attempt: None,
            timeline: taken,
            state: RequestState::Accepted,
        };
        store.accept_request(&event().correlation_id, &accepted).await.unwrap();
        let ids = || EventIds {
            correlation_id: event().correlation_id,
            employee_id: event().employee_id,
            event_id: event().event_id,
        };
        let failed = |reason| FailedEvent {
            ids: ids(),
            reason,
            message: "gone".to_owned(),
            failure: String::new(),
            next_attempt,
        };
        let attempt = async |reason| {
            fail_request.fail(failed(reason)).await.unwrap();
            let person = store.person(&event().employee_id).await.unwrap().unwrap();
            person.user().unwrap().enrichment.next_attempt
        };
        assert_eq!(attempt(Reason::Unprocessed).await, None, "this is not what the person waits for");
        assert_eq!(attempt(Reason::OktaUnavailable).await, next_attempt);
        let told = &store.request(&event().correlation_id).await.unwrap().shown[0];
        let outcome = Outcome::Failed { reason: Reason::OktaUnavailable, message: "gone".to_owned() };
        assert_eq!((&told.state, told.next_attempt), (&RequestState::Ended(outcome), next_attempt));
        assert_eq!(told.timeline, Timeline { failed: Some(now()), ..taken });

        fail_request.give_up(&ids()).await.unwrap();
        let told = &store.request(&event().correlation_id).await.unwrap().shown[0];
        assert_eq!((told.state.name(), told.next_attempt), ("failed", None));
        let person = store.person(&event().employee_id).await.unwrap().unwrap();
        assert_eq!(person.user().unwrap().enrichment.next_attempt, None);
    }
}

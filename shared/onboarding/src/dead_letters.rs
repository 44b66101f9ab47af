//! What the onboarding says of its dead letters.

use aws::Aws;
use cache::Cache;
use contracts::{EmployeeId, EventType, FailedTopic, MessageHeaders, topic};
use facts::Publisher;
use futures_util::future::{BoxFuture, FutureExt};
use jiff::Timestamp;
use kafka::Producer;
use recovery::{
    Correction, Ended, EventIds, Failed, FailedEvent, Feature, Follow, Foresight, Refusal, Repair,
    Unavailable,
};
use runtime::{Clock, ConfigError, Vars};
use tokio::time::Instant;

use crate::{
    accept::{self, Kept, correct},
    fail_request::FailRequest,
    find_request::FindRequest,
    foresee::Foresee,
    store::Store,
};

/// What becomes of events that failed: by their requests.
#[derive(Debug)]
pub struct FollowLetters {
    people: Store,
    requests: FindRequest,
    fail_request: FailRequest,
}

/// What a person can do about events that failed.
#[derive(Debug)]
pub struct RepairLetters {
    foresee: Foresee,
}

impl FollowLetters {
    pub fn from_vars(vars: &Vars, aws: &Aws, producer: Producer, clock: Clock) -> Result<Self, ConfigError> {
        let (people, cache) = (Store::from_vars(vars, aws)?, Cache::from_vars(vars, aws)?);
        let facts = Publisher::new(people.outbox(), producer);
        Ok(Self {
            requests: FindRequest::new(people.clone()),
            fail_request: FailRequest::new(people.clone(), cache, facts, clock),
            people,
        })
    }
}

impl Feature for FollowLetters {
    fn topic(&self) -> &'static FailedTopic {
        FailedTopic::of(topic::ENRICHMENT_FAILED)
    }
}

impl Follow for FollowLetters {
    fn failed(&self, event: FailedEvent) -> BoxFuture<'_, Result<(), Unavailable>> {
        async move { self.fail_request.fail(event).await.map_err(Unavailable::new) }.boxed()
    }

    fn discarded<'a>(&'a self, event: &'a EventIds) -> BoxFuture<'a, Result<(), Unavailable>> {
        async move { self.fail_request.give_up(event).await.map_err(Unavailable::new) }.boxed()
    }

    fn end_invocation(&self, until: Instant) -> BoxFuture<'_, ()> {
        self.fail_request.end_invocation(until).boxed()
    }

    fn outcome<'a>(&'a self, event: &'a EventIds) -> BoxFuture<'a, Result<Option<Ended>, Unavailable>> {
        let EventIds { correlation_id, employee_id, event_id } = event;
        async move {
            let ended = self.requests.enriched(correlation_id, employee_id, event_id).await;
            Ok(ended.map_err(Unavailable::new)?.map(|(outcome, at)| Ended { outcome, at }))
        }
        .boxed()
    }

    fn forgotten_until<'a>(
        &'a self,
        employee_id: &'a EmployeeId,
    ) -> BoxFuture<'a, Result<Option<Timestamp>, Unavailable>> {
        async move {
            let person = self.people.person(employee_id).await.map_err(Unavailable::new)?;
            Ok(person.and_then(|person| person.forgotten).map(|forgotten| forgotten.received_at))
        }
        .boxed()
    }
}

impl RepairLetters {
    pub fn from_vars(vars: &Vars, aws: &Aws, clock: Clock) -> Result<Self, ConfigError> {
        let (people, okta) = (Store::from_vars(vars, aws)?, okta::Client::from_vars(vars, aws, clock)?);
        Ok(Self { foresee: Foresee::new(people, okta, clock) })
    }
}

impl Feature for RepairLetters {
    fn topic(&self) -> &'static FailedTopic {
        FailedTopic::of(topic::ENRICHMENT_FAILED)
    }
}

impl Repair for RepairLetters {
    fn foresee<'a>(
        &'a self,
        version: Option<&'a str>,
        value: &'a [u8],
        give_up: Instant,
    ) -> BoxFuture<'a, Result<Foresight, Unavailable>> {
        async move { self.foresee.foresee(version, Some(value), give_up).await.map_err(Unavailable::new) }
            .boxed()
    }

    fn correct(&self, body: &[u8], failed: Failed<'_>, now: Timestamp) -> Result<Correction, Refusal> {
        let Failed {
            correlation_id,
            event_id,
            employee_id,
            value,
            version,
            event_type,
            traceparent,
            published_at,
        } = failed;
        let event_type = event_type.and_then(EventType::sent);
        let kept = Kept { correlation_id, event_id, employee_id, value, version, event_type, published_at };
        let event = correct(body, kept, now)?;
        let headers = MessageHeaders {
            correlation_id: &event.correlation_id,
            event_id: &event.event_id,
            event_type: event.event_type,
            traceparent: &traceparent,
        };
        Ok(Correction {
            edition: event.edition,
            key: event.employee_id.as_str().to_owned(),
            value: event.encode(),
            headers: headers.pairs().map(|(name, value)| (name, value.to_vec())).into(),
            ids: EventIds {
                correlation_id: event.correlation_id,
                employee_id: event.employee_id,
                event_id: event.event_id,
            },
            warnings: event.warnings,
        })
    }
}

impl From<accept::Error> for Refusal {
    fn from(error: accept::Error) -> Self {
        match error {
            accept::Error::Malformed { line, column } => Self::Malformed { line, column },
            accept::Error::Invalid(faults) => Self::Invalid(faults),
        }
    }
}

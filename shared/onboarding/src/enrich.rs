//! The enrichment: one event off the topic, to a stored user or a dead letter.

use cache::Cache;
use contracts::{
    DecodeError, Email, EnrichmentRequestedV1, EventType, FailureHeaders, Origin, Reason, topic,
};
use jiff::Timestamp;
use kafka::{Outgoing, Producer};
use runtime::{Clock, batch::Retry, event::Record, telemetry};
use tokio::time::{Instant, timeout_at};

use crate::{
    find_users::cache_key,
    merge::{Directory, merge},
    order::{self, Decision},
    request::{Outcome, RequestEvent, RequestState},
    retry::{Exhausted, RetryPolicy},
    store::{self, Saved, Store},
};

/// Others write the same person only while a partition changes hands: three rounds are plenty.
const ROUNDS: usize = 3;

#[derive(Debug, Clone)]
pub struct Enrich {
    pub store: Store,
    pub cache: Cache,
    pub okta: okta::Client,
    pub producer: Producer,
    pub retry: RetryPolicy,
    pub clock: Clock,
}

/// Why an event was not applied, and what to do with it.
enum Stopped {
    /// Something that we need is away: Lambda delivers the record again.
    Retry(Failure),
    /// It will not succeed.
    DeadLetter(Failure),
}

/// Display goes into the dead letter and holds nothing personal.
#[derive(Debug, thiserror::Error)]
enum Failure {
    #[error("{0}")]
    Undecodable(DecodeError),
    #[error("the record has no value")]
    Empty,
    #[error("Okta knows nobody with this e-mail address")]
    UserNotFound,
    #[error("{}", .0.error)]
    Okta(Exhausted),
    #[error("Okta did not answer before the invocation's time was over")]
    OutOfTime,
    #[error(transparent)]
    Storage(#[from] store::Error),
    #[error("others kept writing the same user")]
    Contended,
}

impl Enrich {
    /// Applies the record, or makes it a dead letter. Okta is asked until `give_up`.
    ///
    /// # Errors
    /// When Lambda has to deliver the record again: the store or the brokers are away, or time ran out.
    pub async fn enrich(&self, record: Record, give_up: Instant) -> Result<(), Retry> {
        match self.apply(&record, give_up).await {
            Ok(outcome) => {
                tracing::info!(?outcome, "enriched");
                Ok(())
            }
            Err(Stopped::DeadLetter(failure)) => self.dead_letter(&record, &failure).await,
            Err(Stopped::Retry(failure)) => {
                tracing::warn!(error = telemetry::chain(&failure), "the record is reported back");
                Err(Retry)
            }
        }
    }

    async fn apply(&self, record: &Record, give_up: Instant) -> Result<Outcome, Stopped> {
        let value = record.value.as_deref().ok_or(Failure::Empty)?;
        let event = EnrichmentRequestedV1::decode(value).map_err(Failure::Undecodable)?;
        let (stored, ()) = tokio::try_join!(
            self.store.user(&event.employee.id),
            self.report(&event, RequestState::Accepted),
        )
        .map_err(Failure::Storage)?;
        // Decided before Okta is asked: a repeat costs nothing of its rate limit.
        let outcome = match order::decide(stored.as_ref().map(|stored| &stored.last), &event) {
            Decision::Apply => {
                let directory = self.look_up(&event, give_up).await?;
                self.save(&event, directory.as_ref(), stored).await?
            }
            Decision::Duplicate => Outcome::Duplicate,
            Decision::Superseded => Outcome::Superseded,
        };
        // Also for a duplicate: its first delivery may have ended between the write and this line.
        self.cache.invalidate(&cache_key(&event.employee.id)).await;
        self.report(&event, RequestState::Enriched { outcome }).await.map_err(Failure::Storage)?;
        Ok(outcome)
    }

    async fn look_up(
        &self,
        event: &EnrichmentRequestedV1,
        give_up: Instant,
    ) -> Result<Option<Directory>, Failure> {
        let asking = self.directory(&event.employee.email, give_up);
        let found = timeout_at(give_up, asking).await.map_err(|_| Failure::OutOfTime)?;
        match found.map_err(Failure::Okta)? {
            Some(directory) => Ok(Some(directory)),
            // Accounts are often deleted before HR closes the record.
            None if event.event_type == EventType::Terminated => Ok(None),
            None => Err(Failure::UserNotFound),
        }
    }

    async fn directory(&self, email: &Email, give_up: Instant) -> Result<Option<Directory>, Exhausted> {
        let (okta, retry) = (&self.okta, self.retry);
        let found = retry.run(give_up, || okta.find_user(email.as_str())).await?;
        let Some(user) = found else { return Ok(None) };
        let (groups, apps) = tokio::try_join!(
            retry.run(give_up, || okta.groups(&user.id)),
            retry.run(give_up, || okta.app_links(&user.id)),
        )?;
        Ok(Some(Directory { user, groups, apps }))
    }

    /// Compare and set: whoever else wrote the person meanwhile, `decide` has the last word.
    async fn save(
        &self,
        event: &EnrichmentRequestedV1,
        directory: Option<&Directory>,
        mut stored: Option<crate::StoredUser>,
    ) -> Result<Outcome, Failure> {
        for _ in 0..ROUNDS {
            match order::decide(stored.as_ref().map(|stored| &stored.last), event) {
                Decision::Apply => {}
                Decision::Duplicate => return Ok(Outcome::Duplicate),
                Decision::Superseded => return Ok(Outcome::Superseded),
            }
            let merged = merge(event, directory, stored.as_ref(), self.clock.now());
            if self.store.save(&merged, stored.as_ref()).await? == Saved::Yes {
                return Ok(Outcome::Applied);
            }
            stored = self.store.user(&event.employee.id).await?;
        }
        Err(Failure::Contended)
    }

    async fn report(&self, event: &EnrichmentRequestedV1, state: RequestState) -> Result<(), store::Error> {
        let entry = RequestEvent {
            event_id: event.event_id.clone(),
            employee_id: event.employee.id.clone(),
            updated_at: self.clock.now(),
            state,
        };
        self.store.record_request(&event.correlation_id, &entry).await
    }

    /// Key, value and headers stay as they are; what failed is added.
    async fn dead_letter(&self, record: &Record, failure: &Failure) -> Result<(), Retry> {
        let failure_headers = FailureHeaders {
            reason: failure.reason(),
            message: failure.to_string(),
            attempts: failure.attempts(),
            origin: Origin {
                topic: record.topic.clone(),
                partition: record.partition,
                offset: record.offset,
                timestamp: Timestamp::from_millisecond(record.timestamp).unwrap_or_default(),
            },
            failed_at: self.clock.now(),
        };
        let (reason, error) = (failure.reason().code(), telemetry::chain(failure));
        tracing::warn!(reason, error, "made a dead letter");
        let added = failure_headers.pairs();
        let headers = || {
            let original =
                record.headers.iter().map(|header| (header.name.as_str(), header.value.as_slice()));
            original.chain(added.iter().map(|(name, value)| (*name, value.as_bytes())))
        };
        let letter = Outgoing {
            topic: topic::ENRICHMENT_FAILED,
            key: record.key.as_deref(),
            value: record.value.as_deref(),
        };
        let mut published = self.producer.publish(letter, headers()).await;
        if let Err(kafka::Error::TooLarge(_)) = published {
            tracing::error!(
                "the failed topic takes no record of this size; its letter goes without the value"
            );
            published = self.producer.publish(Outgoing { value: None, ..letter }, headers()).await;
        }
        published.map_err(|error| {
            let error = telemetry::chain(&error);
            tracing::error!(error, "the dead letter could not be published; the record is reported back");
            Retry
        })
    }
}

/// The one place that decides between the two.
impl From<Failure> for Stopped {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::OutOfTime | Failure::Contended | Failure::Storage(store::Error::Unavailable(_)) => {
                Self::Retry(failure)
            }
            Failure::Okta(
                Exhausted { cut_short: true, .. } | Exhausted { error: okta::Error::NoToken(_), .. },
            ) => Self::Retry(failure),
            Failure::Undecodable(_)
            | Failure::Empty
            | Failure::UserNotFound
            | Failure::Okta(_)
            | Failure::Storage(store::Error::Unstorable(_)) => Self::DeadLetter(failure),
        }
    }
}

impl Failure {
    fn reason(&self) -> Reason {
        match self {
            Self::Undecodable(DecodeError::Syntax { .. }) | Self::Empty => Reason::Undecodable,
            Self::Undecodable(DecodeError::Content { .. }) => Reason::Invalid,
            Self::UserNotFound => Reason::UserNotFound,
            Self::OutOfTime => Reason::OktaUnavailable,
            Self::Storage(_) | Self::Contended => Reason::Unstorable,
            Self::Okta(exhausted) => match exhausted.error {
                okta::Error::NotFound => Reason::UserNotFound,
                okta::Error::Unauthorized { .. } => Reason::Unauthorized,
                okta::Error::RateLimited { .. } => Reason::RateLimited,
                okta::Error::Unreachable(_) | okta::Error::Failed { .. } | okta::Error::NoToken(_) => {
                    Reason::OktaUnavailable
                }
                okta::Error::Malformed(_) => Reason::OktaMalformed,
            },
        }
    }

    fn attempts(&self) -> u32 {
        match self {
            Self::Okta(exhausted) => exhausted.attempts,
            _ => 1,
        }
    }
}

#[cfg(test)]
pub(crate) mod tests;

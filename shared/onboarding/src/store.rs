//! Where people, their entries and requests live. One set of rules, three places; the contract tests run on each.

mod dynamodb;
mod memory;
mod redis;
mod trace;

use aws::Aws;
use contracts::{CorrelationId, Email, EmployeeId, EnrichmentRequestedV2, EventId, Facts, Text};
use facts::Outbox;
use runtime::{ConfigError, Vars, config::wrong};

use crate::{
    claim::{Claim, ClaimChange},
    entry::Entry,
    person::Person,
    request::RequestEvent,
    request_events::RequestEvents,
    timeline::Timeline,
};

use self::trace::Operation;
pub use self::{dynamodb::DynamoDb, memory::Memory, redis::Redis};

/// The futures of the SDK's operations are boxed: they are kilobytes long, which every future around them would be too.
#[derive(Debug, Clone)]
pub enum Store {
    DynamoDb(DynamoDb),
    Redis(Redis),
    /// For unit tests.
    Memory(Memory),
}

/// What is written together.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Write<'a> {
    pub(crate) new: &'a Person,
    /// The person stored still has to be this one.
    pub(crate) read: Option<&'a Person>,
    /// Of the event that made it so.
    pub(crate) entry: Option<&'a Entry>,
    /// Each of another account, and as it was read.
    pub(crate) claims: &'a [ClaimChange],
    pub(crate) facts: Option<&'a Facts>,
}

/// Whether a person was written, or they or a claim had been written by another since they were read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Saved {
    Yes,
    Conflict,
}

/// Which people to list. Case is ignored.
#[derive(Debug, Clone, Default)]
pub struct Filter {
    pub department: Option<Text>,
    pub email: Option<Email>,
}

/// Why a store did not do what it was asked to.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// After its client's own retries. Trying again later can help.
    #[error("the store is away")]
    Unavailable(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// Trying again gives the same: the store refuses the entry, or holds one that can't be read.
    #[error("the store can't hold this")]
    Unstorable(#[source] Box<dyn std::error::Error + Send + Sync>),
}

impl Store {
    /// Reads `STORAGE_BACKEND`: `dynamodb` (default) or `redis`, and that backend's variables.
    pub fn from_vars(vars: &Vars, aws: &Aws) -> Result<Self, ConfigError> {
        match vars.get("STORAGE_BACKEND").unwrap_or("dynamodb") {
            "dynamodb" => Ok(Self::DynamoDb(DynamoDb::from_vars(vars, aws)?)),
            "redis" => Ok(Self::Redis(Redis::from_vars(vars, aws)?)),
            _ => Err(wrong("STORAGE_BACKEND", "dynamodb or redis")),
        }
    }

    /// As of the last write that was acknowledged to anybody.
    pub async fn person(&self, id: &EmployeeId) -> Result<Option<Person>, Error> {
        let reading = async {
            match self {
                Self::DynamoDb(store) => Ok(Box::pin(store.person(id)).await?),
                Self::Redis(store) => store.person(id).await,
                Self::Memory(store) => Ok(store.person(id)),
            }
        };
        trace::operation(self, Operation::ReadPerson, reading).await
    }

    /// Writes `new`, and the entry of the event that made it, in one transaction, if the person stored still is `read`.
    pub async fn commit(
        &self,
        new: &Person,
        read: Option<&Person>,
        entry: Option<&Entry>,
    ) -> Result<Saved, Error> {
        self.write(Write { new, read, entry, claims: &[], facts: None }).await
    }

    /// All of it in one transaction, or nothing.
    pub(crate) async fn write(&self, write: Write<'_>) -> Result<Saved, Error> {
        let writing = async {
            match self {
                Self::DynamoDb(store) => Ok(Box::pin(store.write(write)).await?),
                Self::Redis(store) => store.write(write).await,
                Self::Memory(store) => Ok(store.write(write)),
            }
        };
        trace::operation(self, Operation::WritePerson, writing).await
    }

    /// Where the facts wait that it writes.
    pub fn outbox(&self) -> Outbox {
        match self {
            Self::DynamoDb(store) => Outbox::DynamoDb(store.outbox.clone()),
            Self::Redis(store) => Outbox::Redis(store.outbox.clone()),
            Self::Memory(store) => Outbox::Memory(store.outbox.clone()),
        }
    }

    /// That of an Okta account, if there is one.
    pub(crate) async fn claim(&self, account: &str) -> Result<Option<Claim>, Error> {
        let reading = async {
            match self {
                Self::DynamoDb(store) => Ok(Box::pin(store.claim(account)).await?),
                Self::Redis(store) => store.claim(account).await,
                Self::Memory(store) => Ok(store.claim(account)),
            }
        };
        trace::operation(self, Operation::ReadClaim, reading).await
    }

    pub(crate) async fn entry(&self, id: &EmployeeId, event_id: &EventId) -> Result<Option<Entry>, Error> {
        let reading = async {
            match self {
                Self::DynamoDb(store) => Ok(Box::pin(store.entry(id, event_id)).await?),
                Self::Redis(store) => store.entry(id, event_id).await,
                Self::Memory(store) => Ok(store.entry(id, event_id)),
            }
        };
        trace::operation(self, Operation::ReadEntry, reading).await
    }

    /// The event's person, and its entry if it was applied to them. In this order: whoever writes in between writes both,
    /// so that the person is not as they were read when they are committed.
    pub(crate) async fn person_and_entry(
        &self,
        event: &EnrichmentRequestedV2,
    ) -> Result<(Option<Person>, Option<Entry>), Error> {
        let Some(person) = self.person(&event.employee_id).await? else { return Ok((None, None)) };
        let entry = self.entry(&event.employee_id, &event.event_id).await?;
        Ok((Some(person), entry))
    }

    /// All of a person's, of which a person is made anew.
    pub(crate) async fn entries(&self, id: &EmployeeId) -> Result<Vec<Entry>, Error> {
        match self {
            Self::DynamoDb(store) => Ok(Box::pin(store.entries(id)).await?),
            Self::Redis(store) => store.entries(id).await,
            Self::Memory(store) => Ok(store.entries(id)),
        }
    }

    /// Writes over the entry of the same event.
    pub(crate) async fn replace_entry(&self, entry: &Entry) -> Result<(), Error> {
        match self {
            Self::DynamoDb(store) => Ok(Box::pin(store.replace_entry(entry)).await?),
            Self::Redis(store) => store.replace_entry(entry).await,
            Self::Memory(store) => {
                store.replace_entry(entry);
                Ok(())
            }
        }
    }

    /// Up to `limit` of the entries that are shown, the newest first, from before the one with this sequence on.
    pub(crate) async fn history(
        &self,
        id: &EmployeeId,
        before: Option<u64>,
        limit: usize,
    ) -> Result<Vec<Entry>, Error> {
        let reading = async {
            match self {
                Self::DynamoDb(store) => Ok(Box::pin(store.history(id, before, limit)).await?),
                Self::Redis(store) => store.history(id, before, limit).await,
                Self::Memory(store) => Ok(store.history(id, before, limit)),
            }
        };
        trace::operation(self, Operation::ReadHistory, reading).await
    }

    /// Up to `limit` people after `after` whom a reader sees, in an order that is the same for every page; fewer only at
    /// the end.
    pub async fn list(
        &self,
        filter: &Filter,
        after: Option<&EmployeeId>,
        limit: usize,
    ) -> Result<Vec<Person>, Error> {
        let reading = async {
            match self {
                Self::DynamoDb(store) => Ok(Box::pin(store.list(filter, after, limit)).await?),
                Self::Redis(store) => store.list(filter, after, limit).await,
                Self::Memory(store) => Ok(store.list(filter, after, limit)),
            }
        };
        trace::operation(self, Operation::ListPeople, reading).await
    }

    /// Up to `limit` people after `after` of whom something is left, or who can't be read, as of the last write that was
    /// acknowledged to anybody, in an order that is the same for every page; fewer only at the end.
    pub(crate) async fn everybody(
        &self,
        after: Option<&EmployeeId>,
        limit: usize,
    ) -> Result<Vec<EmployeeId>, Error> {
        match self {
            Self::DynamoDb(store) => Ok(Box::pin(store.everybody(after, limit)).await?),
            Self::Redis(store) => store.everybody(after, limit).await,
            Self::Memory(store) => {
                let people = store.list(&Filter::default(), after, limit);
                Ok(people.into_iter().map(|person| person.id).collect())
            }
        }
    }

    /// Some of those who have this address and have not left.
    pub(crate) async fn employed_with(&self, email: &Email) -> Result<Vec<Person>, Error> {
        let key = email.key();
        let mut people = match self {
            Self::DynamoDb(store) => Box::pin(store.with_email(&key, NAMESAKES)).await?,
            Self::Redis(store) => store.with_email(&key, NAMESAKES).await?,
            Self::Memory(store) => store.with_email(&key),
        };
        people.retain(|person| !person.has_left());
        Ok(people)
    }

    /// Notes that an event is `accepted`, unless something is noted of it already. Returns when it was where by then.
    pub(crate) async fn accept_request(
        &self,
        id: &CorrelationId,
        event: &RequestEvent,
    ) -> Result<Option<Timeline>, Error> {
        let writing = async {
            match self {
                Self::DynamoDb(store) => Ok(Box::pin(store.accept_request(id, event)).await?),
                Self::Redis(store) => store.accept_request(id, event).await,
                Self::Memory(store) => Ok(store.accept_request(id, event)),
            }
        };
        trace::operation(self, Operation::AcceptRequest, writing).await
    }

    /// Notes how an event ended, and what is to be told of it. States only move forward: an older one changes nothing.
    /// Returns whether it was noted.
    pub(crate) async fn end_request(
        &self,
        id: &CorrelationId,
        event: &RequestEvent,
        facts: Option<&Facts>,
    ) -> Result<bool, Error> {
        let writing = async {
            match self {
                Self::DynamoDb(store) => Ok(Box::pin(store.end_request(id, event, facts)).await?),
                Self::Redis(store) => store.end_request(id, event, facts).await,
                Self::Memory(store) => Ok(store.end_request(id, event, facts)),
            }
        };
        trace::operation(self, Operation::EndRequest, writing).await
    }

    /// The events of a request that were taken off the topic so far.
    pub async fn request(&self, id: &CorrelationId) -> Result<RequestEvents, Error> {
        let reading = async {
            match self {
                Self::DynamoDb(store) => Ok(Box::pin(store.request(id)).await?),
                Self::Redis(store) => store.request(id).await,
                Self::Memory(store) => Ok(store.request(id)),
            }
        };
        trace::operation(self, Operation::ReadRequest, reading).await
    }

    /// One event of a request, however many it has.
    pub(crate) async fn request_event(
        &self,
        id: &CorrelationId,
        key: &str,
    ) -> Result<Option<RequestEvent>, Error> {
        match self {
            Self::DynamoDb(store) => Ok(Box::pin(store.request_event(id, key)).await?),
            Self::Redis(store) => store.request_event(id, key).await,
            Self::Memory(store) => Ok(store.request_event(id, key)),
        }
    }

    pub async fn ping(&self) -> Result<(), Error> {
        match self {
            Self::DynamoDb(store) => Ok(Box::pin(store.ping()).await?),
            Self::Redis(store) => store.ping().await,
            Self::Memory(_) => Ok(()),
        }
    }
}

impl From<dynamo::Error> for Error {
    fn from(error: dynamo::Error) -> Self {
        match error {
            dynamo::Error::Unavailable(_) => Self::Unavailable(error.into()),
            dynamo::Error::Refused(_) | dynamo::Error::Layout => Self::Unstorable(error.into()),
        }
    }
}

impl From<valkey::Error> for Error {
    fn from(error: valkey::Error) -> Self {
        Self::Unavailable(error.into())
    }
}

impl From<serde_json::Error> for Error {
    /// The error itself would quote the entry.
    fn from(error: serde_json::Error) -> Self {
        Self::Unstorable(format!("an entry has an unknown layout at column {}", error.column()).into())
    }
}

/// More people than this with one address are a mistake of HR's.
const NAMESAKES: usize = 10;

impl Filter {
    fn department_key(&self) -> Option<String> {
        self.department.as_ref().map(Text::key)
    }

    fn email_key(&self) -> Option<String> {
        self.email.as_ref().map(Email::key)
    }

    /// Equal for filters that list the same users. A cursor is bound to it.
    pub(crate) fn canonical(&self) -> String {
        serde_json::json!(["users", self.department_key(), self.email_key()]).to_string()
    }
}

#[cfg(test)]
pub(crate) mod tests;

//! Facts that are written, and not yet known to be on the topic.

mod dynamodb;
mod memory;
mod redis;

use aws::Aws;
use contracts::{Facts, Subject};
use runtime::{ConfigError, Vars};

pub use self::{dynamodb::DynamoDb, memory::Memory, redis::Redis};
use crate::Error;

/// Where a store has it: beside what the facts tell, so that one transaction writes both.
#[derive(Debug, Clone)]
pub enum Outbox {
    DynamoDb(DynamoDb),
    Redis(Redis),
    /// For unit tests.
    Memory(Memory),
}

/// One write's place in it.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Key {
    pub subject: Subject,
    pub position: String,
}

/// Some of those whose facts wait, and where the others are; `None` at the end.
pub(crate) struct Page {
    pub(crate) facts: Vec<Facts>,
    pub(crate) next: Option<Next>,
}

/// Where a page ended.
pub(crate) enum Next {
    DynamoDb(dynamodb::Start),
    Redis(redis::Start),
}

impl Outbox {
    /// Every one that the functions write to: the table, and the people's where they are stored in Redis.
    pub fn all_from_vars(vars: &Vars, aws: &Aws) -> Result<Vec<Self>, ConfigError> {
        let mut all = vec![Self::DynamoDb(DynamoDb::from_vars(vars, dynamo::client(vars, aws)?)?)];
        if vars.get("STORAGE_BACKEND") == Some("redis") {
            all.push(Self::Redis(Redis::from_vars(vars, aws)?));
        }
        Ok(all)
    }

    /// A subject's, the oldest first.
    pub(crate) async fn backlog(&self, subject: &Subject) -> Result<Vec<Facts>, Error> {
        match self {
            Self::DynamoDb(outbox) => Ok(Box::pin(outbox.backlog(subject)).await?),
            Self::Redis(outbox) => outbox.backlog(subject).await,
            Self::Memory(outbox) => Ok(outbox.backlog(subject)),
        }
    }

    /// They are on the topic.
    pub(crate) async fn clear(&self, keys: &[Key]) -> Result<(), Error> {
        match self {
            Self::DynamoDb(outbox) => Ok(Box::pin(outbox.clear(keys)).await?),
            Self::Redis(outbox) => outbox.clear(keys).await,
            Self::Memory(outbox) => {
                outbox.clear(keys);
                Ok(())
            }
        }
    }

    /// Of all subjects, in no order.
    pub(crate) async fn waiting(&self, start: Option<Next>) -> Result<Page, Error> {
        match (self, start) {
            (Self::DynamoDb(outbox), Some(Next::DynamoDb(start))) => {
                Ok(Box::pin(outbox.waiting(Some(start))).await?)
            }
            (Self::DynamoDb(outbox), _) => Ok(Box::pin(outbox.waiting(None)).await?),
            (Self::Redis(outbox), Some(Next::Redis(start))) => outbox.waiting(start).await,
            (Self::Redis(outbox), _) => outbox.waiting(redis::Start::default()).await,
            (Self::Memory(outbox), _) => Ok(Page { facts: outbox.all(), next: None }),
        }
    }
}

impl Key {
    pub fn of(facts: &Facts) -> Self {
        Self { subject: facts.subject.clone(), position: facts.position.clone() }
    }
}

#[cfg(test)]
mod tests;

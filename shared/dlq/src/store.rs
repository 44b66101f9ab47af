//! The table of dead letters: `DEAD_LETTERS_TABLE`, key `id`. Beside each letter stands its payload, so that lists don't
//! read what they don't show; and there are groups, jobs and the audit, told apart by `kind`. A letter expires only
//! when it is over: until then it is somebody's only trace.

mod audit;
mod groups;
mod query;

use std::{borrow::Cow, collections::HashMap};

use aws::Aws;
use aws_sdk_dynamodb::{operation::update_item::builders::UpdateItemFluentBuilder, types::AttributeValue};
use contracts::Facts;
use dynamo::{Client, Committed, Error, Put, Transaction, Written, rows::sortable};
use facts::{Backlog, Outbox, Publisher};
use jiff::Timestamp;
use kafka::Producer;
use runtime::{ConfigError, Vars};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use tokio::time::Instant;

use crate::{
    job::Task,
    letter::{DeadLetter, LetterId},
    life::KEPT_WHEN_OVER,
    payload::Payload,
};

pub(crate) use self::query::{Listed, Position};

const KIND: &str = "letter";

/// `queue` is the same for all letters that go on by themselves.
const DUE: &str = "due";

#[derive(Debug, Clone)]
pub struct Store {
    client: Client,
    table: String,
    outbox: facts::DynamoDb,
    facts: Publisher,
}

/// Whether something was written, or had been written by another since it was read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Saved {
    Yes,
    Conflict,
}

#[derive(Serialize, Deserialize)]
struct LetterItem<'a> {
    kind: Cow<'a, str>,
    /// Sorts by time, and by id at one time.
    at: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    queue: Option<Cow<'a, str>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    due: Option<String>,
    /// Epoch seconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    expires_at: Option<i64>,
    #[serde(flatten)]
    letter: Cow<'a, DeadLetter>,
}

#[derive(Serialize, Deserialize)]
struct PayloadItem<'a> {
    id: String,
    /// That of the event, where a person has edited it.
    #[serde(default)]
    edition: u64,
    payload: Cow<'a, Payload>,
}

/// Which of a letter's payloads.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Part {
    /// What a redrive sends.
    Current,
    /// What had failed, kept when a person edits it.
    Original,
}

impl Store {
    /// What it writes it tells with the producer.
    pub fn from_vars(vars: &Vars, aws: &Aws, producer: Producer) -> Result<Self, ConfigError> {
        let client = dynamo::client(vars, aws)?;
        let outbox = facts::DynamoDb::from_vars(vars, client.clone())?;
        let facts = Publisher::new(Outbox::DynamoDb(outbox.clone()), producer);
        let table = vars.require("DEAD_LETTERS_TABLE", "a table's name")?.to_owned();
        Ok(Self { client, table, outbox, facts })
    }

    /// At the end of an invocation.
    pub async fn end_invocation(&self, until: Instant) {
        self.facts.end_invocation(until).await;
    }

    pub(crate) fn jobs(&self) -> jobs::Store<Task> {
        jobs::Store::new(self.client.clone(), self.table.as_str())
    }

    pub(crate) async fn ping(&self) -> Result<(), Error> {
        dynamo::ping(&self.client, &self.table, "id", None).await
    }

    /// Whether the letter is new. One that is there stays as it is: its life may have gone on.
    pub(crate) async fn insert(&self, letter: &DeadLetter, payload: &Payload) -> Result<bool, Error> {
        // First, since the letter is what makes it be found. A repeat writes the same unless a person has edited it.
        let unless_there = self.put_if("attribute_not_exists(id)", vec![]);
        let payload = PayloadItem::of(&letter.id, Part::Current, 0, payload);
        dynamo::put(&self.client, &payload, unless_there.clone()).await?;
        let facts = letter.told_as_new();
        match self.write(letter, unless_there, facts, Backlog::None).await? {
            Committed::Yes => Ok(true),
            Committed::ConditionFailed => Ok(false),
            // Another delivery of the same record is at it, and may fail.
            Committed::Contended => Err(Error::Unavailable("another writes the letter".into())),
        }
    }

    /// Writes the letter if it is stored as it was read.
    pub(crate) async fn save(&self, letter: &mut DeadLetter) -> Result<Saved, Error> {
        let unchanged = self.as_read(letter);
        letter.version += 1;
        let facts = letter.tell();
        Ok(self.write(letter, unchanged, facts, Backlog::Possible).await?.into())
    }

    /// The letter with what is to be told of it, which is published then.
    async fn write(
        &self,
        letter: &DeadLetter,
        put: Put<'_>,
        facts: Option<Facts>,
        backlog: Backlog,
    ) -> Result<Committed, Error> {
        let item = LetterItem::of(letter);
        let Some(facts) = facts else {
            return Ok(match dynamo::put(&self.client, &item, put).await? {
                Written::Yes => Committed::Yes,
                Written::ConditionFailed => Committed::ConditionFailed,
            });
        };
        let mut transaction = Transaction::default();
        transaction.put(&item, put)?;
        self.outbox.add(&mut transaction, &facts)?;
        let committed = transaction.commit(&self.client).await?;
        if committed == Committed::Yes {
            self.facts.publish(facts, backlog);
        }
        Ok(committed)
    }

    /// Writes the letter, what a person has put in, and, where it isn't kept yet, what had failed: all of it if the letter is
    /// stored as it was read, and nothing else.
    pub(crate) async fn save_edited(
        &self,
        letter: &mut DeadLetter,
        edited: &Payload,
        edition: u64,
        original: Option<&Payload>,
    ) -> Result<Saved, Error> {
        let unchanged = self.as_read(letter);
        letter.version += 1;
        let mut transaction = Transaction::default();
        transaction.put(&LetterItem::of(letter), unchanged)?;
        let edited = PayloadItem::of(&letter.id, Part::Current, edition, edited);
        transaction.put(&edited, self.put_if("attribute_exists(id)", vec![]))?;
        if let Some(original) = original {
            let original = PayloadItem::of(&letter.id, Part::Original, 0, original);
            transaction.put(&original, self.put_if("attribute_not_exists(id)", vec![]))?;
        }
        Ok(transaction.commit(&self.client).await?.into())
    }

    pub(crate) async fn get(&self, id: &LetterId) -> Result<Option<DeadLetter>, Error> {
        let item: Option<LetterItem> = self.item(id.as_str()).await?;
        Ok(item.map(|item| item.letter.into_owned()))
    }

    pub(crate) async fn payload(&self, id: &LetterId, part: Part) -> Result<Option<Payload>, Error> {
        Ok(self.payload_item(id, part).await?.map(|item| item.payload.into_owned()))
    }

    /// What a redrive sends, and its edition.
    pub(crate) async fn current(&self, id: &LetterId) -> Result<Option<(Payload, u64)>, Error> {
        let item = self.payload_item(id, Part::Current).await?;
        Ok(item.map(|item| (item.payload.into_owned(), item.edition)))
    }

    async fn payload_item(&self, id: &LetterId, part: Part) -> Result<Option<PayloadItem<'static>>, Error> {
        self.item(&part.key(id)).await
    }

    /// Personal data goes when its letter is over, and stays when a person takes it up again.
    pub(crate) async fn expire_payload(&self, letter: &DeadLetter, now: Timestamp) -> Result<(), Error> {
        for part in [Part::Current, Part::Original] {
            let update = self.update(&part.key(&letter.id)).condition_expression("attribute_exists(id)");
            let update = if letter.life.state.is_over() {
                let at = AttributeValue::N(expires_at(now).to_string());
                update.update_expression("SET expires_at = :at").expression_attribute_values(":at", at)
            } else {
                update.update_expression("REMOVE expires_at")
            };
            dynamo::unless_condition_failed(update.send().await)?;
        }
        Ok(())
    }

    /// Both parts, if they are there.
    pub(crate) async fn delete_payload(&self, id: &LetterId) -> Result<(), Error> {
        for part in [Part::Current, Part::Original] {
            let delete = self.client.delete_item().table_name(&self.table);
            delete.key("id", string(&part.key(id))).send().await?;
        }
        Ok(())
    }

    fn update(&self, id: &str) -> UpdateItemFluentBuilder {
        self.client.update_item().table_name(&self.table).key("id", string(id))
    }

    async fn item<T: DeserializeOwned>(&self, id: &str) -> Result<Option<T>, Error> {
        let request = self.client.get_item().table_name(&self.table).key("id", string(id));
        let item = request.consistent_read(true).send().await?.item;
        item.map(dynamo::from_item).transpose()
    }

    /// If the letter is stored as it was read.
    fn as_read(&self, letter: &DeadLetter) -> Put<'_> {
        let read = (":read", AttributeValue::N(letter.version.to_string()));
        Put { names: &[("#version", "version")], ..self.put_if("#version = :read", vec![read]) }
    }

    fn put_if<'a>(&'a self, condition: &'a str, values: Vec<(&'a str, AttributeValue)>) -> Put<'a> {
        Put { table: &self.table, condition, names: &[], values }
    }
}

impl<'a> LetterItem<'a> {
    fn of(letter: &'a DeadLetter) -> Self {
        let due_at = letter.life.due_at;
        // It is over since its newest entry.
        let over = letter.history.last().filter(|_| letter.life.state.is_over());
        Self {
            kind: Cow::Borrowed(KIND),
            at: Position::of(letter).to_string(),
            queue: due_at.map(|_| Cow::Borrowed(DUE)),
            due: due_at.map(sortable),
            expires_at: over.map(|entry| expires_at(entry.at)),
            letter: Cow::Borrowed(letter),
        }
    }
}

impl<'a> PayloadItem<'a> {
    fn of(id: &LetterId, part: Part, edition: u64, payload: &'a Payload) -> Self {
        Self { id: part.key(id), edition, payload: Cow::Borrowed(payload) }
    }
}

impl From<Committed> for Saved {
    fn from(committed: Committed) -> Self {
        match committed {
            Committed::Yes => Self::Yes,
            Committed::ConditionFailed | Committed::Contended => Self::Conflict,
        }
    }
}

impl Part {
    fn key(self, id: &LetterId) -> String {
        match self {
            Self::Current => format!("payload#{}", id.as_str()),
            Self::Original => format!("original#{}", id.as_str()),
        }
    }
}

fn expires_at(now: Timestamp) -> i64 {
    (now + KEPT_WHEN_OVER).as_second()
}

fn string(value: &str) -> AttributeValue {
    AttributeValue::S(value.to_owned())
}

type Key = HashMap<String, AttributeValue>;

#[cfg(test)]
pub(crate) mod tests;

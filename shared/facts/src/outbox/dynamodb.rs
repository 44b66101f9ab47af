use std::{borrow::Cow, collections::HashMap};

use aws_sdk_dynamodb::types::{AttributeValue, DeleteRequest, WriteRequest};
use contracts::{Facts, Subject};
use dynamo::{Client, Error, Transaction};
use futures_util::{StreamExt, TryStreamExt, stream};
use runtime::{ConfigError, Vars};
use serde::{Deserialize, Serialize};

use super::{Key, Next, Page};

pub(crate) type Start = HashMap<String, AttributeValue>;

/// DynamoDB takes so many deletes in a request.
const MAX_DELETES: usize = 25;

/// Such requests at once.
const CONCURRENCY: usize = 8;

#[derive(Debug, Clone)]
pub struct DynamoDb {
    client: Client,
    /// `OUTBOX_TABLE`: key `subject` and `position`.
    table: String,
}

#[derive(Serialize, Deserialize)]
struct Item<'a> {
    subject: String,
    position: Cow<'a, str>,
    facts: Cow<'a, Facts>,
}

impl DynamoDb {
    /// By the client of the store whose transactions it is written in.
    pub fn from_vars(vars: &Vars, client: Client) -> Result<Self, ConfigError> {
        Ok(Self { client, table: vars.require("OUTBOX_TABLE", "a table's name")?.to_owned() })
    }

    /// Writes them with all else that is in the transaction.
    pub fn add(&self, transaction: &mut Transaction, facts: &Facts) -> Result<(), Error> {
        let item = Item {
            subject: hash_key(&facts.subject),
            position: Cow::Borrowed(&facts.position),
            facts: Cow::Borrowed(facts),
        };
        transaction.replace(&self.table, &item)
    }

    pub(super) async fn backlog(&self, subject: &Subject) -> Result<Vec<Facts>, Error> {
        let (mut backlog, mut start) = (Vec::new(), None);
        loop {
            let page = self
                .client
                .query()
                .table_name(&self.table)
                .consistent_read(true)
                .key_condition_expression("subject = :subject")
                .expression_attribute_values(":subject", AttributeValue::S(hash_key(subject)))
                .set_exclusive_start_key(start)
                .send()
                .await?;
            backlog.extend(facts(page.items)?);
            start = page.last_evaluated_key;
            if start.is_none() {
                return Ok(backlog);
            }
        }
    }

    pub(super) async fn clear(&self, keys: &[Key]) -> Result<(), Error> {
        let some = keys.chunks(MAX_DELETES).map(|keys| self.clear_some(keys));
        stream::iter(some).map(Ok).try_for_each_concurrent(CONCURRENCY, |clearing| clearing).await
    }

    async fn clear_some(&self, keys: &[Key]) -> Result<(), Error> {
        let mut left = keys.iter().map(delete).collect::<Result<Vec<_>, Error>>()?;
        // What is left out for a throttle is asked for again at once: the SDK has waited before.
        while !left.is_empty() {
            let request = self.client.batch_write_item().request_items(&self.table, left);
            let unprocessed = request.send().await?.unprocessed_items;
            left = unprocessed.and_then(|mut tables| tables.remove(&self.table)).unwrap_or_default();
        }
        Ok(())
    }

    pub(super) async fn waiting(&self, start: Option<Start>) -> Result<Page, Error> {
        let scan = self.client.scan().table_name(&self.table).consistent_read(true);
        let page = scan.set_exclusive_start_key(start).send().await?;
        Ok(Page { facts: legible(page.items), next: page.last_evaluated_key.map(Next::DynamoDb) })
    }
}

/// Ids of two kinds may be equal.
fn hash_key(subject: &Subject) -> String {
    format!("{}#{}", subject.kind.as_str(), subject.id)
}

fn delete(key: &Key) -> Result<WriteRequest, Error> {
    let delete = DeleteRequest::builder()
        .key("subject", AttributeValue::S(hash_key(&key.subject)))
        .key("position", AttributeValue::S(key.position.clone()));
    Ok(WriteRequest::builder().delete_request(delete.build()?).build())
}

/// What can't be read stays, and holds up nobody but its subject.
fn legible(items: Option<Vec<HashMap<String, AttributeValue>>>) -> Vec<Facts> {
    let items = items.into_iter().flatten().map(|item| facts(Some(vec![item])));
    let (mut legible, mut illegible) = (Vec::new(), 0);
    for item in items {
        match item {
            Ok(facts) => legible.extend(facts),
            Err(_) => illegible += 1,
        }
    }
    if illegible > 0 {
        tracing::error!(illegible, "facts stay in the outbox");
    }
    legible
}

fn facts(items: Option<Vec<HashMap<String, AttributeValue>>>) -> Result<Vec<Facts>, Error> {
    let items: Vec<Item> = dynamo::from_items(items)?;
    Ok(items.into_iter().map(|item| item.facts.into_owned()).collect())
}

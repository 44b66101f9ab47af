use std::{borrow::Cow, collections::HashMap, fmt};

use aws::Aws;
use aws_sdk_dynamodb::types::AttributeValue;
use dynamo::{Client, Error, Put, Written};
use jiff::Timestamp;
use runtime::{ConfigError, Vars};
use serde::{Deserialize, Serialize};

use crate::letter::{DeadLetter, LetterId};

/// The index of letters by time; `kind` is the same for all.
const BY_TIME: &str = "by-time";
const KIND: &str = "letter";

/// The table of dead letters: `DEAD_LETTERS_TABLE`, key `id`. Nothing expires: a letter is somebody's only trace until it
/// has been dealt with.
#[derive(Debug, Clone)]
pub struct Store {
    client: Client,
    table: String,
}

#[derive(Serialize, Deserialize)]
struct Item<'a> {
    kind: String,
    /// Sorts by time, and by id at one time.
    at: String,
    #[serde(flatten)]
    letter: Cow<'a, DeadLetter>,
}

/// Where a letter stands in the list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Position {
    millis: i64,
    id: LetterId,
}

impl Store {
    pub fn from_vars(vars: &Vars, aws: &Aws) -> Result<Self, ConfigError> {
        let client = dynamo::client(vars, aws)?;
        Ok(Self { client, table: vars.require("DEAD_LETTERS_TABLE", "a table's name")?.to_owned() })
    }

    /// Whether the letter is new. One that is there stays as it is: a person may have begun to work on it.
    pub(crate) async fn insert(&self, letter: &DeadLetter) -> Result<bool, Error> {
        let item = Item {
            kind: KIND.to_owned(),
            at: Position::of(letter).to_string(),
            letter: Cow::Borrowed(letter),
        };
        let unless_there =
            Put { table: &self.table, condition: "attribute_not_exists(id)", names: &[], values: vec![] };
        Ok(dynamo::put(&self.client, &item, unless_there).await? == Written::Yes)
    }

    pub(crate) async fn get(&self, id: &LetterId) -> Result<Option<DeadLetter>, Error> {
        let request = self.client.get_item().table_name(&self.table).key("id", string(id.as_str()));
        let Some(item) = request.consistent_read(true).send().await?.item else { return Ok(None) };
        let item: Item = dynamo::from_item(item)?;
        Ok(Some(item.letter.into_owned()))
    }

    pub(crate) async fn list(&self, after: Option<Position>, limit: usize) -> Result<Vec<DeadLetter>, Error> {
        let mut letters = Vec::new();
        let mut start = after.map(|position| position.key());
        // A page also ends at 1 MB.
        while letters.len() < limit {
            let wanted = i32::try_from(limit - letters.len()).unwrap_or(i32::MAX);
            let query = self.client.query().table_name(&self.table).index_name(BY_TIME);
            let page = query
                .key_condition_expression("kind = :kind")
                .expression_attribute_values(":kind", string(KIND))
                .scan_index_forward(false)
                .set_exclusive_start_key(start)
                .limit(wanted)
                .send()
                .await?;
            let items: Vec<Item> = dynamo::from_items(page.items)?;
            letters.extend(items.into_iter().map(|item| item.letter.into_owned()));
            start = page.last_evaluated_key;
            if start.is_none() {
                break;
            }
        }
        Ok(letters)
    }
}

impl Position {
    pub(crate) fn of(letter: &DeadLetter) -> Self {
        Self { millis: letter.parked_at.as_millisecond(), id: letter.id.clone() }
    }

    pub(crate) fn parse(text: &str) -> Option<Self> {
        let (millis, id) = text.split_once('#')?;
        let millis = millis.parse().ok()?;
        Timestamp::from_millisecond(millis).ok()?;
        Some(Self { millis, id: LetterId::parse(id)? })
    }

    fn key(&self) -> HashMap<String, AttributeValue> {
        let pairs =
            [("kind", KIND.to_owned()), ("at", self.to_string()), ("id", self.id.as_str().to_owned())];
        pairs.into_iter().map(|(name, value)| (name.to_owned(), AttributeValue::S(value))).collect()
    }
}

impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:015}#{}", self.millis, self.id.as_str())
    }
}

fn string(value: &str) -> AttributeValue {
    AttributeValue::S(value.to_owned())
}

#[cfg(test)]
mod tests;

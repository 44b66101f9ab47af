//! Letters by what they have in common: the most selective index, and a filter for the rest.

use std::fmt;

use aws_sdk_dynamodb::{operation::query::builders::QueryFluentBuilder, types::AttributeValue};
use contracts::{EmployeeId, Reason};
use dynamo::{
    Error,
    rows::{readable, sortable},
};
use jiff::Timestamp;

use super::{DUE, KIND, Key, LetterItem, Store, string};
use crate::{
    filter::Filter,
    fingerprint::Fingerprint,
    letter::{DeadLetter, LetterId},
    life::LetterState,
};

/// The index of the letters that go on by themselves, by when. Jobs that run are in it, too.
const BY_DUE: &str = "by-due";

/// What one list reads of DynamoDB at the most: some ten thousand letters. A filter that no index serves would
/// read all that there are.
const MAX_READS: usize = 10;

/// Where a letter stands in a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Position {
    millis: i64,
    id: LetterId,
}

/// An index whose range is `at`, and its key's attribute and value.
pub(super) struct Index<'a> {
    name: &'static str,
    hash: &'static str,
    value: &'a str,
}

/// Some of the letters that fit.
#[derive(Debug)]
pub(crate) struct Listed {
    pub(crate) letters: Vec<DeadLetter>,
    /// Where to go on; `None` at the end.
    pub(crate) next: Option<Position>,
}

/// Some letters, and where to go on.
pub(crate) struct Due {
    pub(crate) letters: Vec<DeadLetter>,
    /// Items that are no letters, or of a newer layout.
    pub(crate) unreadable: u64,
    pub(crate) next: Option<Key>,
}

impl Store {
    /// Up to `limit` letters, the newest first; fewer, or none, where there are no more in what is read at once.
    pub(crate) async fn list(
        &self,
        filter: &Filter,
        after: Option<&Position>,
        limit: usize,
    ) -> Result<Listed, Error> {
        let index = filter.index();
        let mut letters = Vec::new();
        let mut start = after.map(|position| position.key(&index));
        for _ in 0..MAX_READS {
            // DynamoDB counts before it filters: with a filter a page is what it reads at once, 1 MB. One more than asked
            // for tells whether there is a next page.
            let wanted = i32::try_from(limit + 1 - letters.len()).unwrap_or(i32::MAX);
            let wanted = (!filter.is_more_than(&index)).then_some(wanted);
            let query = self.query(filter, &index).set_limit(wanted);
            let page = query.set_exclusive_start_key(start).send().await?;
            letters.extend(page.items.into_iter().flatten().filter_map(letter));
            start = page.last_evaluated_key;
            if letters.len() > limit {
                letters.truncate(limit);
                let next = letters.last().map(Position::of);
                return Ok(Listed { letters, next });
            }
            if start.is_none() {
                return Ok(Listed { letters, next: None });
            }
        }
        let next = start.map(|key| Position::of_key(&key).ok_or(Error::Layout)).transpose()?;
        Ok(Listed { letters, next })
    }

    /// Letters whose time has come, those that have waited longest first.
    pub(crate) async fn due(&self, now: Timestamp, start: Option<Key>, limit: i32) -> Result<Due, Error> {
        let query = self.client.query().table_name(&self.table).index_name(BY_DUE).limit(limit);
        let page = query
            .key_condition_expression("queue = :queue AND due <= :now")
            .expression_attribute_values(":queue", string(DUE))
            .expression_attribute_values(":now", AttributeValue::S(sortable(now)))
            .set_exclusive_start_key(start)
            .send()
            .await?;
        let items = page.items.unwrap_or_default();
        let found = items.len();
        let letters: Vec<_> = items.into_iter().filter_map(letter).collect();
        let unreadable = u64::try_from(found - letters.len()).unwrap_or(u64::MAX);
        Ok(Due { letters, unreadable, next: page.last_evaluated_key })
    }

    /// The newest first.
    pub(super) fn query(&self, filter: &Filter, index: &Index<'_>) -> QueryFluentBuilder {
        let mut query = self
            .client
            .query()
            .table_name(&self.table)
            .index_name(index.name)
            .scan_index_forward(false)
            .key_condition_expression("#hash = :hash AND #at BETWEEN :from AND :to")
            .expression_attribute_names("#hash", index.hash)
            .expression_attribute_names("#at", "at")
            .expression_attribute_values(":hash", string(index.value))
            .expression_attribute_values(":from", AttributeValue::S(from(filter)))
            .expression_attribute_values(":to", AttributeValue::S(to(filter)));
        let mut conditions = Vec::new();
        for (attribute, value) in filter.attributes() {
            // A filter must not name the index's own key.
            if let Some(value) = value.filter(|_| attribute != index.hash) {
                conditions.push(format!("#{attribute} = :{attribute}"));
                query = query
                    .expression_attribute_names(format!("#{attribute}"), attribute)
                    .expression_attribute_values(format!(":{attribute}"), string(value));
            }
        }
        if conditions.is_empty() { query } else { query.filter_expression(conditions.join(" AND ")) }
    }
}

fn letter(item: Key) -> Option<DeadLetter> {
    readable::<LetterItem>(item).map(|item| item.letter.into_owned())
}

impl Filter {
    fn attributes(&self) -> [(&'static str, Option<&str>); 4] {
        [
            ("fingerprint", self.group.as_ref().map(Fingerprint::as_str)),
            ("employee_id", self.employee_id.as_ref().map(EmployeeId::as_str)),
            ("state", self.state.map(LetterState::name)),
            ("reason", self.reason.map(Reason::code)),
        ]
    }

    /// Whether the index alone doesn't find what fits.
    fn is_more_than(&self, index: &Index<'_>) -> bool {
        self.attributes().into_iter().any(|(attribute, value)| value.is_some() && attribute != index.hash)
    }

    /// The attributes are in the order of how few letters share their values.
    pub(super) fn index(&self) -> Index<'_> {
        const INDEXES: [(&str, &str); 3] =
            [("by-group", "fingerprint"), ("by-employee", "employee_id"), ("by-state", "state")];
        let attributes = self.attributes();
        let fitting = INDEXES
            .iter()
            .zip(attributes)
            .find_map(|((name, hash), (_, value))| Some(Index { name, hash, value: value? }));
        fitting.unwrap_or(Index { name: "by-time", hash: "kind", value: KIND })
    }
}

fn from(filter: &Filter) -> String {
    filter.parked_after.map_or_else(|| "0".to_owned(), sortable)
}

/// A position is longer than its time alone, and so sorts after it. DynamoDB refuses a range that ends before it begins;
/// one that ends where it begins is empty.
fn to(filter: &Filter) -> String {
    filter.parked_before.map_or_else(|| "~".to_owned(), sortable).max(from(filter))
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

    /// Of a letter in an index.
    fn of_key(key: &Key) -> Option<Self> {
        Self::parse(key.get("at")?.as_s().ok()?)
    }

    fn key(&self, index: &Index<'_>) -> Key {
        let pairs = [
            (index.hash, index.value.to_owned()),
            ("at", self.to_string()),
            ("id", self.id.as_str().to_owned()),
        ];
        pairs.into_iter().map(|(name, value)| (name.to_owned(), AttributeValue::S(value))).collect()
    }
}

impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:015}#{}", self.millis, self.id.as_str())
    }
}

//! What a run leaves behind, as plain data: the checker's whole world. Nothing here knows Joiner's types.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;

/// Everything that the checker looks at.
#[derive(Debug, Clone, Default)]
pub(crate) struct Evidence {
    /// Every attempt of the HR system to get an event accepted, by correlation id.
    pub(crate) posts: BTreeMap<String, Post>,
    /// The topic of accepted events, read from its beginning by a consumer of its own.
    pub(crate) log: Vec<Logged>,
    /// How many records of poison the broker has acknowledged.
    pub(crate) poison: u32,
    /// The employees whom Okta doesn't know.
    pub(crate) strangers: BTreeSet<String>,
    /// Every person that the tables took, in the order in which they did.
    pub(crate) writes: Vec<Write>,
    /// The history table at the end.
    pub(crate) entries: Vec<Entry>,
    /// The API's answers: users by employee, requests by correlation id. Who isn't in it is unknown to the API.
    pub(crate) users: BTreeMap<String, User>,
    pub(crate) requests: BTreeMap<String, Request>,
    pub(crate) letters: Vec<Letter>,
    /// The topic of facts, in the order of each partition.
    pub(crate) told: Vec<Told>,
}

/// An event as HR tells it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Event {
    pub(crate) id: String,
    pub(crate) employee: String,
    pub(crate) kind: String,
    /// `None`: HR doesn't say.
    pub(crate) occurred_at: Option<Timestamp>,
    /// Each field that it speaks of, by its name on the topic. `None` clears it.
    pub(crate) stated: BTreeMap<String, Option<String>>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Post {
    pub(crate) event: Event,
    /// Answered 202. Without it, it may have been accepted all the same.
    pub(crate) accepted: bool,
}

/// A record's place on the topic of accepted events.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Place {
    pub(crate) partition: i32,
    pub(crate) offset: i64,
}

#[derive(Debug, Clone)]
pub(crate) struct Logged {
    pub(crate) place: Place,
    pub(crate) value: Option<Vec<u8>>,
    pub(crate) content: Content,
    /// The letter that was redriven as this record.
    pub(crate) redriven: Option<String>,
}

#[derive(Debug, Clone)]
pub(crate) enum Content {
    Accepted(Accepted),
    /// What no webhook lets through.
    Poison {
        /// What its letter has to give.
        reason: String,
    },
    /// Neither: nobody has sent it.
    Unknown,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Accepted {
    pub(crate) correlation_id: String,
    pub(crate) event: Event,
    pub(crate) received_at: Timestamp,
    pub(crate) edition: u32,
}

/// A person as a table took them, and the events that were noted as applied with that.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Write {
    pub(crate) employee: String,
    /// Counts the writes.
    pub(crate) number: u64,
    /// Counts what a reader could see change.
    pub(crate) version: u64,
    pub(crate) correlation_id: String,
    /// `None` while HR has said nothing of them.
    pub(crate) person: Option<Person>,
    /// Of Okta: the account's id, and why there is nothing newer.
    pub(crate) account: Option<String>,
    pub(crate) missing: Option<String>,
    pub(crate) entries: Vec<Entry>,
}

/// What HR says of a person.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Person {
    /// Those that have a value.
    pub(crate) fields: BTreeMap<String, String>,
    pub(crate) has_left: bool,
}

/// An event that is noted as applied.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Entry {
    pub(crate) event: Event,
    pub(crate) received_at: Timestamp,
    pub(crate) edition: u32,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct User {
    pub(crate) version: u64,
    pub(crate) correlation_id: String,
    /// First and last name are one.
    pub(crate) person: Person,
    /// Of the enrichment.
    pub(crate) state: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Request {
    Accepted,
    Failed,
    Changed,
    NothingNew,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Letter {
    pub(crate) id: String,
    pub(crate) state: String,
    pub(crate) reason: String,
    pub(crate) origin: Place,
    pub(crate) value: Option<Vec<u8>>,
    /// Of its history, the oldest first.
    pub(crate) states: Vec<String>,
}

/// A fact that somebody who follows the topic has seen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Told {
    pub(crate) id: String,
    pub(crate) kind: String,
    /// An employee, the correlation id of a request, or the id of a letter.
    pub(crate) subject: String,
    /// Of the person; `None` for all else.
    pub(crate) version: Option<u64>,
    /// The person as a reader sees them, if there is one.
    pub(crate) person: Option<Person>,
}

impl Request {
    pub(crate) fn is_enriched(self) -> bool {
        matches!(self, Self::Changed | Self::NothingNew)
    }
}

impl Letter {
    pub(crate) fn is_resolved(&self) -> bool {
        self.state == "resolved"
    }
}

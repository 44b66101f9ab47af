//! What a run leaves behind, as plain data: the checker's whole world. Nothing here knows Joiner's types.

use std::collections::BTreeMap;

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
    /// Every version of every user that a table took, in the order in which it did.
    pub(crate) writes: Vec<Write>,
    /// The API's answers: users by employee, requests by correlation id. Who isn't in it is unknown to the API.
    pub(crate) users: BTreeMap<String, User>,
    pub(crate) requests: BTreeMap<String, Request>,
    pub(crate) letters: Vec<Letter>,
}

/// An event as HR tells it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Event {
    pub(crate) id: String,
    pub(crate) employee: String,
    pub(crate) email: String,
    pub(crate) title: String,
    pub(crate) department: String,
    pub(crate) terminated: bool,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Post {
    pub(crate) event: Event,
    /// `None`: that HR system doesn't say.
    pub(crate) occurred_at: Option<Timestamp>,
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
    /// What no webhook lets through, and the reason that its letter has to give, if it has to be this one.
    Poison {
        reason: Option<String>,
    },
    /// Neither: nobody has sent it.
    Unknown,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Accepted {
    pub(crate) correlation_id: String,
    pub(crate) event: Event,
    pub(crate) occurred_at: Timestamp,
    pub(crate) received_at: Timestamp,
}

/// A version of a user, and the request that made it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Write {
    pub(crate) employee: String,
    pub(crate) version: u64,
    pub(crate) correlation_id: String,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct User {
    pub(crate) version: u64,
    pub(crate) correlation_id: String,
    pub(crate) email: String,
    pub(crate) title: String,
    pub(crate) department: String,
    pub(crate) terminated: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Request {
    Accepted,
    Failed,
    Applied,
    Duplicate,
    Superseded,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Letter {
    pub(crate) id: String,
    pub(crate) state: String,
    pub(crate) reason: String,
    pub(crate) origin: Place,
    pub(crate) value: Option<Vec<u8>>,
}

impl Accepted {
    /// Events of one person are ordered by this.
    pub(crate) fn time(&self) -> (Timestamp, Timestamp) {
        (self.occurred_at, self.received_at)
    }
}

impl Request {
    pub(crate) fn is_enriched(self) -> bool {
        matches!(self, Self::Applied | Self::Duplicate | Self::Superseded)
    }
}

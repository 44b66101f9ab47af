//! What the tables hold.

use std::borrow::Cow;

use contracts::{CorrelationId, Email, EmployeeId, EventId, Text};
use dynamo::Error;
use serde::{Deserialize, Serialize};

use crate::{
    claim::Claim,
    entry::Entry,
    person::{Person, v1},
    request::{self, RequestEvent},
};

#[derive(Serialize)]
pub(super) struct PersonItem<'a> {
    id: &'a EmployeeId,
    /// A key of an index can't be null: who has no address isn't in it.
    #[serde(skip_serializing_if = "Option::is_none")]
    email_key: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    department_key: Option<String>,
    writes: u64,
    person: &'a Person,
}

/// A person, or a user as the version before stored them.
#[derive(Deserialize)]
pub(super) struct StoredItem {
    person: Option<Person>,
    user: Option<v1::User>,
    last: Option<v1::LastEvent>,
}

#[derive(Serialize, Deserialize)]
pub(super) struct EntryItem<'a> {
    employee_id: Cow<'a, EmployeeId>,
    event_id: Cow<'a, EventId>,
    /// Sorts as the number does. An entry without it isn't in the index.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    sequence: Option<String>,
    pub(super) entry: Cow<'a, Entry>,
}

/// In the table of entries, among nobody's.
#[derive(Serialize, Deserialize)]
pub(super) struct ClaimItem<'a> {
    employee_id: String,
    event_id: Cow<'a, str>,
    /// Not of an account that was given up.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) claim: Option<Cow<'a, Claim>>,
}

#[derive(Serialize, Deserialize)]
pub(super) struct RequestItem<'a> {
    correlation_id: Cow<'a, CorrelationId>,
    event_key: String,
    /// Epoch seconds.
    expires_at: i64,
    #[serde(flatten)]
    pub(super) event: Cow<'a, RequestEvent>,
}

impl<'a> PersonItem<'a> {
    pub(super) fn of(person: &'a Person) -> Self {
        let user = person.user();
        Self {
            id: &person.id,
            email_key: user.as_ref().and_then(|user| user.email.as_ref()).map(Email::key),
            department_key: user.as_ref().and_then(|user| user.department.as_ref()).map(Text::key),
            writes: person.writes,
            person,
        }
    }
}

impl StoredItem {
    pub(super) fn person(self) -> Result<Person, Error> {
        match self {
            Self { person: Some(person), .. } => Ok(person),
            Self { user: Some(user), last: Some(last), .. } => Ok(v1::StoredUser::new(user, last).into()),
            _ => Err(Error::Layout),
        }
    }
}

impl<'a> EntryItem<'a> {
    pub(super) fn of(entry: &'a Entry) -> Self {
        Self {
            employee_id: Cow::Borrowed(&entry.employee_id),
            event_id: Cow::Borrowed(&entry.event_id),
            sequence: entry.sequence.map(sortable),
            entry: Cow::Borrowed(entry),
        }
    }
}

impl<'a> ClaimItem<'a> {
    pub(super) const SORT_KEY: &'static str = "claim";

    pub(super) fn of(account: &str, claim: Option<&'a Claim>) -> Self {
        Self {
            employee_id: Self::key(account),
            event_id: Cow::Borrowed(Self::SORT_KEY),
            claim: claim.map(Cow::Borrowed),
        }
    }

    /// No employee's id: those have no control character.
    pub(super) fn key(account: &str) -> String {
        format!("\u{1}{account}")
    }
}

impl<'a> RequestItem<'a> {
    pub(super) fn of(id: &'a CorrelationId, event: &'a RequestEvent) -> Self {
        Self {
            correlation_id: Cow::Borrowed(id),
            event_key: event.key(),
            expires_at: (event.updated_at + request::KEPT).as_second(),
            event: Cow::Borrowed(event),
        }
    }
}

/// Sorts as the number does.
pub(super) fn sortable(sequence: u64) -> String {
    format!("{sequence:020}")
}

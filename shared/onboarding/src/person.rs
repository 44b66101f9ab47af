use contracts::{
    CorrelationId, Email, EmployeeId, EmploymentStatus, EnrichmentRequestedV2, EventId, FactType, Field,
    Reason, Value,
};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::{
    directory::{Account, Directory},
    entry::Entry,
    registers::Registers,
};

pub(crate) mod v1;

/// A person as stored: what HR has said, what Okta said last, and no more than what can't be derived from the two.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Person {
    pub id: EmployeeId,
    pub hr: Registers,
    pub okta: Directory,
    /// How often the person was forgotten.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub generation: u32,
    /// What was received until then is not to come back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub forgotten: Option<Forgotten>,
    /// Counts what a reader could see change.
    pub version: u64,
    /// Counts the writes: compare and set is on it.
    pub writes: u64,
    pub updated_at: Timestamp,
    pub correlation_id: CorrelationId,
    /// What was told of this version; empty where nobody was told yet of what the version of Joiner before had stored.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub told: Vec<FactType>,
    /// Of events that the version before had applied, and that are not stored yet.
    #[serde(skip)]
    pub(crate) applied_before: Vec<Entry>,
}

/// The newest command to forget the person.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Forgotten {
    pub event_id: EventId,
    pub received_at: Timestamp,
}

impl Person {
    /// Nobody has spoken of them yet.
    pub(crate) fn unknown(id: EmployeeId, correlation_id: CorrelationId, now: Timestamp) -> Self {
        Self {
            id,
            hr: Registers::default(),
            okta: Directory::unread(now),
            generation: 0,
            forgotten: None,
            version: 0,
            writes: 0,
            updated_at: now,
            correlation_id,
            told: Vec::new(),
            applied_before: Vec::new(),
        }
    }

    /// Another version, which the event has made and of which this is told.
    pub(crate) fn next_version(
        &mut self,
        event: &EnrichmentRequestedV2,
        told: Vec<FactType>,
        now: Timestamp,
    ) {
        self.version += 1;
        self.updated_at = now;
        self.correlation_id = event.correlation_id.clone();
        self.told = told;
    }

    pub fn email(&self) -> Option<&Email> {
        self.hr.value(Field::Email).and_then(Value::email)
    }

    /// Where it is another's they have none, though the version before left them what they had.
    pub(crate) fn account(&self) -> Option<&Account> {
        self.okta.account.as_ref().filter(|_| self.okta.missing != Some(Reason::EmailTaken))
    }

    /// Whether it is theirs: what is stored of somebody who has left is what they had.
    pub(crate) fn holds(&self, account: &Account) -> bool {
        !self.has_left() && self.account().is_some_and(|theirs| theirs.id == account.id)
    }

    pub(crate) fn has_left(&self) -> bool {
        self.hr.employment() == EmploymentStatus::Terminated
    }
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
fn is_zero(number: &u32) -> bool {
    *number == 0
}

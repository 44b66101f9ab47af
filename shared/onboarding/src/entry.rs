use contracts::{CorrelationId, EmployeeId, EnrichmentRequestedV2, EventId, EventType, Stated, Warning};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::{change::Change, person::Person, registers::Position};

/// One event that was applied to a person, for ever: what it said, by which a person can be made anew, and what it
/// changed. Its key is the person and the event's id, so an event is applied once, whenever it is received again.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Entry {
    pub employee_id: EmployeeId,
    pub event_id: EventId,
    pub event_type: EventType,
    pub correlation_id: CorrelationId,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub occurred_at: Option<Timestamp>,
    pub received_at: Timestamp,
    #[serde(default)]
    pub edition: u64,
    pub stated: Stated,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub warnings: Vec<Warning>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub changes: Vec<Change>,
    /// The person's, once it was applied.
    pub version: u64,
    pub applied_at: Timestamp,
    /// What it changed when it came again: with Okta's part that it had waited for, or corrected.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub later: Vec<Step>,
    /// The person's count of writes then: what was applied later has a higher one. `None` is not shown: of such an event
    /// no more is known than that it was applied.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sequence: Option<u64>,
}

/// One change of a person's version.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Step {
    /// The person's, once it was applied.
    pub version: u64,
    pub applied_at: Timestamp,
    pub changes: Vec<Change>,
}

impl Entry {
    pub(crate) fn new(event: &EnrichmentRequestedV2, now: Timestamp) -> Self {
        Self {
            employee_id: event.employee_id.clone(),
            event_id: event.event_id.clone(),
            event_type: event.event_type,
            correlation_id: event.correlation_id.clone(),
            occurred_at: event.occurred_at,
            received_at: event.received_at,
            edition: event.edition,
            stated: event.stated.clone(),
            warnings: event.warnings.clone(),
            changes: Vec::new(),
            version: 0,
            applied_at: now,
            later: Vec::new(),
            sequence: None,
        }
    }

    pub(crate) fn position(&self) -> Position {
        Position::new(self.occurred_at, self.received_at, self.event_id.clone())
    }

    /// Whether this copy of an event counts, rather than `other`: the newest edition does, and of its copies the one that
    /// was received first.
    pub(crate) fn counts_before(&self, other: &EnrichmentRequestedV2) -> bool {
        (self.edition, std::cmp::Reverse(self.received_at))
            >= (other.edition, std::cmp::Reverse(other.received_at))
    }

    /// Whether it is of this very copy of the event.
    pub(crate) fn is_of(&self, event: &EnrichmentRequestedV2) -> bool {
        (&self.correlation_id, self.received_at, self.edition)
            == (&event.correlation_id, event.received_at, event.edition)
    }

    /// What `person` is now by this event, which changed this of them.
    pub(crate) fn note(&mut self, person: &Person, changes: Vec<Change>, now: Timestamp) {
        let version = person.version;
        match self.sequence {
            None => {
                self.sequence = Some(person.writes);
                (self.version, self.applied_at) = (version, now);
                self.changes.extend(changes);
            }
            Some(_) if changes.is_empty() => {}
            // It keeps its place among the others: what it changed first came before what they did.
            Some(_) => self.later.push(Step { version, applied_at: now, changes }),
        }
    }

    /// The same event as somebody has corrected it.
    pub(crate) fn corrected(self, new: Self) -> Self {
        let Self { changes, version, applied_at, later, sequence, .. } = self;
        Self { changes, version, applied_at, later, sequence, ..new }
    }

    /// The first come first.
    pub(crate) fn all_changes(&self) -> impl Iterator<Item = &Change> {
        self.changes.iter().chain(self.later.iter().flat_map(|step| &step.changes))
    }

    pub(crate) fn is_forgotten(&self) -> bool {
        self.stated.is_empty() && self.changes.is_empty() && self.sequence.is_none()
    }

    /// All that is kept of a person who was forgotten: that the event was applied.
    pub(crate) fn forgotten(self) -> Self {
        Self {
            stated: Stated::default(),
            warnings: Vec::new(),
            changes: Vec::new(),
            later: Vec::new(),
            sequence: None,
            ..self
        }
    }
}

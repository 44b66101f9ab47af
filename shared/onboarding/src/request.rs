use contracts::{EmployeeId, EventId, Reason};
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

/// How long one can ask what became of a request.
pub(crate) const KEPT: SignedDuration = SignedDuration::from_hours(30 * 24);

/// What became of one event of a request. A correlation id has one, or several if the caller used it again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct RequestEvent {
    pub event_id: EventId,
    pub employee_id: EmployeeId,
    pub updated_at: Timestamp,
    #[serde(flatten)]
    pub state: RequestState,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(tag = "status", rename_all = "snake_case")]
pub enum RequestState {
    /// Taken off the topic, and not finished.
    Accepted,
    /// In a dead letter.
    Failed { reason: Reason, message: String },
    /// The person's stored profile is at least as new as the event.
    Enriched { outcome: Outcome },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// The event made a new version of the person.
    Applied,
    /// It had been applied before.
    Duplicate,
    /// A newer event had been applied before.
    Superseded,
}

impl RequestEvent {
    /// Unique within a correlation id: HR systems may number events per person.
    pub(crate) fn key(&self) -> String {
        key(&self.employee_id, &self.event_id)
    }
}

/// An event's within its request.
pub(crate) fn key(employee_id: &EmployeeId, event_id: &EventId) -> String {
    format!("{employee_id}#{event_id}")
}

impl RequestState {
    pub(crate) const fn name(&self) -> &'static str {
        match self {
            Self::Accepted => "accepted",
            Self::Failed { .. } => "failed",
            Self::Enriched { .. } => "enriched",
        }
    }

    /// States only move forward, so that redeliveries in any order end in the same one.
    pub(crate) fn replaces(&self, stored: Option<&Self>) -> bool {
        match (stored, self) {
            (Some(Self::Enriched { .. }), _) | (Some(_), Self::Accepted) => false,
            (None, _) | (Some(_), Self::Failed { .. } | Self::Enriched { .. }) => true,
        }
    }
}

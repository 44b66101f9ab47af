use contracts::{EmployeeId, EventId, Outcome};
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::timeline::Timeline;

/// How long one can ask what became of a request.
pub(crate) const KEPT: SignedDuration = SignedDuration::from_hours(30 * 24);

/// What became of one event of a request. A correlation id has one, or several if the caller used it again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct RequestEvent {
    pub event_id: EventId,
    pub employee_id: EmployeeId,
    pub updated_at: Timestamp,
    /// When a failed one is tried again without anybody doing something.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_attempt: Option<Timestamp>,
    #[serde(default, skip_serializing_if = "Timeline::is_empty")]
    pub timeline: Timeline,
    #[serde(flatten)]
    pub state: RequestState,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(from = "Wire", into = "Wire")]
pub enum RequestState {
    /// Taken off the topic, and not finished.
    Accepted,
    Ended(Outcome),
}

/// As stored and sent: `status` tells the three apart that a caller acts on.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(rename = "RequestState"))]
#[serde(tag = "status", rename_all = "snake_case")]
enum Wire {
    /// Taken off the topic, and not finished.
    Accepted,
    /// In a dead letter.
    Failed { reason: contracts::Reason, message: String },
    /// The person's stored profile says what the event says, or something newer.
    Enriched {
        #[serde(flatten)]
        outcome: Outcome,
    },
}

impl RequestEvent {
    /// Unique within a correlation id: HR systems may number events per person.
    pub(crate) fn key(&self) -> String {
        key(&self.employee_id, &self.event_id)
    }
}

/// An event's within its request. What separates the two is escaped in the first, so that no two pairs have one key.
pub(crate) fn key(employee_id: &EmployeeId, event_id: &EventId) -> String {
    let employee = employee_id.as_str();
    if employee.contains(['#', '%']) {
        return format!("{}#{event_id}", employee.replace('%', "%25").replace('#', "%23"));
    }
    format!("{employee}#{event_id}")
}

impl RequestState {
    pub(crate) const fn name(&self) -> &'static str {
        match self {
            Self::Accepted => "accepted",
            Self::Ended(Outcome::Failed { .. }) => "failed",
            Self::Ended(Outcome::Changed { .. } | Outcome::NothingNew) => "enriched",
        }
    }

    /// The lower the more a caller has to know of it.
    pub(crate) const fn rank(&self) -> u8 {
        match self {
            Self::Ended(Outcome::Failed { .. }) => 0,
            Self::Accepted => 1,
            Self::Ended(Outcome::Changed { .. } | Outcome::NothingNew) => 2,
        }
    }

    /// States only move forward, so that redeliveries in any order end in the same one.
    pub(crate) const fn is_final(&self) -> bool {
        matches!(self, Self::Ended(Outcome::Changed { .. } | Outcome::NothingNew))
    }
}

impl From<Wire> for RequestState {
    fn from(wire: Wire) -> Self {
        match wire {
            Wire::Accepted => Self::Accepted,
            Wire::Failed { reason, message } => Self::Ended(Outcome::Failed { reason, message }),
            Wire::Enriched { outcome } => Self::Ended(outcome),
        }
    }
}

impl From<RequestState> for Wire {
    fn from(state: RequestState) -> Self {
        match state {
            RequestState::Accepted => Self::Accepted,
            RequestState::Ended(Outcome::Failed { reason, message }) => Self::Failed { reason, message },
            RequestState::Ended(outcome) => Self::Enriched { outcome },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_stored_before_there_were_timelines_is_read_and_looks_the_same() {
        let stored = serde_json::json!({
            "event_id": "evt-1",
            "employee_id": "E100",
            "updated_at": "2026-01-31T18:42:00Z",
            "status": "enriched",
            "outcome": "changed",
            "fields": ["title"],
        });
        let event: RequestEvent = serde_json::from_value(stored.clone()).unwrap();
        assert_eq!(event.timeline, Timeline::default());
        assert_eq!(serde_json::to_value(event).unwrap(), stored);
    }
}

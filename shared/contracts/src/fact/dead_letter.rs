use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::{CorrelationId, EmployeeId, EventId, LetterState, Reason};

/// What `dead_letter.parked`, `quarantined`, `resolved` and `discarded` say: the letter as it is then, without its record.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct DeadLetterFact {
    pub id: String,
    pub state: LetterState,
    /// The topic from which it came.
    pub failed_topic: String,
    /// Of its newest failure.
    pub reason: Reason,
    pub message: String,
    /// Over all of its failures.
    pub attempts: u32,
    /// How often its record was put on its topic again.
    pub redrives: u32,
    pub failed_at: Timestamp,
    pub parked_at: Timestamp,
    /// When a scheduled one is redriven by itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_attempt: Option<Timestamp>,
    /// As far as its record says them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub correlation_id: Option<CorrelationId>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub event_id: Option<EventId>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub employee_id: Option<EmployeeId>,
}

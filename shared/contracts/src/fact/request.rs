use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::{CorrelationId, EmployeeId, EventId, Outcome};

/// What `request.enriched` and `request.failed` say.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct RequestFact {
    pub correlation_id: CorrelationId,
    pub event_id: EventId,
    pub employee_id: EmployeeId,
    #[serde(flatten)]
    pub outcome: Outcome,
    /// When a failed one is tried again without anybody doing something.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_attempt: Option<Timestamp>,
}

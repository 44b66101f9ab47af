use contracts::{CorrelationId, Details, Email, EmployeeId, EventId, Text};
use jiff::{Timestamp, civil::Date};
use serde::{Deserialize, Serialize};

/// A person's full profile, as other systems read it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct EnrichedUser {
    pub id: EmployeeId,
    pub name: Text,
    pub email: Email,
    pub title: Option<Text>,
    pub department: Option<Text>,
    pub manager_email: Option<Email>,
    pub start_date: Option<Date>,
    pub end_date: Option<Date>,
    pub employment_status: EmploymentStatus,
    /// Whether the person can work: employed, and active in Okta.
    pub onboarded: bool,
    pub okta_id: Option<String>,
    /// Okta's word, such as `ACTIVE`.
    pub okta_status: Option<String>,
    pub groups: Vec<Group>,
    pub applications: Vec<Application>,
    pub details: Details,
    /// Counts the changes: 1 for a new person. A reader that has seen a higher one may drop this.
    pub version: u64,
    pub updated_at: Timestamp,
    /// Of the request that made this version.
    pub correlation_id: CorrelationId,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum EmploymentStatus {
    Employed,
    Terminated,
}

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Group {
    pub id: String,
    pub name: String,
}

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Application {
    pub id: String,
    pub name: String,
    pub label: String,
}

/// A user with what decides about the next event.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StoredUser {
    pub user: EnrichedUser,
    pub last: LastEvent,
}

/// The newest event that was applied.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LastEvent {
    pub occurred_at: Timestamp,
    pub received_at: Timestamp,
    /// The ids of the events applied last, newest at the end.
    pub recent: Vec<EventId>,
}

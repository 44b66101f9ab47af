//! A person's profile, as other systems read it. The onboarding makes it.

use crate::{CorrelationId, Country, Email, EmployeeId, Reason, Text, TimeZone};
use jiff::{Timestamp, civil::Date};
use serde::{Deserialize, Serialize};

/// A person's full profile, as other systems read it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct EnrichedUser {
    pub id: EmployeeId,
    /// `null` while HR has sent none: an update or a termination of somebody whose hire is not here.
    pub name: Option<Text>,
    pub email: Option<Email>,
    /// Okta's, where HR has sent none.
    pub title: Option<Text>,
    /// Okta's, where HR has sent none.
    pub department: Option<Text>,
    pub manager_email: Option<Email>,
    pub start_date: Option<Date>,
    pub end_date: Option<Date>,
    pub employment_status: EmploymentStatus,
    /// HR's own word for the state of the employment.
    pub status: Option<Text>,
    /// Whether the person can work: employed, and active in Okta.
    pub onboarded: bool,
    pub okta_id: Option<String>,
    /// Okta's word, such as `ACTIVE`.
    pub okta_status: Option<String>,
    pub groups: Vec<Group>,
    pub applications: Vec<Application>,
    pub details: Details,
    pub enrichment: Enrichment,
    /// Counts the changes: 1 for a new person. A reader that has seen a higher one may drop this.
    pub version: u64,
    pub updated_at: Timestamp,
    /// Of the request that made this version.
    pub correlation_id: CorrelationId,
}

/// How far Okta's part of the profile is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Enrichment {
    pub state: EnrichmentState,
    /// Why what Okta says is missing or older than what HR says; `null` where it isn't.
    pub reason: Option<Missing>,
    /// Since when it has this state, for this reason.
    pub since: Timestamp,
    /// When Okta is asked again without anybody doing something.
    pub next_attempt: Option<Timestamp>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum EnrichmentState {
    /// What HR says is here, what Okta says is not, or may be outdated.
    Pending,
    Complete,
    /// The person's employment has ended.
    Left,
}

/// Why Okta's part is missing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(untagged)]
pub enum Missing {
    /// That of the dead letter.
    Failed(Reason),
    Unasked(Unasked),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Unasked {
    /// HR has sent no e-mail address to ask Okta for.
    NoEmail,
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

/// What Joiner passes on as it came: no rule reads it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct Details {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub employment_type: Option<Text>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub location: Option<Text>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub office: Option<Text>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub country: Option<Country>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub time_zone: Option<TimeZone>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub phone: Option<Text>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mobile: Option<Text>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cost_center: Option<Text>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub division: Option<Text>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub company: Option<Text>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub job_code: Option<Text>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub job_level: Option<Text>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub personal_email: Option<Email>,
}

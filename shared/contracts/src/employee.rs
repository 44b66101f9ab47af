use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use crate::{Country, Email, EmployeeId, Text, TimeZone};

/// A person as the HR system describes them: the whole record, every time. A field that is absent is unknown.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Employee {
    pub id: EmployeeId,
    pub first_name: Text,
    pub last_name: Text,
    /// What the person wants to be called, instead of first and last name.
    pub preferred_name: Option<Text>,
    pub email: Email,
    pub title: Option<Text>,
    pub department: Option<Text>,
    pub manager_email: Option<Email>,
    /// The first day of work.
    pub start_date: Option<Date>,
    /// The last day of work.
    pub end_date: Option<Date>,
    /// The HR system's own word for the state of the employment.
    pub status: Option<Text>,
    #[serde(default)]
    pub details: Details,
}

/// What Joiner passes on as it came: no rule reads it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct Details {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub employment_type: Option<Text>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub location: Option<Text>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub office: Option<Text>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub country: Option<Country>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub time_zone: Option<TimeZone>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub phone: Option<Text>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mobile: Option<Text>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cost_center: Option<Text>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub division: Option<Text>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub company: Option<Text>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub job_code: Option<Text>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub job_level: Option<Text>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub personal_email: Option<Email>,
}

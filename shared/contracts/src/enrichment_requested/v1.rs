//! The version before: the whole record each time, and what is absent is unknown.

use jiff::{Timestamp, civil::Date};
use serde::Deserialize;

use super::{EnrichmentRequestedV2, EventType};
use crate::{CorrelationId, Country, Email, EmployeeId, EventId, Field, Stated, Text, TimeZone, Value};

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct EnrichmentRequestedV1 {
    event_id: EventId,
    event_type: EventType,
    correlation_id: CorrelationId,
    occurred_at: Timestamp,
    received_at: Timestamp,
    employee: Employee,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Employee {
    id: EmployeeId,
    first_name: Text,
    last_name: Text,
    preferred_name: Option<Text>,
    email: Email,
    title: Option<Text>,
    department: Option<Text>,
    manager_email: Option<Email>,
    start_date: Option<Date>,
    end_date: Option<Date>,
    status: Option<Text>,
    #[serde(default)]
    details: Details,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Details {
    employment_type: Option<Text>,
    location: Option<Text>,
    office: Option<Text>,
    country: Option<Country>,
    time_zone: Option<TimeZone>,
    phone: Option<Text>,
    mobile: Option<Text>,
    cost_center: Option<Text>,
    division: Option<Text>,
    company: Option<Text>,
    job_code: Option<Text>,
    job_level: Option<Text>,
    personal_email: Option<Email>,
}

impl From<EnrichmentRequestedV1> for EnrichmentRequestedV2 {
    fn from(v1: EnrichmentRequestedV1) -> Self {
        Self {
            event_id: v1.event_id,
            event_type: v1.event_type,
            correlation_id: v1.correlation_id,
            // That version had no word for "HR doesn't say": then both times were one.
            occurred_at: (v1.occurred_at != v1.received_at).then_some(v1.occurred_at),
            received_at: v1.received_at,
            edition: 0,
            employee_id: v1.employee.id.clone(),
            stated: v1.employee.into(),
            warnings: Vec::new(),
        }
    }
}

impl From<Employee> for Stated {
    fn from(employee: Employee) -> Self {
        let details = employee.details;
        [
            (Field::FirstName, Some(Value::Text(employee.first_name))),
            (Field::LastName, Some(Value::Text(employee.last_name))),
            (Field::PreferredName, employee.preferred_name.map(Value::Text)),
            (Field::Email, Some(Value::Email(employee.email))),
            (Field::Title, employee.title.map(Value::Text)),
            (Field::Department, employee.department.map(Value::Text)),
            (Field::ManagerEmail, employee.manager_email.map(Value::Email)),
            (Field::StartDate, employee.start_date.map(Value::Date)),
            (Field::EndDate, employee.end_date.map(Value::Date)),
            (Field::Status, employee.status.map(Value::Text)),
            (Field::EmploymentType, details.employment_type.map(Value::Text)),
            (Field::Location, details.location.map(Value::Text)),
            (Field::Office, details.office.map(Value::Text)),
            (Field::Country, details.country.map(Value::Country)),
            (Field::TimeZone, details.time_zone.map(Value::TimeZone)),
            (Field::Phone, details.phone.map(Value::Text)),
            (Field::Mobile, details.mobile.map(Value::Text)),
            (Field::CostCenter, details.cost_center.map(Value::Text)),
            (Field::Division, details.division.map(Value::Text)),
            (Field::Company, details.company.map(Value::Text)),
            (Field::JobCode, details.job_code.map(Value::Text)),
            (Field::JobLevel, details.job_level.map(Value::Text)),
            (Field::PersonalEmail, details.personal_email.map(Value::Email)),
        ]
        .into_iter()
        .filter(|(_, value)| value.is_some())
        .collect()
    }
}

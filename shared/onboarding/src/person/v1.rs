//! Users as the version before stored them. They become registers with their next write.

use contracts::{CorrelationId, Email, EmployeeId, EventId, EventType, Field, Stated, Text, Value};
use jiff::{Timestamp, civil::Date};
use serde::Deserialize;

use super::Person;
use crate::{
    directory::{Account, Directory},
    entry::Entry,
    registers::{Registers, Statements},
    user::{Application, EmploymentStatus, Group},
};

#[derive(Debug, Deserialize)]
pub(crate) struct StoredUser {
    user: User,
    last: LastEvent,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct User {
    id: EmployeeId,
    name: Text,
    email: Email,
    title: Option<Text>,
    department: Option<Text>,
    manager_email: Option<Email>,
    start_date: Option<Date>,
    end_date: Option<Date>,
    employment_status: EmploymentStatus,
    okta_id: Option<String>,
    okta_status: Option<String>,
    groups: Vec<Group>,
    applications: Vec<Application>,
    /// The names are those of the fields.
    details: Stated,
    version: u64,
    updated_at: Timestamp,
    correlation_id: CorrelationId,
}

#[derive(Debug, Deserialize)]
pub(crate) struct LastEvent {
    occurred_at: Timestamp,
    received_at: Timestamp,
    recent: Vec<EventId>,
}

impl StoredUser {
    pub(crate) fn new(user: User, last: LastEvent) -> Self {
        Self { user, last }
    }
}

impl From<StoredUser> for Person {
    /// All of it counts as stated by the last event: which said what is not known.
    fn from(StoredUser { user, last }: StoredUser) -> Self {
        let applied_before = applied_before(&user, &last);
        let mut hr = Registers::default();
        if let Some(last) = applied_before.last() {
            let employment = Some(user.employment_status);
            hr.merge(Statements { position: &last.position(), stated: &last.stated, employment });
        }
        let account = user.okta_id.zip(user.okta_status).map(|(id, status)| Account {
            id,
            status,
            // Where they stood in for HR's they count as HR's from now on.
            title: None,
            department: None,
            groups: user.groups,
            applications: user.applications,
        });
        Self {
            id: user.id,
            hr,
            okta: Directory {
                account,
                read_at: Some(user.updated_at),
                missing: None,
                since: user.updated_at,
                next_attempt: None,
            },
            generation: 0,
            forgotten: None,
            version: user.version,
            writes: 0,
            updated_at: user.updated_at,
            correlation_id: user.correlation_id,
            applied_before,
        }
    }
}

/// An entry for each event that is remembered. The last one stands for all that is known; of the others no more is known
/// than that they were applied, and no copy of theirs counts before them.
fn applied_before(user: &User, last: &LastEvent) -> Vec<Entry> {
    let entry = |event_id: &EventId| Entry {
        employee_id: user.id.clone(),
        event_id: event_id.clone(),
        event_type: EventType::Updated,
        correlation_id: user.correlation_id.clone(),
        occurred_at: None,
        received_at: Timestamp::UNIX_EPOCH,
        edition: 0,
        stated: Stated::default(),
        warnings: Vec::new(),
        changes: Vec::new(),
        version: user.version,
        applied_at: user.updated_at,
        sequence: None,
    };
    let mut entries: Vec<_> = last.recent.iter().map(entry).collect();
    if let Some(newest) = entries.last_mut() {
        newest.event_type = match user.employment_status {
            EmploymentStatus::Employed => EventType::Hired,
            EmploymentStatus::Terminated => EventType::Terminated,
        };
        (newest.occurred_at, newest.received_at) = (Some(last.occurred_at), last.received_at);
        newest.stated = stated(user);
    }
    entries
}

/// The name was stored as one: it is taken apart at its first space, so that it reads as before and HR's next word on
/// either half holds.
fn stated(user: &User) -> Stated {
    let name = user.name.as_str();
    let (first, last) = name.split_once(' ').map_or((None, name), |(first, last)| (Some(first), last));
    let name = |part: &str| Text::parse(part.trim()).ok().map(Value::Text);
    let mut stated: Stated = [
        (Field::FirstName, first.and_then(name)),
        (Field::LastName, name(last)),
        (Field::Email, Some(Value::Email(user.email.clone()))),
        (Field::Title, user.title.clone().map(Value::Text)),
        (Field::Department, user.department.clone().map(Value::Text)),
        (Field::ManagerEmail, user.manager_email.clone().map(Value::Email)),
        (Field::StartDate, user.start_date.map(Value::Date)),
        (Field::EndDate, user.end_date.map(Value::Date)),
    ]
    .into_iter()
    .filter(|(_, value)| value.is_some())
    .collect();
    for (field, value) in user.details.iter() {
        stated.state(field, value.cloned());
    }
    stated
}

//! Users as the version before stored them. They become registers with their next write.

use contracts::{
    Application, CorrelationId, Email, EmployeeId, EmploymentStatus, EventId, EventType, Field, Group,
    Stated, Text, Value,
};
use jiff::{Timestamp, civil::Date};
use serde::Deserialize;

use super::Person;
use crate::{
    directory::{Account, Directory},
    entry::Entry,
    registers::{Registers, Statements},
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
            told: Vec::new(),
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
        later: Vec::new(),
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        converge::{Draft, Place},
        tests::{event, now, with},
    };

    /// As the version before stored Ada.
    fn stored() -> Person {
        let stored = serde_json::json!({
            "user": {
                "id": "E1", "name": "Ada Byron King", "email": "ada@acme.example", "title": "Analyst",
                "department": null, "managerEmail": null, "startDate": "2026-02-01", "endDate": null,
                "employmentStatus": "employed", "onboarded": true, "oktaId": "00u1", "oktaStatus": "ACTIVE",
                "groups": [{"id": "g2", "name": "Everyone"}], "applications": [],
                "details": {"country": "GB", "costCenter": "CC-42"}, "version": 7,
                "updatedAt": "2026-01-31T18:00:00Z", "correlationId": "c-0"
            },
            "last": {
                "occurred_at": "2026-01-31T17:00:00Z", "received_at": "2026-01-31T17:00:01Z",
                "recent": ["evt-a", "evt-b"]
            }
        });
        serde_json::from_value::<StoredUser>(stored).unwrap().into()
    }

    #[test]
    fn a_user_that_the_version_before_stored_reads_as_before() {
        let user = stored().user().unwrap();
        assert_eq!(user.name.unwrap().as_str(), "Ada Byron King");
        assert_eq!((user.title.unwrap().as_str(), user.version), ("Analyst", 7));
        assert_eq!(user.details.cost_center.unwrap().as_str(), "CC-42");
        assert!(user.onboarded);
    }

    #[test]
    fn what_was_applied_before_is_known_and_what_comes_next_is_merged() {
        for id in ["evt-a", "evt-b"] {
            let mut repeat = event();
            repeat.event_id = EventId::parse(id).unwrap();
            assert_eq!(Place::of(&repeat, Some(&stored()), None), Place::Known, "{id}");
        }
        let next = with(event(), Field::Title, "Engineer");
        let written = Draft::new(&next, Some(stored()), None, &[], now()).answered(&next, None, now());
        let user = written.person.user().unwrap();
        assert_eq!((user.title.unwrap().as_str(), user.version), ("Engineer", 8));
        assert_eq!(user.details.cost_center.unwrap().as_str(), "CC-42", "nobody said otherwise");
        assert_eq!(written.person.applied_before.len(), 2, "their entries are written with it");
    }

    #[test]
    fn a_correction_of_an_event_that_was_applied_before_takes_its_place() {
        let mut edited = with(event(), Field::Title, "Engineer");
        edited.event_id = EventId::parse("evt-b").unwrap();
        edited.edition = 1;
        let person = stored();
        assert_eq!(Place::of(&edited, Some(&person), None), Place::InsteadOfKnown);
        let written = Draft::new(&edited, Some(person), None, &[], now()).answered(&edited, None, now());
        let user = written.person.user().unwrap();
        assert_eq!(user.title.unwrap().as_str(), "Engineer");
        assert_eq!(user.details.cost_center, None, "it was stated by what was corrected");
    }
}

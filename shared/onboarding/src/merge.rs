use contracts::{EnrichmentRequestedV1, EventType, Text};
use jiff::Timestamp;
use okta::UserStatus;

use crate::{
    order,
    user::{Application, EmploymentStatus, EnrichedUser, Group, StoredUser},
};

/// What Okta knows of a person.
#[derive(Debug, Clone)]
pub(crate) struct Directory {
    pub(crate) user: okta::User,
    pub(crate) groups: Vec<okta::Group>,
    pub(crate) apps: Vec<okta::AppLink>,
}

/// Joins an HR event with what Okta knows. HR wins on what HR owns; Okta supplies the rest.
///
/// `directory` is `None` only for a person who has left and whose account is gone.
pub(crate) fn merge(
    event: &EnrichmentRequestedV1,
    directory: Option<&Directory>,
    previous: Option<&StoredUser>,
    now: Timestamp,
) -> StoredUser {
    let employee = &event.employee;
    let profile = directory.map(|directory| &directory.user.profile);
    let employment_status = employment_status(event);
    let active = directory.is_some_and(|directory| directory.user.status == UserStatus::Active);

    let user = EnrichedUser {
        id: employee.id.clone(),
        name: name(event),
        email: employee.email.clone(),
        // Okta's are usually copies of HR's, and stand in where HR sends none.
        title: employee.title.clone().or_else(|| text(profile?.title.as_deref()?)),
        department: employee.department.clone().or_else(|| text(profile?.department.as_deref()?)),
        // Okta's `manager` is free text, so there is nothing to fall back on.
        manager_email: employee.manager_email.clone(),
        start_date: employee.start_date,
        end_date: employee.end_date,
        employment_status,
        onboarded: active && employment_status == EmploymentStatus::Employed,
        okta_id: directory.map(|directory| directory.user.id.clone()),
        okta_status: directory.map(|directory| directory.user.status.clone().into()),
        groups: directory.map_or_else(Vec::new, groups),
        applications: directory.map_or_else(Vec::new, applications),
        details: employee.details.clone(),
        version: previous.map_or(1, |previous| previous.user.version + 1),
        updated_at: now,
        correlation_id: event.correlation_id.clone(),
    };
    StoredUser { user, last: order::advance(previous.map(|previous| &previous.last), event) }
}

/// The preferred name as it is, or first and last name.
fn name(event: &EnrichmentRequestedV1) -> Text {
    let employee = &event.employee;
    employee.preferred_name.clone().unwrap_or_else(|| {
        let (first, last) = (employee.first_name.as_str(), employee.last_name.as_str());
        // Together they may pass the length of one text: then the last name stands alone.
        text(&format!("{first} {last}")).unwrap_or_else(|| employee.last_name.clone())
    })
}

/// Terminated by the kind of event, or by HR's own word for the state.
fn employment_status(event: &EnrichmentRequestedV1) -> EmploymentStatus {
    let says_terminated = event
        .employee
        .status
        .as_ref()
        .is_some_and(|status| matches!(status.key().as_str(), "terminated" | "inactive" | "former"));
    if event.event_type == EventType::Terminated || says_terminated {
        EmploymentStatus::Terminated
    } else {
        EmploymentStatus::Employed
    }
}

/// Sorted by name, so that two reads of an unchanged directory are equal.
fn groups(directory: &Directory) -> Vec<Group> {
    let group = |group: &okta::Group| Group { id: group.id.clone(), name: group.profile.name.clone() };
    let mut groups: Vec<_> = directory.groups.iter().map(group).collect();
    groups.sort_by(|a, b| (&a.name, &a.id).cmp(&(&b.name, &b.id)));
    groups
}

fn applications(directory: &Directory) -> Vec<Application> {
    let application = |app: &okta::AppLink| Application {
        id: app.app_instance_id.clone(),
        name: app.app_name.clone(),
        label: app.label.clone(),
    };
    let mut applications: Vec<_> = directory.apps.iter().map(application).collect();
    applications.sort_by(|a, b| (&a.label, &a.id).cmp(&(&b.label, &b.id)));
    applications
}

/// Okta's fields are free text; what is no text to us is as good as absent.
fn text(value: &str) -> Option<Text> {
    Text::parse(value.trim()).ok()
}

#[cfg(test)]
pub(crate) mod tests {
    use contracts::Email;
    use okta::{AppLink, GroupProfile, Profile, User};

    use super::*;

    pub(crate) fn event() -> EnrichmentRequestedV1 {
        let json = serde_json::json!({
            "eventId": "evt-1", "eventType": "hired", "correlationId": "c-1",
            "occurredAt": "2026-01-31T18:42:00Z", "receivedAt": "2026-01-31T18:42:01Z",
            "employee": {
                "id": "E1", "firstName": "Ada", "lastName": "Lovelace", "email": "ada@acme.example",
                "startDate": "2026-02-01", "details": {"country": "GB"}
            }
        });
        EnrichmentRequestedV1::decode(json.to_string().as_bytes()).unwrap()
    }

    fn directory(status: UserStatus) -> Directory {
        let group = |id: &str, name: &str| okta::Group {
            id: id.to_owned(),
            profile: GroupProfile { name: name.to_owned() },
        };
        Directory {
            user: User {
                id: "00u1".to_owned(),
                status,
                profile: Profile {
                    login: "ada@acme.example".to_owned(),
                    email: "ada@acme.example".to_owned(),
                    first_name: Some("Augusta".to_owned()),
                    last_name: Some("King".to_owned()),
                    title: Some("Analyst".to_owned()),
                    department: Some("Engines".to_owned()),
                },
            },
            groups: vec![group("g2", "Everyone"), group("g1", "Engines")],
            apps: vec![AppLink {
                app_instance_id: "0oa1".to_owned(),
                app_name: "github".to_owned(),
                label: "GitHub".to_owned(),
            }],
        }
    }

    fn merged(event: &EnrichmentRequestedV1, directory: Option<&Directory>) -> EnrichedUser {
        merge(event, directory, None, "2026-01-31T18:42:05Z".parse().unwrap()).user
    }

    #[test]
    fn the_whole_profile_of_a_new_hire() {
        insta::assert_json_snapshot!(merged(&event(), Some(&directory(UserStatus::Active))));
    }

    #[test]
    fn hr_wins_on_what_hr_owns() {
        let mut event = event();
        event.employee.preferred_name = Some(Text::parse("Countess of Lovelace").unwrap());
        event.employee.title = Some(Text::parse("Programmer").unwrap());
        event.employee.department = Some(Text::parse("Research").unwrap());
        event.employee.manager_email = Some(Email::parse("charles@acme.example").unwrap());
        let user = merged(&event, Some(&directory(UserStatus::Active)));
        assert_eq!(user.name.as_str(), "Countess of Lovelace");
        assert_eq!(user.title.unwrap().as_str(), "Programmer");
        assert_eq!(user.department.unwrap().as_str(), "Research");
        assert_eq!(user.manager_email.unwrap().as_str(), "charles@acme.example");
    }

    #[test]
    fn only_an_employed_person_with_an_active_account_is_onboarded() {
        assert!(merged(&event(), Some(&directory(UserStatus::Active))).onboarded);
        assert!(!merged(&event(), Some(&directory(UserStatus::Staged))).onboarded);
        let mut left = event();
        left.event_type = EventType::Terminated;
        let user = merged(&left, Some(&directory(UserStatus::Active)));
        assert_eq!((user.onboarded, user.employment_status), (false, EmploymentStatus::Terminated));
    }

    #[test]
    fn hrs_own_word_can_terminate_too() {
        let mut left = event();
        left.employee.status = Some(Text::parse("Terminated").unwrap());
        assert_eq!(merged(&left, None).employment_status, EmploymentStatus::Terminated);
    }

    #[test]
    fn a_leaver_whose_account_is_gone_keeps_what_hr_says() {
        let mut left = event();
        left.event_type = EventType::Terminated;
        let user = merged(&left, None);
        assert_eq!((user.okta_id, user.okta_status, user.groups.len()), (None, None, 0));
        assert_eq!(user.name.as_str(), "Ada Lovelace");
    }

    #[test]
    fn a_name_that_grows_too_long_is_the_last_name() {
        let mut event = event();
        event.employee.first_name = Text::parse("x".repeat(200)).unwrap();
        event.employee.last_name = Text::parse("y".repeat(200)).unwrap();
        assert_eq!(merged(&event, None).name, event.employee.last_name);
    }

    #[test]
    fn the_version_counts_changes() {
        let first = merge(&event(), None, None, Timestamp::UNIX_EPOCH);
        let second = merge(&event(), None, Some(&first), Timestamp::UNIX_EPOCH);
        assert_eq!((first.user.version, second.user.version), (1, 2));
    }
}

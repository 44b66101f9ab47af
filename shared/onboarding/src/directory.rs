//! What Okta says of a person: one register, with the time at which it was read.

use contracts::{Application, Group, Reason};
use jiff::Timestamp;
use okta::UserStatus;
use serde::{Deserialize, Serialize};

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Directory {
    /// `None` before Okta was heard, and where it knows nobody.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub account: Option<Account>,
    /// When Okta said so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub read_at: Option<Timestamp>,
    /// Why there is nothing newer, where there should be.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub missing: Option<Reason>,
    /// Since when the person is as complete as they are.
    pub since: Timestamp,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_attempt: Option<Timestamp>,
}

#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Account {
    pub id: String,
    /// Okta's word.
    pub status: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub department: Option<String>,
    /// Sorted by name, so that two reads of an unchanged directory are equal.
    pub groups: Vec<Group>,
    pub applications: Vec<Application>,
}

/// Of groups and applications: some 1,500 of each hundred bytes.
const MAX_BYTES: usize = 150_000;

/// What a group or an application takes beside its values, as it is stored.
const NAMES_BESIDE: usize = 40;

impl Directory {
    pub(crate) fn unread(now: Timestamp) -> Self {
        Self { account: None, read_at: None, missing: None, since: now, next_attempt: None }
    }
}

impl Account {
    pub(crate) fn new(user: okta::User, groups: Vec<okta::Group>, apps: Vec<okta::AppLink>) -> Self {
        let group = |group: okta::Group| Group { id: group.id, name: group.profile.name };
        let application = |app: okta::AppLink| Application {
            id: app.app_instance_id,
            name: app.app_name,
            label: app.label,
        };
        let mut groups: Vec<_> = groups.into_iter().map(group).collect();
        groups.sort_by(|a, b| (&a.name, &a.id).cmp(&(&b.name, &b.id)));
        let mut applications: Vec<_> = apps.into_iter().map(application).collect();
        applications.sort_by(|a, b| (&a.label, &a.id).cmp(&(&b.label, &b.id)));
        Self {
            id: user.id,
            status: user.status.into(),
            title: user.profile.title,
            department: user.profile.department,
            groups,
            applications,
        }
    }

    /// Whether there is room for it, and for what an entry says of its coming and going: DynamoDB takes 400 KB an item.
    pub(crate) fn fits(&self) -> bool {
        let groups = self.groups.iter().map(|group| group.id.len() + group.name.len());
        let applications =
            self.applications.iter().map(|app| app.id.len() + app.name.len() + app.label.len());
        let names: usize = groups.chain(applications).map(|length| length + NAMES_BESIDE).sum();
        names <= MAX_BYTES
    }

    pub(crate) fn is_active(&self) -> bool {
        UserStatus::from(self.status.clone()) == UserStatus::Active
    }
}

impl std::fmt::Debug for Account {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Account").field("id", &self.id).finish_non_exhaustive()
    }
}

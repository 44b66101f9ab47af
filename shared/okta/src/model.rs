use std::fmt;

use serde::{Deserialize, Serialize};

/// A person in the directory.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct User {
    pub id: String,
    pub status: UserStatus,
    pub profile: Profile,
}

impl User {
    pub fn is_deprovisioned(&self) -> bool {
        self.status == UserStatus::Deprovisioned
    }
}

/// The part of a profile that Joiner reads.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Profile {
    pub login: String,
    pub email: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub first_name: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_name: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub department: Option<String>,
}

/// <https://developer.okta.com/docs/concepts/user-profiles/#user-status>, and whatever Okta adds to it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "String", into = "String")]
pub enum UserStatus {
    Staged,
    Provisioned,
    Active,
    Recovery,
    LockedOut,
    PasswordExpired,
    Suspended,
    Deprovisioned,
    Other(String),
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Group {
    pub id: String,
    pub profile: GroupProfile,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct GroupProfile {
    pub name: String,
}

/// An application that a person has on their dashboard.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct AppLink {
    pub app_instance_id: String,
    pub app_name: String,
    pub label: String,
}

const STATUSES: [(&str, UserStatus); 8] = [
    ("STAGED", UserStatus::Staged),
    ("PROVISIONED", UserStatus::Provisioned),
    ("ACTIVE", UserStatus::Active),
    ("RECOVERY", UserStatus::Recovery),
    ("LOCKED_OUT", UserStatus::LockedOut),
    ("PASSWORD_EXPIRED", UserStatus::PasswordExpired),
    ("SUSPENDED", UserStatus::Suspended),
    ("DEPROVISIONED", UserStatus::Deprovisioned),
];

impl From<String> for UserStatus {
    fn from(value: String) -> Self {
        let known = STATUSES.into_iter().find(|(name, _)| *name == value);
        known.map_or(Self::Other(value), |(_, status)| status)
    }
}

impl From<UserStatus> for String {
    fn from(value: UserStatus) -> Self {
        match value {
            UserStatus::Other(name) => name,
            known => STATUSES
                .into_iter()
                .find(|(_, status)| *status == known)
                .map(|(name, _)| name.to_owned())
                .expect("STATUSES lists every variant but Other"),
        }
    }
}

impl fmt::Debug for Profile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Profile([redacted])")
    }
}

use std::fmt;

use serde::Serialize;

use crate::UserStatus;

/// A person in the fake directory, with what they belong to.
#[derive(Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Person {
    pub id: String,
    pub status: UserStatus,
    pub login: String,
    pub email: String,
    pub first_name: String,
    pub last_name: String,
    /// Empty: the profile has none. So for the department.
    pub title: String,
    pub department: String,
    /// Names. A group exists while somebody is in it, and its id follows from its name.
    pub groups: Vec<String>,
    /// Labels. An app's ids follow from its label.
    pub apps: Vec<String>,
}

impl fmt::Debug for Person {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Person").field("id", &self.id).field("status", &self.status).finish_non_exhaustive()
    }
}

use contracts::{EmployeeId, Reason};
use jiff::Timestamp;
use serde::{Deserialize, Deserializer, Serialize};

use crate::{fingerprint::Fingerprint, life::LetterState};

/// Which letters: those that fit all that is said.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(rename = "LetterFilter"))]
#[serde(deny_unknown_fields)]
pub struct Filter {
    #[serde(default, deserialize_with = "present", skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schemars(with = "LetterState"))]
    pub state: Option<LetterState>,
    #[serde(default, deserialize_with = "present", skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schemars(with = "Reason"))]
    pub reason: Option<Reason>,
    #[serde(default, deserialize_with = "present", skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schemars(with = "Fingerprint"))]
    pub group: Option<Fingerprint>,
    #[serde(default, deserialize_with = "present", skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schemars(with = "EmployeeId"))]
    pub employee_id: Option<EmployeeId>,
    /// Parked at this time or later.
    #[serde(default, deserialize_with = "present", skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schemars(with = "Timestamp"))]
    pub parked_after: Option<Timestamp>,
    /// Parked earlier than this.
    #[serde(default, deserialize_with = "present", skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schemars(with = "Timestamp"))]
    pub parked_before: Option<Timestamp>,
}

impl Filter {
    /// The same for filters that say the same.
    pub(crate) fn canonical(&self) -> String {
        serde_json::to_string(self).expect("a struct of strings has no key that JSON can't hold")
    }
}

/// `null` is no value to filter by: it must not read as if nothing were said, and every letter fitted.
fn present<'de, D, T>(deserializer: D) -> Result<Option<T>, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de>,
{
    T::deserialize(deserializer).map(Some)
}

use std::collections::BTreeMap;

use contracts::Reason;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::{fingerprint::Fingerprint, letter::LetterId, life::LetterState};

/// The letters of one cause.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(rename = "LetterGroup"))]
pub struct Group {
    /// Of each of them. Named as nothing in a letter is: no index of letters must find a group.
    #[serde(rename = "group")]
    pub fingerprint: Fingerprint,
    pub reason: Reason,
    /// The topic on which they failed.
    pub source: String,
    /// Of the newest.
    pub message: String,
    pub first_seen: Timestamp,
    pub last_seen: Timestamp,
    /// The first letter that was seen.
    pub sample: LetterId,
}

/// How many letters of a group there are in each state, now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Counts {
    pub states: BTreeMap<LetterState, u64>,
    /// Whether there are more than were counted.
    pub at_least: bool,
}

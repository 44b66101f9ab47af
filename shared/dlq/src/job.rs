//! Work on many letters, a slice at a time: by whoever starts it, and by every sweep after that, until it is done.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::{actor::Actor, filter::Filter};

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Job {
    /// A UUID.
    pub id: String,
    #[serde(flatten)]
    pub task: Task,
    pub state: JobState,
    pub by: Actor,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
    /// How many letters fitted when it was started.
    pub total: u64,
    pub progress: Progress,
    /// The letter that it did last. A letter that comes back keeps its place, so the job can't meet it again.
    pub(crate) position: Option<String>,
    /// Until then the job is somebody's.
    pub(crate) leased_until: Timestamp,
    pub(crate) version: u64,
}

/// A job's id as callers may send it: a UUID.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(transparent, extend("format" = "uuid")))]
pub struct JobId(
    // In lower case, as jobs are stored.
    String,
);

impl JobId {
    /// `None` for what no job is called.
    pub fn parse(text: &str) -> Option<Self> {
        let id = Uuid::try_parse(text).ok()?.hyphenated().to_string();
        // The parser takes braces and leaves out dashes, too.
        id.eq_ignore_ascii_case(text).then_some(Self(id))
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// What to do, and to which letters.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Task {
    #[serde(flatten)]
    pub action: Action,
    /// Letters that are over or on their way are left alone, unless it names their state.
    #[serde(default)]
    pub filter: Filter,
    /// The most letters a second.
    #[serde(default = "usual_rate")]
    #[cfg_attr(feature = "schema", schemars(range(min = 1, max = 100)))]
    pub per_second: u32,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(tag = "action", rename_all = "snake_case")]
pub enum Action {
    Redrive,
    Discard {
        #[cfg_attr(feature = "schema", schemars(length(max = 500), regex(pattern = "\\S")))]
        because: String,
    },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum JobState {
    Running,
    /// By a person. Can be resumed.
    Stopped,
    Done,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Progress {
    /// Letters that were redriven or discarded.
    pub done: u64,
    /// Letters whose state, or whose missing value, doesn't allow it.
    pub skipped: u64,
}

/// What Okta's and DynamoDB's limits allow with room to spare.
pub const fn usual_rate() -> u32 {
    50
}

/// Nobody works longer on a slice; whoever was killed in one is replaced after that.
pub(crate) const LEASE: SignedDuration = SignedDuration::from_mins(2);

impl Job {
    pub(crate) fn is_free(&self, now: Timestamp) -> bool {
        self.state == JobState::Running && self.leased_until <= now
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_jobs_id_is_a_uuid_and_nothing_else() {
        const ID: &str = "01968f2e-7c00-7000-8000-00000000000a";
        for written in [ID.to_owned(), ID.to_uppercase()] {
            assert_eq!(JobId::parse(&written).unwrap().as_str(), ID);
        }
        let wrong =
            ["", &"-".repeat(36), &ID.replace('-', ""), &format!("{{{ID}}}"), &format!("urn:uuid:{ID}")];
        for wrong in wrong {
            assert_eq!(JobId::parse(wrong), None, "{wrong}");
        }
    }
}

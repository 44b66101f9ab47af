//! Work on many letters, a slice at a time: by whoever starts it, and by every sweep after that, until it is done.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::{actor::Actor, filter::Filter};

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
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

/// What to do, and to which letters.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Task {
    #[serde(flatten)]
    pub action: Action,
    /// Letters that are over or on their way are left alone, unless it names their state.
    #[serde(default)]
    pub filter: Filter,
    /// The most letters a second.
    #[serde(default = "usual_rate")]
    pub per_second: u32,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "action", rename_all = "snake_case")]
pub enum Action {
    Redrive,
    Discard { because: String },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum JobState {
    Running,
    /// By a person. Can be resumed.
    Stopped,
    Done,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
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

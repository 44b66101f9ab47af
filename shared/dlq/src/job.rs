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
    /// How many letters fit; `null` until they are counted, which is done beside the work.
    pub total: Option<u64>,
    pub progress: Progress,
    /// What is counted until now. Stored beside the job: callers are not shown it.
    #[serde(skip)]
    pub(crate) count: Count,
    /// The letter that it did last. A letter that comes back keeps its place, so the job can't meet it again.
    pub(crate) position: Option<String>,
    /// Until then the job is somebody's.
    pub(crate) leased_until: Timestamp,
    pub(crate) version: u64,
}

/// How many letters there are up to one.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Count {
    pub(crate) letters: u64,
    pub(crate) position: Option<String>,
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
    #[serde(default = "default_per_second")]
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
pub const fn default_per_second() -> u32 {
    50
}

/// Nobody works longer on a slice; whoever was killed in one is replaced after that.
pub(crate) const LEASE: SignedDuration = SignedDuration::from_mins(2);

impl Progress {
    /// Letters that the job has dealt with.
    fn all(self) -> u64 {
        self.done + self.skipped
    }
}

impl Job {
    pub(crate) fn is_free(&self, now: Timestamp) -> bool {
        self.state == JobState::Running && self.leased_until <= now
    }

    /// Letters leave an index as they are done. Where the work has overtaken the count, it goes on from there.
    pub(crate) fn count_what_is_done(&mut self) {
        // The newest first: what comes later in the list has the lower position, and the beginning has none.
        let is_ahead = match (&self.position, &self.count.position) {
            (Some(worked_to), Some(counted_to)) => worked_to < counted_to,
            (worked_to, _) => worked_to.is_some(),
        };
        if is_ahead {
            self.count = Count { letters: self.progress.all(), position: self.position.clone() };
        }
    }

    pub(crate) fn end(&mut self) {
        self.state = JobState::Done;
        self.total.get_or_insert(self.progress.all());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_count_goes_on_from_the_work_where_that_is_ahead() {
        let position = |at: &str| Some(at.to_owned());
        for (position, count, expected) in [
            (None, None, 7),
            (None, position("5#"), 7),
            (position("6#"), position("5#"), 7),
            (position("6#"), None, 3),
            (position("4#"), position("5#"), 3),
        ] {
            let mut job = job(position.clone(), Count { letters: 7, position: count.clone() });
            job.count_what_is_done();
            assert_eq!(job.count.letters, expected, "worked to {position:?}, counted to {count:?}");
            assert_eq!(job.count.position, if expected == 3 { position } else { count });
        }
    }

    #[test]
    fn a_job_that_ends_before_it_is_counted_had_as_many_letters_as_it_met() {
        let mut ended = job(None, Count::default());
        ended.end();
        assert_eq!((ended.state, ended.total), (JobState::Done, Some(3)));
    }

    fn job(position: Option<String>, count: Count) -> Job {
        Job {
            id: String::new(),
            task: Task { action: Action::Redrive, filter: Filter::default(), per_second: 1 },
            state: JobState::Running,
            by: Actor::caller("somebody"),
            created_at: Timestamp::UNIX_EPOCH,
            updated_at: Timestamp::UNIX_EPOCH,
            total: None,
            progress: Progress { done: 2, skipped: 1 },
            count,
            position,
            leased_until: Timestamp::UNIX_EPOCH,
            version: 0,
        }
    }

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

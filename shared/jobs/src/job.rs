use contracts::Actor;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize, Serializer};
use uuid::Uuid;

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(rename = "{T}Job"))]
pub struct Job<T> {
    /// A UUID.
    pub id: String,
    #[serde(flatten)]
    pub task: T,
    pub state: JobState,
    pub by: Actor,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
    /// How many fit; `null` until they are counted, which is done beside the work.
    pub total: Option<u64>,
    pub progress: Progress,
    /// What is counted until now. Stored beside the job: callers are not shown it.
    #[serde(skip)]
    pub(crate) count: Count,
    /// Always `null`: it would name somebody. `progress` says how far the job is.
    // Of the item that it did last, or where its list goes on. Stored beside the job, but by versions before.
    #[serde(default, serialize_with = "nothing")]
    pub(crate) position: Option<String>,
    /// Until then the job is somebody's.
    pub(crate) leased_until: Timestamp,
    pub(crate) version: u64,
}

/// How many items there are up to one.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Count {
    /// The first jobs were of letters, and are stored so.
    #[serde(rename = "letters")]
    pub(crate) items: u64,
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

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum JobState {
    Running,
    /// By a person. Can be resumed.
    Stopped,
    Done,
}

impl JobState {
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Running => "running",
            Self::Stopped => "stopped",
            Self::Done => "done",
        }
    }
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Progress {
    /// How many were done.
    pub done: u64,
    /// How many were left as they are: a letter whose state, or a missing value, doesn't allow it; facts that are too large for
    /// the topic.
    pub skipped: u64,
}

/// Nobody works longer on a slice; whoever was killed in one is replaced after that.
pub const LEASE: SignedDuration = SignedDuration::from_mins(2);

impl Progress {
    /// Items that the job has dealt with.
    pub(crate) fn all(self) -> u64 {
        self.done + self.skipped
    }
}

fn nothing<T, S: Serializer>(_: &T, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_none()
}

impl<T> Job<T> {
    /// One that is leased to whoever makes it.
    pub(crate) fn new(id: Uuid, task: T, by: &Actor, now: Timestamp) -> Self {
        Self {
            id: id.to_string(),
            task,
            state: JobState::Running,
            by: by.clone(),
            created_at: now,
            updated_at: now,
            total: None,
            progress: Progress::default(),
            count: Count::default(),
            position: None,
            leased_until: now + LEASE,
            version: 0,
        }
    }

    pub(crate) fn is_free(&self, now: Timestamp) -> bool {
        self.state == JobState::Running && self.leased_until <= now
    }

    /// Items leave the list as they are done. Where the work has overtaken the count, it goes on from there.
    pub(crate) fn count_what_is_done(&mut self, is_past: impl Fn(&str, &str) -> bool) {
        let is_ahead = match (&self.position, &self.count.position) {
            (Some(worked_to), Some(counted_to)) => is_past(worked_to, counted_to),
            (worked_to, _) => worked_to.is_some(),
        };
        if is_ahead {
            self.count = Count { items: self.progress.all(), position: self.position.clone() };
        }
    }

    pub(crate) fn end(&mut self) {
        self.state = JobState::Done;
        self.total.get_or_insert(self.progress.all());
        (self.position, self.count.position) = (None, None);
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
            (None, position("5"), 7),
            (position("4"), position("5"), 7),
            (position("4"), None, 3),
            (position("6"), position("5"), 3),
        ] {
            let mut job = job();
            (job.position, job.count) = (position.clone(), Count { items: 7, position: count.clone() });
            job.count_what_is_done(|position, other| position > other);
            assert_eq!(job.count.items, expected, "worked to {position:?}, counted to {count:?}");
            assert_eq!(job.count.position, if expected == 3 { position } else { count });
        }
    }

    #[test]
    fn a_job_that_ends_before_it_is_counted_had_as_many_items_as_it_met() {
        let mut ended = job();
        ended.end();
        assert_eq!((ended.state, ended.total), (JobState::Done, Some(3)));
    }

    fn job() -> Job<()> {
        let by = Actor::caller("somebody");
        let progress = Progress { done: 2, skipped: 1 };
        Job { progress, ..Job::new(Uuid::nil(), (), &by, Timestamp::UNIX_EPOCH) }
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

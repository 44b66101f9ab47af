use serde::{Serialize, de::DeserializeOwned};

use crate::{Error, Job};

/// What a feature does in its jobs.
pub trait Work: Sync {
    /// Which items, and what is done with them; stored with the job.
    type Task: Serialize + DeserializeOwned + Clone + Send + Sync;

    type Item: Send;

    type Error: std::error::Error + From<Error> + Send + 'static;

    /// The most items a second.
    fn per_second(task: &Self::Task) -> u32;

    /// Whether `position` comes later in the list than `other`.
    fn is_past(position: &str, other: &str) -> bool;

    /// Up to `limit` items that come after `position`; fewer, or none, where more would be too much to read at once. An item
    /// that leaves the list and comes back has its old place: a job meets none twice.
    fn list(
        &self,
        task: &Self::Task,
        position: Option<&str>,
        limit: usize,
    ) -> impl Future<Output = Result<Listed<Self::Item>, Self::Error>> + Send;

    /// Done twice it has to come to the same: whoever takes a job over repeats a slice at the most.
    ///
    /// # Errors
    /// What fails ends the slice, and is tried again by a later sweep. What would fail for ever has to be skipped.
    fn process(
        &self,
        job: &Job<Self::Task>,
        item: Self::Item,
    ) -> impl Future<Output = Result<Outcome, Self::Error>> + Send;
}

/// Some of a job's items.
#[derive(Debug)]
pub struct Listed<T> {
    /// Each with its position.
    pub items: Vec<(String, T)>,
    /// Where the list goes on; `None` at its end.
    pub next: Option<String>,
}

/// What became of an item.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    Done,
    /// It was left as it is.
    Skipped,
    /// It and those after it have to wait for a later sweep.
    NotNow,
}

//! Publishes again what was told of people as they are now, for whoever has just begun to read.

use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

use contracts::EmployeeId;
use facts::Task;
use jobs::{Job, Jobs, Listed, Outcome, Work};
use kafka::Producer;
use runtime::telemetry;
use tokio::time::Instant;

use crate::{
    store::{self, Store},
    told,
};

/// Works on the jobs that republish the facts of people.
#[derive(Debug, Clone)]
pub struct Republish {
    store: Store,
    producer: Producer,
    jobs: Jobs<Task>,
}

/// The jobs of one sweep.
struct PeopleWork<'a> {
    store: &'a Store,
    producer: &'a Producer,
    /// Nobody waits for the brokers twice.
    brokers_are_away: AtomicBool,
}

/// Why a slice stops short.
#[derive(Debug, thiserror::Error)]
enum Error {
    #[error(transparent)]
    Jobs(#[from] jobs::Error),
    #[error("the people could not be read")]
    Store(#[from] store::Error),
}

/// Where somebody stands among all. Each store has an order of its own, so that an id alone doesn't say who comes later.
#[derive(Debug, PartialEq, Eq)]
struct Place {
    /// How many were listed up to them.
    rank: u64,
    id: EmployeeId,
}

/// DynamoDB reads people whole, also to count them: so many at once are no more than a few megabytes.
const AT_ONCE: usize = 250;

impl Republish {
    pub fn new(store: Store, producer: Producer, jobs: Jobs<Task>) -> Self {
        Self { store, producer, jobs }
    }

    /// Goes on with every job that is nobody's. Returns of how many people the facts are on the topic again.
    ///
    /// # Errors
    /// When the jobs can't be read.
    pub async fn run_all(&self, until: Instant) -> Result<u64, jobs::Error> {
        let Self { store, producer, jobs } = self;
        let work = PeopleWork { store, producer, brokers_are_away: AtomicBool::default() };
        jobs.run_all(&work, until).await
    }
}

impl Work for PeopleWork<'_> {
    type Task = Task;
    type Item = EmployeeId;
    type Error = Error;

    fn per_second(task: &Task) -> u32 {
        task.per_second
    }

    fn is_past(position: &str, other: &str) -> bool {
        let rank = |position| Place::parse(position).map(|place| place.rank);
        rank(position) > rank(other)
    }

    async fn list(
        &self,
        _task: &Task,
        position: Option<&str>,
        limit: usize,
    ) -> Result<Listed<EmployeeId>, Error> {
        let (limit, after) = (limit.min(AT_ONCE), position.and_then(Place::parse));
        let people = self.store.everybody(after.as_ref().map(|place| &place.id), limit).await?;
        let is_last = people.len() < limit;
        let first = after.map_or(1, |place| place.rank + 1);
        let place = |(rank, id): (u64, EmployeeId)| (Place { rank, id: id.clone() }.to_string(), id);
        let items: Vec<_> = (first..).zip(people).map(place).collect();
        let next = items.last().filter(|_| !is_last).map(|(position, _)| position.clone());
        Ok(Listed { items, next })
    }

    /// Read when it is their turn: who was forgotten since they were listed isn't told. Of somebody who changes in this
    /// moment an older version may be published after the newer one: readers go by the version.
    async fn process(&self, job: &Job<Task>, id: EmployeeId) -> Result<Outcome, Error> {
        if self.brokers_are_away.load(Relaxed) {
            return Ok(Outcome::NotNow);
        }
        let job_id = job.id.as_str();
        let person = match self.store.person(&id).await {
            // Trying again gives the same.
            Err(store::Error::Unstorable(error)) => {
                let error = telemetry::chain(&*error);
                tracing::error!(job_id, error, "a job leaves a person out");
                return Ok(Outcome::Skipped);
            }
            person => person?,
        };
        let Some(person) = person else { return Ok(Outcome::Skipped) };
        let Some(facts) = told::again(&person) else { return Ok(Outcome::Skipped) };
        let Err(error) = facts::publish(self.producer, &facts).await else { return Ok(Outcome::Done) };
        let reason = telemetry::chain(&error);
        match error {
            // Trying again gives the same.
            kafka::Error::TooLarge(_) => {
                let correlation_id = person.correlation_id.as_str();
                tracing::error!(job_id, correlation_id, error = reason, "a job leaves a person out");
                Ok(Outcome::Skipped)
            }
            kafka::Error::Unacknowledged(_) => {
                self.brokers_are_away.store(true, Relaxed);
                tracing::warn!(job_id, error = reason, "a job waits for the brokers");
                Ok(Outcome::NotNow)
            }
        }
    }
}

impl Place {
    /// `None` for what no place is written as.
    fn parse(position: &str) -> Option<Self> {
        let (rank, id) = position.split_once(' ')?;
        Some(Self { rank: rank.parse().ok()?, id: EmployeeId::parse(id).ok()? })
    }
}

impl std::fmt::Display for Place {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {}", self.rank, self.id)
    }
}

#[cfg(test)]
mod tests;

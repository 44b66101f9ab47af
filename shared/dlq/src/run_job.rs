use contracts::Actor;
use jobs::{Jobs, Listed, Outcome, Work};
use runtime::{Clock, telemetry};
use tokio::time::Instant;

use crate::{
    Error,
    audit::Deed,
    discard::Discard,
    job::{Action, Job, Task},
    letter::DeadLetter,
    life::LetterState,
    redrive::{Brokers, Redrive},
    store::{self, Position, Store},
    write::Writer,
};

/// Starts jobs on letters, works on them, and stops them.
#[derive(Debug, Clone)]
pub struct RunJobs {
    writer: Writer,
    redrive: Redrive,
    discard: Discard,
    jobs: Jobs<Task>,
}

/// What is done to the letters of a job.
struct LetterWork<'a> {
    store: &'a Store,
    redrive: &'a Redrive,
    discard: &'a Discard,
    brokers: &'a Brokers,
}

impl RunJobs {
    pub fn new(store: Store, redrive: Redrive, clock: Clock) -> Self {
        let (discard, jobs) = (Discard::new(store.clone(), clock), Jobs::new(store.jobs(), clock));
        Self { writer: Writer { store, clock }, redrive, discard, jobs }
    }

    /// Works on it until `until`; the sweep goes on with it.
    pub async fn start(&self, mut task: Task, by: &Actor, until: Instant) -> Result<Job, Error> {
        // Letters that come while it runs are not its business: it has an end.
        let now = self.writer.clock.now();
        task.filter.parked_before = Some(task.filter.parked_before.map_or(now, |before| before.min(now)));
        let mut job = self.jobs.prepare(task, by);
        let deed = Deed::StartJob { job: job.id.clone(), task: job.task.clone() };
        self.writer.record(by, deed).await?;
        self.jobs.start(&self.work(&Brokers::default()), &mut job, until).await?;
        Ok(job)
    }

    /// Stops it, unless it is done. Letters of a slice that is under way are still done.
    pub async fn stop(&self, id: &str, by: &Actor) -> Result<Job, Error> {
        let job = self.jobs.get(id).await?.id;
        self.writer.record(by, Deed::StopJob { job }).await?;
        Ok(self.jobs.stop(id).await?)
    }

    /// Lets it go on with the next sweep, unless it is done.
    pub async fn resume(&self, id: &str, by: &Actor) -> Result<Job, Error> {
        let job = self.jobs.get(id).await?.id;
        self.writer.record(by, Deed::ResumeJob { job }).await?;
        Ok(self.jobs.resume(id).await?)
    }

    /// Goes on with every job that is nobody's; where `brokers` are away, with those that need none. Returns how many
    /// letters it did.
    pub(crate) async fn run_all(&self, until: Instant, brokers: &Brokers) -> Result<u64, Error> {
        Ok(self.jobs.run_all(&self.work(brokers), until).await?)
    }

    fn work<'a>(&'a self, brokers: &'a Brokers) -> LetterWork<'a> {
        let Self { writer, redrive, discard, .. } = self;
        LetterWork { store: &writer.store, redrive, discard, brokers }
    }
}

impl Work for LetterWork<'_> {
    type Task = Task;
    type Item = DeadLetter;
    type Error = Error;

    fn per_second(task: &Task) -> u32 {
        task.per_second
    }

    /// The newest letters come first.
    fn is_past(position: &str, other: &str) -> bool {
        position < other
    }

    async fn list(
        &self,
        task: &Task,
        position: Option<&str>,
        limit: usize,
    ) -> Result<Listed<DeadLetter>, Error> {
        let after = position.and_then(Position::parse);
        let store::Listed { letters, next } = self.store.list(&task.filter, after.as_ref(), limit).await?;
        let items = letters.into_iter().map(|letter| (Position::of(&letter).to_string(), letter)).collect();
        Ok(Listed { items, next: next.map(|next| next.to_string()) })
    }

    async fn process(&self, Job { task, by, .. }: &Job, letter: DeadLetter) -> Result<Outcome, Error> {
        if task.action == Action::Redrive && self.brokers.are_away() {
            return Ok(Outcome::NotNow);
        }
        // Asked of the letter as it is now: what was listed may be old.
        let wanted =
            |state: LetterState| task.filter.state.map_or(state.is_waiting(), |wanted| wanted == state);
        let done = match &task.action {
            _ if !wanted(letter.life.state) => Err(Error::Overtaken),
            Action::Redrive => {
                let done = self.redrive.for_job(&letter.id, by, wanted).await;
                // It counts as done where they are away, too: the sweep publishes it.
                done.map(|(_letter, publication)| self.brokers.note(publication))
            }
            Action::Discard { because } => {
                self.discard.by_hand(&letter.id, because, by, wanted).await.map(|_letter| ())
            }
        };
        match done {
            Ok(()) => Ok(Outcome::Done),
            Err(
                Error::Unknown
                | Error::Overtaken
                | Error::Refused(_)
                | Error::ValueLeftOut
                | Error::PayloadGone,
            ) => Ok(Outcome::Skipped),
            // Trying again gives the same: one letter must not hold up the others for ever.
            Err(Error::Store(error @ (dynamo::Error::Refused(_) | dynamo::Error::Layout))) => {
                let (dead_letter_id, error) = (letter.id.as_str(), telemetry::chain(&error));
                tracing::error!(dead_letter_id, error, "a job leaves a dead letter out");
                Ok(Outcome::Skipped)
            }
            Err(error @ (Error::Store(_) | Error::Contended | Error::Cursor(_))) => Err(error),
        }
    }
}

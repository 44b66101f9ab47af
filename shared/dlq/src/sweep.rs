use std::sync::Arc;

use contracts::{Actor, Outcome};
use futures_util::{StreamExt, stream};
use jiff::Timestamp;
use jobs::Pace;
use recovery::{Ended, Features, Follow, Unavailable};
use runtime::{Clock, telemetry};
use tokio::time::Instant;

use crate::{
    Error,
    job::default_per_second,
    letter::DeadLetter,
    life::{Due, LetterState, Step},
    redrive::{Brokers, Publication, Redrive},
    run_job::RunJobs,
    store::{Saved, Store},
    write::Writer,
};

/// What goes on by itself: redrives that are due, redrives whose outcome is to be had, jobs that are not done.
#[derive(Debug, Clone)]
pub struct Sweep {
    writer: Writer,
    redrive: Redrive,
    jobs: RunJobs,
    features: Arc<Features<dyn Follow>>,
}

/// What a sweep did.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Swept {
    pub redriven: u64,
    pub resolved: u64,
    /// Redriven earlier, and without an outcome yet.
    pub pending: u64,
    /// Of jobs: letters redriven or discarded.
    pub by_jobs: u64,
    /// Could not be done now; the next sweep tries again.
    pub failed: u64,
}

/// Letters at once: each is a few writes and an acknowledgement.
const CONCURRENCY: usize = 16;

/// Letters a page.
const PAGE: i32 = 100;

/// What its letters share.
struct Pass {
    pace: Pace,
    brokers: Brokers,
    stop_starting: Instant,
}

impl Sweep {
    pub fn new(
        store: Store,
        redrive: Redrive,
        jobs: RunJobs,
        features: Arc<Features<dyn Follow>>,
        clock: Clock,
    ) -> Self {
        Self { writer: Writer { store, clock }, redrive, jobs, features }
    }

    /// Starts nothing after `stop_starting`, and publishes nothing more once the brokers were away; what is left is left
    /// to the next sweep.
    ///
    /// # Errors
    /// When the letters that are due, or the jobs, can't be read.
    pub async fn run(&self, stop_starting: Instant) -> Result<Swept, Error> {
        let mut swept = Swept::default();
        let pass = Pass { pace: Pace::new(default_per_second()), brokers: Brokers::default(), stop_starting };
        let (now, mut next) = (self.writer.clock.now(), None);
        // One pass: what fails in it stays due for the next sweep.
        while Instant::now() < stop_starting {
            let due = self.writer.store.due(now, next, PAGE).await?;
            let outcomes: Vec<_> = stream::iter(due.letters)
                .map(|letter| self.go_on(letter, &pass))
                .buffer_unordered(CONCURRENCY)
                .collect()
                .await;
            for outcome in outcomes {
                swept.add(outcome);
            }
            swept.failed += due.unreadable;
            next = due.next;
            if next.is_none() {
                break;
            }
        }
        swept.by_jobs = self.jobs.run_all(stop_starting, &pass.brokers).await?;
        let Swept { redriven, resolved, pending, by_jobs, failed } = swept;
        tracing::info!(redriven, resolved, pending, by_jobs, failed, "swept the dead letters");
        Ok(swept)
    }

    async fn go_on(&self, mut letter: DeadLetter, pass: &Pass) -> Result<Done, Error> {
        match letter.life.due() {
            due @ (Due::Redrive | Due::Republish) => self.publish(&mut letter, due, pass).await,
            Due::Expire => self.expire(letter).await,
            Due::CheckOutcome => {
                let outcome = match letter.event_ids() {
                    Some(event) => self.features.of(letter.topic).outcome(&event).await,
                    // No message of ours: it comes back.
                    None => Ok(None),
                };
                self.note(letter, outcome).await
            }
            Due::Nothing => Ok(Done::Nothing),
        }
    }

    async fn publish(&self, letter: &mut DeadLetter, due: Due, pass: &Pass) -> Result<Done, Error> {
        if !pass.brokers.are_away() && !pass.pace.wait_before(pass.stop_starting).await {
            return Ok(Done::Nothing);
        }
        // Also of those that have waited for their turn.
        if pass.brokers.are_away() {
            return Ok(Done::Failed);
        }
        let publication = match due {
            Due::Redrive => self.redrive.by_schedule(letter).await?,
            _ => self.redrive.republish(letter).await?,
        };
        pass.brokers.note(publication);
        Ok(publication.into())
    }

    async fn expire(&self, mut letter: DeadLetter) -> Result<Done, Error> {
        if letter.life.state == LetterState::Discarded
            && let Some(event) = letter.event_ids()
            && let Err(error) = self.features.of(letter.topic).discarded(&event).await
        {
            tracing::warn!(error = telemetry::chain(&error), "a discard could not be told");
            return Ok(Done::Failed);
        }
        self.writer.expire(&mut letter).await?;
        Ok(Done::Nothing)
    }

    async fn note(
        &self,
        mut letter: DeadLetter,
        outcome: Result<Option<Ended>, Unavailable>,
    ) -> Result<Done, Error> {
        let now = self.writer.clock.now();
        let (step, done, note) = match outcome {
            Ok(Some(ended)) => (Step::Resolve, Done::Resolved, note(&ended, letter.life.redriven_at)),
            Ok(None) => {
                let overdue = letter.life.is_overdue(now).then_some("its redrive had no outcome");
                (Step::OutcomePending, Done::Pending, overdue)
            }
            Err(error) => {
                tracing::warn!(error = telemetry::chain(&error), "an outcome could not be asked for");
                return Ok(Done::Failed);
            }
        };
        letter.step(step, &Actor::pipeline(), now, note.map(str::to_owned))?;
        if self.writer.store.save(&mut letter).await? == Saved::Conflict {
            return Ok(Done::Nothing);
        }
        if letter.life.state == LetterState::Quarantined {
            let (dead_letter_id, state) = (letter.id.as_str(), letter.life.state.name());
            tracing::warn!(dead_letter_id, state, "a redriven record had no outcome");
        }
        if done == Done::Resolved {
            self.writer.expire(&mut letter).await?;
            tracing::info!(dead_letter_id = letter.id.as_str(), "a dead letter is resolved");
        }
        Ok(done)
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Done {
    Redriven,
    Resolved,
    Pending,
    Failed,
    Nothing,
}

/// What a letter's history says where its redrive changed nothing, or may have: whoever edited it must not think
/// otherwise.
fn note(Ended { outcome, at }: &Ended, redriven_at: Option<Timestamp>) -> Option<&'static str> {
    const ALREADY: &str =
        "its event had been applied already: another copy changes nothing, unless it was edited";
    const NOTHING_NEW: &str = "it changed nothing: what its event says was known already, or something newer says \
        otherwise. Look at the user";
    match outcome {
        Outcome::Changed { .. } => (redriven_at? > *at).then_some(ALREADY),
        Outcome::NothingNew | Outcome::Failed { .. } => Some(NOTHING_NEW),
    }
}

impl From<Publication> for Done {
    fn from(publication: Publication) -> Self {
        match publication {
            Publication::Yes => Self::Redriven,
            Publication::Unacknowledged => Self::Failed,
            Publication::NotOurs => Self::Nothing,
        }
    }
}

impl Swept {
    fn add(&mut self, outcome: Result<Done, Error>) {
        match outcome {
            Ok(Done::Redriven) => self.redriven += 1,
            Ok(Done::Resolved) => self.resolved += 1,
            Ok(Done::Pending) => self.pending += 1,
            Ok(Done::Nothing) => {}
            Ok(Done::Failed) => self.failed += 1,
            Err(error) => {
                self.failed += 1;
                tracing::error!(error = telemetry::chain(&error), "a dead letter could not go on");
            }
        }
    }
}

#[cfg(test)]
mod tests;

use std::sync::Arc;

use contracts::Actor;
use futures_util::{StreamExt, stream};
use jiff::{SignedDuration, Timestamp};
use runtime::{Clock, telemetry};
use serde::{Serialize, de::DeserializeOwned};
use tokio::{sync::Mutex, time::Instant};

use crate::{Error, Job, JobState, LEASE, Listed, Outcome, Pace, Progress, Store, Work, store::Saved};

/// Starts jobs, works on them, and stops them. `T` is their task.
#[derive(Debug, Clone)]
pub struct Jobs<T> {
    store: Store<T>,
    clock: Clock,
    looked_for_lost: Arc<Mutex<Option<Timestamp>>>,
}

/// The most items between two notes of a job's position.
const SLICE: usize = 20;

/// Jobs of a sweep at once: one that is to be slow holds up no other.
const JOBS_AT_ONCE: usize = 8;

/// Items at once: each is a few writes and, often, an acknowledgement.
const CONCURRENCY: usize = 8;

/// Items that are counted with each slice, until all are: a read or two.
const COUNTED_AT_ONCE: usize = 1000;

/// Reads, decisions and writes, where somebody else wrote in between: they do so only by hand.
const ROUNDS: usize = 5;

/// Between two looks for jobs that were saved by versions whose sweeps read every job. For minutes after a deployment
/// such a version still runs beside this one.
const LOOK_FOR_LOST: SignedDuration = SignedDuration::from_hours(1);

impl<T: Serialize + DeserializeOwned + Clone + Send + Sync> Jobs<T> {
    pub fn new(store: Store<T>, clock: Clock) -> Self {
        Self { store, clock, looked_for_lost: Arc::default() }
    }

    /// A job that is not stored yet: who starts it is audited by its id before.
    pub fn prepare(&self, task: T, by: &Actor) -> Job<T> {
        Job::new(self.clock.new_id(), task, by, self.clock.now())
    }

    /// Works on it until `until`; the sweeps go on with it. It is stored before an item is listed: what follows takes as long
    /// as there are items.
    pub async fn start<W: Work<Task = T>>(
        &self,
        work: &W,
        job: &mut Job<T>,
        until: Instant,
    ) -> Result<(), Error> {
        self.store.save(job).await?;
        self.run_or_leave(work, job, until).await;
        Ok(())
    }

    /// Stores it for the next sweep.
    pub async fn enqueue(&self, task: T, by: &Actor) -> Result<Job<T>, Error> {
        let mut job = self.prepare(task, by);
        job.leased_until = job.created_at;
        self.store.save(&mut job).await?;
        Ok(job)
    }

    /// Stops it, unless it is done. What a slice has begun is still done.
    pub async fn stop(&self, id: &str) -> Result<Job<T>, Error> {
        self.set_state(id, JobState::Stopped).await
    }

    /// Lets it go on with the next sweep, unless it is done.
    pub async fn resume(&self, id: &str) -> Result<Job<T>, Error> {
        self.set_state(id, JobState::Running).await
    }

    async fn set_state(&self, id: &str, state: JobState) -> Result<Job<T>, Error> {
        for _ in 0..ROUNDS {
            let mut job = self.get(id).await?;
            if job.state == JobState::Done {
                return Ok(job);
            }
            job.state = state;
            job.updated_at = self.clock.now();
            if self.store.save(&mut job).await? == Saved::Yes {
                return Ok(job);
            }
        }
        Err(Error::Contended)
    }

    pub async fn get(&self, id: &str) -> Result<Job<T>, Error> {
        self.store.get(id).await?.ok_or(Error::Unknown)
    }

    /// Goes on with every job that is nobody's, several at once. Returns how many items it did.
    ///
    /// # Errors
    /// When it can't be read which they are. What fails in one job keeps no other from going on.
    pub async fn run_all<W: Work<Task = T>>(&self, work: &W, until: Instant) -> Result<u64, Error> {
        self.find_lost().await?;
        let free = self.store.free(self.clock.now()).await?;
        let running = stream::iter(free).map(|job| self.go_on(work, job, until));
        let done: Vec<u64> = running.buffer_unordered(JOBS_AT_ONCE).collect().await;
        Ok(done.into_iter().sum())
    }

    /// If it still is nobody's. Returns how many items it did.
    async fn go_on<W: Work<Task = T>>(&self, work: &W, mut job: Job<T>, until: Instant) -> u64 {
        if Instant::now() >= until {
            return 0;
        }
        job.leased_until = self.clock.now() + LEASE;
        match self.store.save(&mut job).await {
            Ok(Saved::Yes) => {}
            Ok(Saved::Conflict) => return 0,
            Err(error) => {
                let (job, error) = (job.id.as_str(), telemetry::chain(&error));
                tracing::warn!(job, error, "a job waits for the next sweep");
                return 0;
            }
        }
        let before = job.progress.done;
        self.run_or_leave(work, &mut job, until).await;
        job.progress.done - before
    }

    /// Puts jobs that run, but that this version's sweeps would not find, where they do.
    async fn find_lost(&self) -> Result<(), Error> {
        let now = self.clock.now();
        let looked = *self.looked_for_lost.lock().await;
        if looked.is_some_and(|at| now.duration_since(at) < LOOK_FOR_LOST) {
            return Ok(());
        }
        for mut job in self.store.out_of_queue().await? {
            // Where somebody works on it, the next look finds it if that is needed.
            if self.store.save(&mut job).await? == Saved::Yes {
                tracing::info!(job_id = job.id, "found a job of an older version");
            }
        }
        *self.looked_for_lost.lock().await = Some(now);
        Ok(())
    }

    /// What can't go on now does so with a later sweep.
    async fn run_or_leave<W: Work<Task = T>>(&self, work: &W, job: &mut Job<T>, until: Instant) {
        if let Err(error) = self.run(work, job, until).await {
            tracing::error!(job_id = job.id, error = telemetry::chain(&error), "a job stops short");
        }
    }

    /// Until its end, or `until`, or until somebody stops it or the work can't go on.
    async fn run<W: Work<Task = T>>(
        &self,
        work: &W,
        job: &mut Job<T>,
        until: Instant,
    ) -> Result<(), W::Error> {
        let pace = Pace::new(W::per_second(&job.task));
        loop {
            self.count_on(work, job).await?;
            let end = self.slice(work, job, &pace, until).await?;
            let goes_on = matches!(end, SliceEnd::More) && Instant::now() < until;
            let saved = self.save_progress(job, goes_on).await?;
            if let SliceEnd::Failed(error) = end {
                return Err(error);
            }
            if !goes_on || saved == Held::No {
                break;
            }
        }
        let (state, Progress { done, skipped }) = (job.state.name(), job.progress);
        tracing::info!(job_id = job.id, state, done, skipped, "worked on a job");
        Ok(())
    }

    /// Processes the next items, and moves the job's position past those before which all are processed.
    async fn slice<W: Work<Task = T>>(
        &self,
        work: &W,
        job: &mut Job<T>,
        pace: &Pace,
        until: Instant,
    ) -> Result<SliceEnd<W::Error>, W::Error> {
        let most = slice(W::per_second(&job.task));
        let Listed { items, next } = work.list(&job.task, job.position.as_deref(), most).await?;
        // In their order: what is done after one that has to wait doesn't count.
        let outcomes: Vec<_> = stream::iter(items)
            .map(|(position, item)| one(work, job, item, position, pace, until))
            .buffered(CONCURRENCY)
            .collect()
            .await;
        for (position, outcome) in outcomes {
            match outcome {
                Ok(Outcome::Done) => job.progress.done += 1,
                Ok(Outcome::Skipped) => job.progress.skipped += 1,
                Ok(Outcome::NotNow) => return Ok(SliceEnd::NotNow),
                Err(error) => return Ok(SliceEnd::Failed(error)),
            }
            job.position = Some(position);
        }
        match next {
            // Also past what doesn't fit.
            Some(next) => {
                job.position = Some(next);
                Ok(SliceEnd::More)
            }
            None => {
                job.end();
                Ok(SliceEnd::Done)
            }
        }
    }

    /// Counts some more of its items, if they are not known yet.
    async fn count_on<W: Work<Task = T>>(&self, work: &W, job: &mut Job<T>) -> Result<(), W::Error> {
        if job.total.is_some() {
            return Ok(());
        }
        job.count_what_is_done(W::is_past);
        let Listed { items, next } =
            work.list(&job.task, job.count.position.as_deref(), COUNTED_AT_ONCE).await?;
        job.count.items += items.len() as u64;
        match next {
            Some(next) => job.count.position = Some(next),
            None => job.total = Some(job.count.items),
        }
        Ok(())
    }

    /// Writes down how far it is, beside what a person has said meanwhile.
    async fn save_progress(&self, job: &mut Job<T>, goes_on: bool) -> Result<Held, Error> {
        let lease = job.leased_until;
        job.updated_at = self.clock.now();
        job.leased_until = if goes_on { job.updated_at + LEASE } else { job.updated_at };
        for _ in 0..ROUNDS {
            if self.store.save(job).await? == Saved::Yes {
                return Ok(if job.state == JobState::Running { Held::Yes } else { Held::No });
            }
            let stored = self.get(&job.id).await?;
            if stored.leased_until != lease {
                tracing::warn!(
                    job_id = job.id,
                    "a slice took longer than its lease: another works on the job"
                );
                *job = stored;
                return Ok(Held::No);
            }
            // It has come to its end, whatever a person wants of it now.
            let state = if job.state == JobState::Done { JobState::Done } else { stored.state };
            (job.state, job.version) = (state, stored.version);
            if job.state != JobState::Running {
                job.leased_until = job.updated_at;
            }
        }
        Err(Error::Contended)
    }
}

/// How many items are processed at the most before it is looked whether somebody has stopped the job: a second's.
fn slice(per_second: u32) -> usize {
    usize::try_from(per_second).unwrap_or(SLICE).clamp(1, SLICE)
}

async fn one<W: Work>(
    work: &W,
    job: &Job<W::Task>,
    item: W::Item,
    position: String,
    pace: &Pace,
    until: Instant,
) -> (String, Result<Outcome, W::Error>) {
    let is_its_turn = pace.wait_before(until).await;
    (position, if is_its_turn { work.process(job, item).await } else { Ok(Outcome::NotNow) })
}

/// How a slice ended.
enum SliceEnd<E> {
    /// There are more items.
    More,
    Done,
    NotNow,
    Failed(E),
}

/// Whether the job is still ours to work on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Held {
    Yes,
    No,
}

#[cfg(test)]
mod tests;

use std::sync::Arc;

use futures_util::{StreamExt, stream};
use jiff::{SignedDuration, Timestamp};
use runtime::{Clock, telemetry};
use tokio::{sync::Mutex, time::Instant};

use crate::{
    Error,
    actor::Actor,
    audit::Deed,
    discard::Discard,
    job::{Action, Count, Job, JobState, LEASE, Task},
    letter::DeadLetter,
    life::State,
    pace::Pace,
    redrive::{Brokers, Redrive},
    store::{Listed, Position, Saved, Store},
    write::{ROUNDS, Writer},
};

/// Starts jobs, works on them, and stops them. A job's place is written down every few letters, so that whoever takes
/// it over after a crash repeats those at the most, and they are not what they were.
#[derive(Debug, Clone)]
pub struct RunJobs {
    writer: Writer,
    redrive: Redrive,
    discard: Discard,
    looked_for_lost: Arc<Mutex<Option<Timestamp>>>,
}

/// What the letters of a slice share.
struct Slice<'a> {
    pace: Pace,
    until: Instant,
    brokers: &'a Brokers,
}

/// Letters between two notes of a job's place.
const SLICE: usize = 20;

/// Letters at once: each is a few writes and an acknowledgement.
const CONCURRENCY: usize = 8;

/// Letters that are counted with each slice, until all are: a read or two.
const COUNTED_AT_ONCE: usize = 1000;

/// Between two looks for jobs that were saved by versions whose sweeps read every job. For minutes after a deployment
/// such a version still runs beside this one.
const LOOK_FOR_LOST: SignedDuration = SignedDuration::from_hours(1);

impl RunJobs {
    pub fn new(store: Store, redrive: Redrive, clock: Clock) -> Self {
        let discard = Discard::new(store.clone(), clock);
        Self { writer: Writer { store, clock }, redrive, discard, looked_for_lost: Arc::default() }
    }

    /// Works on it until `until`; the sweep goes on with it. It is stored before a letter is read: what follows takes as
    /// long as there are letters.
    pub async fn start(&self, mut task: Task, by: &Actor, until: Instant) -> Result<Job, Error> {
        let now = self.writer.clock.now();
        // Letters that come while it runs are not its business: it has an end.
        task.filter.parked_before = Some(task.filter.parked_before.map_or(now, |before| before.min(now)));
        let id = self.writer.clock.new_id().to_string();
        self.writer.record(by, Deed::StartJob { job: id.clone(), task: task.clone() }).await?;
        let mut job = Job {
            id,
            task,
            state: JobState::Running,
            by: by.clone(),
            created_at: now,
            updated_at: now,
            total: None,
            progress: crate::Progress::default(),
            count: Count::default(),
            position: None,
            leased_until: now + LEASE,
            version: 0,
        };
        self.writer.store.save_job(&mut job).await?;
        self.run_or_leave(&mut job, until, &Brokers::default()).await;
        Ok(job)
    }

    /// Stops it, unless it is done. What is under way in a slice is still done.
    pub async fn stop(&self, id: &str, by: &Actor) -> Result<Job, Error> {
        self.set_state(id, JobState::Stopped, by, Deed::StopJob { job: id.to_owned() }).await
    }

    /// Lets it go on with the next sweep, unless it is done.
    pub async fn resume(&self, id: &str, by: &Actor) -> Result<Job, Error> {
        self.set_state(id, JobState::Running, by, Deed::ResumeJob { job: id.to_owned() }).await
    }

    async fn set_state(&self, id: &str, state: JobState, by: &Actor, deed: Deed) -> Result<Job, Error> {
        self.writer.store.job(id).await?.ok_or(Error::Unknown)?;
        self.writer.record(by, deed).await?;
        for _ in 0..ROUNDS {
            let mut job = self.writer.store.job(id).await?.ok_or(Error::Unknown)?;
            if job.state == JobState::Done {
                return Ok(job);
            }
            job.state = state;
            job.updated_at = self.writer.clock.now();
            if self.writer.store.save_job(&mut job).await? == Saved::Yes {
                return Ok(job);
            }
        }
        Err(Error::Contended)
    }

    /// Goes on with every job that is nobody's; where `brokers` are away, with those that need none. Returns how many
    /// letters it did.
    pub(crate) async fn run_all(&self, until: Instant, brokers: &Brokers) -> Result<u64, Error> {
        self.find_lost().await?;
        let mut done = 0;
        let jobs = self.writer.store.free_jobs(self.writer.clock.now()).await?;
        for mut job in jobs {
            if Instant::now() >= until {
                break;
            }
            job.leased_until = self.writer.clock.now() + LEASE;
            if self.writer.store.save_job(&mut job).await? == Saved::Yes {
                let before = job.progress.done;
                self.run_or_leave(&mut job, until, brokers).await;
                done += job.progress.done - before;
            }
        }
        Ok(done)
    }

    /// Puts jobs that run, but that this version's sweeps would not find, where they do.
    async fn find_lost(&self) -> Result<(), Error> {
        let now = self.writer.clock.now();
        let looked = *self.looked_for_lost.lock().await;
        if looked.is_some_and(|at| now.duration_since(at) < LOOK_FOR_LOST) {
            return Ok(());
        }
        for mut job in self.writer.store.jobs_out_of_queue().await? {
            // Where somebody works on it, the next look finds it if that is needed.
            if self.writer.store.save_job(&mut job).await? == Saved::Yes {
                tracing::info!(job_id = job.id, "found a job of an older version");
            }
        }
        *self.looked_for_lost.lock().await = Some(now);
        Ok(())
    }

    /// What can't go on now does so with a later sweep, when the lease is over.
    async fn run_or_leave(&self, job: &mut Job, until: Instant, brokers: &Brokers) {
        if let Err(error) = self.run(job, until, brokers).await {
            tracing::error!(job_id = job.id, error = telemetry::chain(&error), "a job stops short");
        }
    }

    /// Until its end, or `until`, or until somebody stops it or the brokers are away.
    async fn run(&self, job: &mut Job, until: Instant, brokers: &Brokers) -> Result<(), Error> {
        let slice = Slice { pace: Pace::new(job.task.per_second), until, brokers };
        let mut goes_on = true;
        while goes_on {
            self.count_on(job).await?;
            let after = job.position.as_deref().and_then(Position::parse);
            let Listed { letters, next } =
                self.writer.store.list(&job.task.filter, after.as_ref(), SLICE).await?;
            // In their order: the job's place is the last letter before which all are done.
            let outcomes: Vec<_> = stream::iter(letters)
                .map(|letter| self.one(&job.task, &job.by, letter, &slice))
                .buffered(CONCURRENCY)
                .collect()
                .await;
            let mut finished = true;
            for outcome in outcomes {
                let Some((position, is_done)) = outcome? else {
                    finished = false;
                    break;
                };
                let count = if is_done { &mut job.progress.done } else { &mut job.progress.skipped };
                *count += 1;
                job.position = Some(position.to_string());
            }
            goes_on = finished && next.is_some() && Instant::now() < until;
            match next {
                // Also past what doesn't fit.
                Some(next) if finished => job.position = Some(next.to_string()),
                None if finished => job.end(),
                _ => {}
            }
            let now = self.writer.clock.now();
            job.updated_at = now;
            job.leased_until = if goes_on { now + LEASE } else { now };
            if self.writer.store.save_job(job).await? == Saved::Conflict {
                self.save_beside(job).await?;
                goes_on &= job.state == JobState::Running;
            }
        }
        tracing::info!(job_id = job.id, state = ?job.state, progress = ?job.progress, "worked on a job");
        Ok(())
    }

    /// Counts some more of its letters, if they are not known yet.
    async fn count_on(&self, job: &mut Job) -> Result<(), Error> {
        if job.total.is_some() {
            return Ok(());
        }
        job.count_what_is_done();
        let after = job.count.position.as_deref().and_then(Position::parse);
        let Listed { letters, next } =
            self.writer.store.list(&job.task.filter, after.as_ref(), COUNTED_AT_ONCE).await?;
        job.count.letters += letters.len() as u64;
        match next {
            Some(next) => job.count.position = Some(next.to_string()),
            None => job.total = Some(job.count.letters),
        }
        Ok(())
    }

    /// A person has stopped it meanwhile: their word, and our place.
    async fn save_beside(&self, job: &mut Job) -> Result<(), Error> {
        for _ in 0..ROUNDS {
            let stored = self.writer.store.job(&job.id).await?.ok_or(Error::Unknown)?;
            (job.state, job.version) = (stored.state, stored.version);
            if self.writer.store.save_job(job).await? == Saved::Yes {
                return Ok(());
            }
        }
        Err(Error::Contended)
    }

    /// Whether it was done or left alone, and its place; `None` when it can't be done in this slice.
    async fn one(
        &self,
        task: &Task,
        by: &Actor,
        letter: DeadLetter,
        slice: &Slice<'_>,
    ) -> Result<Option<(Position, bool)>, Error> {
        if !slice.pace.wait_before(slice.until).await {
            return Ok(None);
        }
        if task.action == Action::Redrive && slice.brokers.are_away() {
            return Ok(None);
        }
        // Asked of the letter as it is now: what was listed may be old.
        let wanted = |state: State| task.filter.state.map_or(state.is_waiting(), |wanted| wanted == state);
        let done = match &task.action {
            _ if !wanted(letter.life.state) => Err(Error::Overtaken),
            Action::Redrive => {
                let done = self.redrive.for_job(&letter.id, by, wanted).await;
                // It counts as done where they are away, too: the sweep publishes it.
                done.map(|(_letter, publication)| slice.brokers.note(publication))
            }
            Action::Discard { because } => {
                self.discard.by_hand(&letter.id, because, by, wanted).await.map(|_letter| ())
            }
        };
        let is_done = match done {
            Ok(()) => true,
            Err(
                Error::Unknown
                | Error::Overtaken
                | Error::Refused(_)
                | Error::ValueLeftOut
                | Error::PayloadGone,
            ) => false,
            // Trying again gives the same: one letter must not hold up the others for ever.
            Err(Error::Store(error @ (dynamo::Error::Refused(_) | dynamo::Error::Layout))) => {
                let (dead_letter_id, error) = (letter.id.as_str(), telemetry::chain(&error));
                tracing::error!(dead_letter_id, error, "a job leaves a dead letter out");
                false
            }
            Err(error @ (Error::Store(_) | Error::Contended | Error::Cursor(_))) => return Err(error),
        };
        Ok(Some((Position::of(&letter), is_done)))
    }
}

use std::{
    future::ready,
    sync::atomic::{AtomicI64, Ordering::Relaxed},
};

use contracts::{CorrelationId, EmployeeId, EventId, FailedTopic, Reason};
use futures_util::future::{BoxFuture, FutureExt};
use jiff::Timestamp;
use jobs::{JobState, LEASE};
use recovery::{EventIds, FailedEvent, Feature};

use super::*;
use crate::{
    Action, Filter, Job, LetterState, Task,
    redrive::{AWAY_AFTER, tests::redrive},
    store::tests::{how_many, letter, of_last_year, of_next_year, operations::Operations, second, store},
};

/// Long after what the tests park.
const NOW: i64 = 9_000;

/// Its brokers are nowhere.
fn sweep(store: &Store) -> (Sweep, RunJobs) {
    sweep_by(store, Clock::fixed(second(NOW)))
}

fn sweep_by(store: &Store, clock: Clock) -> (Sweep, RunJobs) {
    sweep_of(store, clock, Events(None))
}

fn sweep_of(store: &Store, clock: Clock, events: Events) -> (Sweep, RunJobs) {
    let redrive = redrive(store, clock);
    let jobs = RunJobs::new(store.clone(), redrive.clone(), clock);
    let features: Arc<Features<dyn Follow>> = Arc::new(Features::new([Box::new(events)]));
    (Sweep::new(store.clone(), redrive, jobs.clone(), features, clock), jobs)
}

/// A feature whose events have all ended so.
#[derive(Debug)]
struct Events(Option<Ended>);

impl Feature for Events {
    fn topic(&self) -> &'static FailedTopic {
        FailedTopic::ALL[0]
    }
}

impl Follow for Events {
    fn failed(&self, _: FailedEvent) -> BoxFuture<'_, Result<(), Unavailable>> {
        ready(Ok(())).boxed()
    }

    fn discarded<'a>(&'a self, _: &'a EventIds) -> BoxFuture<'a, Result<(), Unavailable>> {
        ready(Ok(())).boxed()
    }

    fn end_invocation(&self, _: Instant) -> BoxFuture<'_, ()> {
        ready(()).boxed()
    }

    fn outcome<'a>(&'a self, _: &'a EventIds) -> BoxFuture<'a, Result<Option<Ended>, Unavailable>> {
        ready(Ok(self.0.clone())).boxed()
    }

    fn forgotten_until<'a>(
        &'a self,
        _: &'a EmployeeId,
    ) -> BoxFuture<'a, Result<Option<Timestamp>, Unavailable>> {
        ready(Ok(None)).boxed()
    }
}

fn in_a_minute() -> Instant {
    Instant::now() + std::time::Duration::from_mins(1)
}

async fn parks(store: &Store, offset: i64, reason: Reason, parked_at: Timestamp) {
    let (letter, payload) = letter(offset, reason, "E1", parked_at);
    store.insert(&letter, &payload).await.unwrap();
}

/// A letter whose redrive the brokers have.
async fn parks_redriven(store: &Store, offset: i64, at: Timestamp) -> DeadLetter {
    let (mut letter, payload) = letter(offset, Reason::Invalid, "E1", at);
    letter.correlation_id = CorrelationId::parse("c-1").ok();
    letter.event_id = EventId::parse("evt-1").ok();
    let by = Actor::caller("somebody");
    letter.step(Step::Redrive, &by, at, None).unwrap();
    letter.step(Step::Published, &by, at, None).unwrap();
    store.insert(&letter, &payload).await.unwrap();
    letter
}

async fn counts(store: &Store, reason: Reason, state: LetterState) -> u64 {
    let filter = Filter { reason: Some(reason), state: Some(state), ..Filter::default() };
    how_many(store, &filter).await
}

/// Begun, and left to the sweeps.
async fn begins(jobs: &RunJobs, action: Action, reason: Reason) -> Job {
    let filter = Filter { reason: Some(reason), ..Filter::default() };
    let task = Task { action, filter, per_second: 100 };
    jobs.start(task, &Actor::caller("somebody"), Instant::now()).await.unwrap()
}

/// The most letters that are tried when none is taken.
fn before_it_is_known(at_once: usize) -> u64 {
    at_once as u64 + u64::from(AWAY_AFTER) - 1
}

#[tokio::test]
async fn what_needs_no_brokers_goes_on_while_they_are_away() {
    let store = store().await;
    let clock = Clock::fixed(second(NOW));
    let ended = Ended { outcome: Outcome::NothingNew, at: Timestamp::UNIX_EPOCH };
    let (sweep, jobs) = sweep_of(&store, clock, Events(Some(ended)));
    for n in 0..40 {
        parks(&store, n, Reason::RateLimited, second(n)).await;
        parks(&store, 100 + n, Reason::UserNotFound, second(n)).await;
        parks(&store, 200 + n, Reason::Undecodable, second(n)).await;
    }
    let on_its_way = parks_redriven(&store, 300, second(100)).await;
    let redrive = begins(&jobs, Action::Redrive, Reason::UserNotFound).await;
    begins(&jobs, Action::Discard { because: "a test's".to_owned() }, Reason::Undecodable).await;

    let swept = sweep.run(in_a_minute()).await.unwrap();

    assert_eq!((swept.redriven, swept.resolved, swept.failed, swept.by_jobs), (0, 1, 40, 40), "{swept:?}");
    assert_eq!(store.get(&on_its_way.id).await.unwrap().unwrap().life.state, LetterState::Resolved);
    assert_eq!(counts(&store, Reason::Undecodable, LetterState::Discarded).await, 40);
    let tried = counts(&store, Reason::RateLimited, LetterState::Redriven).await;
    assert!((1..=before_it_is_known(CONCURRENCY)).contains(&tried), "{tried} were tried before it was known");
    assert_eq!(counts(&store, Reason::UserNotFound, LetterState::Parked).await, 40);
    let redrive = store.jobs().get(&redrive.id).await.unwrap().unwrap();
    assert_eq!((redrive.progress.done, redrive.state), (0, JobState::Running));
}

#[tokio::test]
async fn a_job_stops_trying_once_the_brokers_are_away() {
    let store = store().await;
    let (sweep, jobs) = sweep(&store);
    for n in 0..40 {
        parks(&store, n, Reason::UserNotFound, second(n)).await;
    }
    let job = begins(&jobs, Action::Redrive, Reason::UserNotFound).await;
    sweep.run(in_a_minute()).await.unwrap();
    let tried = counts(&store, Reason::UserNotFound, LetterState::Redriven).await;
    assert!((1..=before_it_is_known(8)).contains(&tried), "{tried} were tried before it was known");
    let job = store.jobs().get(&job.id).await.unwrap().unwrap();
    assert_eq!(job.state, JobState::Running);
    assert!((1..=tried).contains(&job.progress.done), "the sweep publishes those: {job:?}");
}

#[tokio::test]
async fn two_records_that_the_brokers_do_not_acknowledge_hold_up_no_job() {
    let store = store().await;
    let (sweep, jobs) = sweep(&store);
    for n in 0..2 {
        parks(&store, n, Reason::RateLimited, second(n)).await;
    }
    parks(&store, 100, Reason::UserNotFound, second(0)).await;
    let job = begins(&jobs, Action::Redrive, Reason::UserNotFound).await;
    let swept = sweep.run(in_a_minute()).await.unwrap();
    assert_eq!((swept.failed, swept.by_jobs), (2, 1), "{swept:?}");
    assert_eq!(store.jobs().get(&job.id).await.unwrap().unwrap().state, JobState::Done);
}

#[tokio::test]
async fn a_job_that_nobody_can_read_holds_up_no_other() {
    let store = store().await;
    let (sweep, jobs) = sweep(&store);
    for n in 0..3 {
        parks(&store, n, Reason::Invalid, second(n)).await;
    }
    of_next_year(&store, letter(1, Reason::Invalid, "E1", second(1)).0.id.as_str(), "reason").await;
    let discard = Action::Discard { because: "a test's".to_owned() };
    let newer = begins(&jobs, discard.clone(), Reason::Undecodable).await;
    of_next_year(&store, &format!("job#{}", newer.id), "job").await;
    let any = Task { action: discard, filter: Filter::default(), per_second: 100 };
    let job = jobs.start(any, &Actor::caller("somebody"), Instant::now()).await.unwrap();
    let swept = sweep.run(in_a_minute()).await.unwrap();
    assert_eq!(swept.by_jobs, 2, "{swept:?}");
    let job = store.jobs().get(&job.id).await.unwrap().unwrap();
    assert_eq!((job.state, job.total, job.progress.done), (JobState::Done, Some(2), 2));
}

#[tokio::test]
async fn a_sweep_reads_no_job_that_does_not_run() {
    let store = store().await;
    let discard = Action::Discard { because: "a test's".to_owned() };
    let by = Actor::caller("somebody");
    let (_, jobs) = sweep(&store);
    for _ in 0..120 {
        let task = Task { action: discard.clone(), filter: Filter::default(), per_second: 100 };
        assert_eq!(jobs.start(task, &by, in_a_minute()).await.unwrap().state, JobState::Done);
    }
    parks(&store, 1, Reason::Invalid, second(1)).await;
    let stopped = begins(&jobs, discard.clone(), Reason::Invalid).await;
    jobs.stop(&stopped.id, &by).await.unwrap();
    let running = begins(&jobs, discard, Reason::Invalid).await;

    let (store, operations) = Operations::of(&store);
    let (sweep, _) = sweep(&store);
    let swept = async || sweep.run(in_a_minute()).await.unwrap();
    assert_eq!(swept().await.by_jobs, 1);
    assert_eq!(store.jobs().get(&running.id).await.unwrap().unwrap().state, JobState::Done);
    assert_eq!(store.jobs().get(&stopped.id).await.unwrap().unwrap().state, JobState::Stopped);
    operations.queries();
    swept().await;
    assert_eq!(operations.queries(), 2, "what is due of letters, and of jobs");
}

#[tokio::test]
async fn a_job_that_an_older_version_saved_is_found_within_the_hour() {
    static AHEAD: AtomicI64 = AtomicI64::new(0);
    const HOUR: i64 = 60 * 60 * 1000;
    let store = store().await;
    parks(&store, 1, Reason::Invalid, second(1)).await;
    let (sweep, jobs) = sweep_by(&store, Clock::ahead(&AHEAD));
    let swept = async || sweep.run(in_a_minute()).await.unwrap();
    let state = async |job: &Job| store.jobs().get(&job.id).await.unwrap().unwrap().state;

    let discard = Action::Discard { because: "a test's".to_owned() };
    let first = begins(&jobs, discard.clone(), Reason::Invalid).await;
    of_last_year(&store, &first).await;
    assert_eq!(swept().await.by_jobs, 1, "the first sweep looks for it");
    assert_eq!(state(&first).await, JobState::Done);

    let second = begins(&jobs, discard, Reason::Invalid).await;
    of_last_year(&store, &second).await;
    swept().await;
    assert_eq!(state(&second).await, JobState::Running);
    AHEAD.store(HOUR, Relaxed);
    swept().await;
    assert_eq!(state(&second).await, JobState::Done);
}

#[tokio::test]
async fn a_job_is_stored_before_a_letter_is_read() {
    let tables = store().await;
    for n in 0..30 {
        parks(&tables, n, Reason::Invalid, second(n)).await;
    }
    let (store, operations) = Operations::of(&tables);
    let (_, jobs) = sweep(&store);
    operations.let_queries_fail(true);
    let job = begins(&jobs, Action::Discard { because: "a test's".to_owned() }, Reason::Invalid).await;
    assert_eq!((job.state, job.total, operations.queries()), (JobState::Running, None, 1));
    assert_eq!(tables.jobs().get(&job.id).await.unwrap(), Some(job.clone()));

    operations.let_queries_fail(false);
    // Whoever starts a job and is killed has it leased until then.
    let (sweep, _) = sweep_by(&store, Clock::fixed(second(NOW) + LEASE));
    let swept = sweep.run(in_a_minute()).await.unwrap();
    assert_eq!(swept.by_jobs, 30);
    let job = store.jobs().get(&job.id).await.unwrap().unwrap();
    assert_eq!((job.state, job.total, job.progress.done), (JobState::Done, Some(30), 30));
}

#[tokio::test]
async fn a_redrive_that_the_brokers_never_acknowledged_is_quarantined_and_says_so() {
    let store = store().await;
    let (sweep, _) = sweep(&store);
    let day = 24 * 60 * 60;
    let mut letters = Vec::new();
    for (offset, days) in [(1, 7), (2, 8)] {
        let at = second(NOW - days * day);
        let (mut letter, payload) = letter(offset, Reason::Invalid, "E1", at);
        letter.step(Step::Redrive, &Actor::caller("somebody"), at, None).unwrap();
        store.insert(&letter, &payload).await.unwrap();
        letters.push(letter.id);
    }
    let swept = sweep.run(in_a_minute()).await.unwrap();
    assert_eq!(swept.failed, 1, "{swept:?}");
    let [sent, lost] = [&letters[0], &letters[1]].map(|id| store.get(id));
    let (sent, lost) = (sent.await.unwrap().unwrap(), lost.await.unwrap().unwrap());
    assert_eq!((sent.life.state, sent.life.due_at), (LetterState::Redriven, Some(second(NOW + 60 * 60))));
    assert_eq!((lost.life.state, lost.life.due_at), (LetterState::Quarantined, None));
    let note = lost.history.last().unwrap().note.as_deref();
    assert_eq!(note, Some("the brokers never acknowledged its record"));
}

#[test]
fn a_redrive_that_changed_nothing_is_said_to_have_changed_nothing() {
    let said = |outcome, at| note(&Ended { outcome, at: second(at) }, Some(second(5))).unwrap_or_default();
    let changed = || Outcome::Changed { fields: vec![] };
    assert_eq!(said(changed(), 6), "");
    assert!(said(changed(), 4).starts_with("its event had been applied already"));
    assert!(said(Outcome::NothingNew, 6).ends_with("Look at the user"));
}

use std::{
    future::pending,
    sync::{
        Mutex,
        atomic::{AtomicI64, AtomicUsize, Ordering::SeqCst},
    },
    time::Duration,
};

use aws::Aws;
use dynamo::{Index, TableSpec};
use serde::Deserialize;
use tokio::sync::Notify;

use super::*;

/// To process the numbers below so many.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Task {
    count: usize,
}

/// How often each number was processed, and what happens at one of them.
struct Numbers {
    processed: Vec<AtomicUsize>,
    at: usize,
    event: Mutex<Event>,
    reached: Notify,
    go_on: Notify,
}

/// Happens once.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Event {
    Nothing,
    /// Tells that it is reached, and waits until it is told to go on.
    Pause,
    Fail,
    NotNow,
}

const LEASE_MILLIS: i64 = 2 * 60 * 1000;

impl Numbers {
    fn new(count: usize) -> Self {
        Self::with(count, 0, Event::Nothing)
    }

    fn with(count: usize, at: usize, event: Event) -> Self {
        let processed = (0..count).map(|_| AtomicUsize::default()).collect();
        Self { processed, at, event: Mutex::new(event), reached: Notify::new(), go_on: Notify::new() }
    }

    fn event_at(&self, number: usize) -> Event {
        let mut event = self.event.lock().unwrap();
        if number == self.at { std::mem::replace(&mut event, Event::Nothing) } else { Event::Nothing }
    }

    fn processed(&self) -> Vec<usize> {
        self.processed.iter().map(|times| times.load(SeqCst)).collect()
    }
}

fn position(number: usize) -> String {
    format!("{number:06}")
}

impl Work for Numbers {
    type Task = Task;
    type Item = usize;
    type Error = Error;

    fn per_second(_: &Task) -> u32 {
        1_000_000
    }

    fn is_past(position: &str, other: &str) -> bool {
        position > other
    }

    async fn list(&self, task: &Task, after: Option<&str>, limit: usize) -> Result<Listed<usize>, Error> {
        let begin = after.map_or(0, |after| after.parse::<usize>().unwrap() + 1);
        let end = (begin + limit).min(task.count);
        let next = (end < task.count).then(|| position(end - 1));
        Ok(Listed { items: (begin..end).map(|number| (position(number), number)).collect(), next })
    }

    async fn process(&self, _: &Job<Task>, number: usize) -> Result<Outcome, Error> {
        match self.event_at(number) {
            Event::Nothing => {}
            Event::Pause => {
                self.reached.notify_one();
                self.go_on.notified().await;
            }
            Event::Fail => return Err(Error::Contended),
            Event::NotNow => return Ok(Outcome::NotNow),
        }
        let before = self.processed[number].fetch_add(1, SeqCst);
        Ok(if before == 0 { Outcome::Done } else { Outcome::Skipped })
    }
}

/// A table of its own for one test.
async fn store() -> Store<Task> {
    let (vars, _server) = dynamo::embedded::serve(None, pending()).await.unwrap();
    let client = dynamo::client(&vars, &Aws::from_vars(&vars).unwrap()).unwrap();
    let index = |(name, hash, range): (&str, &str, &str)| Index {
        name: name.to_owned(),
        hash: hash.to_owned(),
        range: Some(range.to_owned()),
    };
    let table = TableSpec {
        name: "jobs".to_owned(),
        hash: "id".to_owned(),
        range: None,
        indexes: [("by-time", "kind", "at"), ("by-due", "queue", "due")].map(index).into(),
        ttl: None,
    };
    dynamo::ensure(&client, &table).await.unwrap();
    Store::new(client, "jobs")
}

fn in_a_minute() -> Instant {
    Instant::now() + Duration::from_mins(1)
}

fn somebody() -> Actor {
    Actor::caller("somebody")
}

/// Begun, and left to the sweeps.
async fn begins(jobs: &Jobs<Task>, numbers: &Numbers) -> Job<Task> {
    let mut job = jobs.prepare(Task { count: numbers.processed.len() }, &somebody());
    jobs.start(numbers, &mut job, Instant::now()).await.unwrap();
    assert_eq!((job.state, job.progress), (JobState::Running, Progress::default()));
    job
}

/// Started, and stopped at what happens to its numbers.
async fn is_stopped_on_the_way(jobs: &Jobs<Task>, numbers: &Numbers) -> Job<Task> {
    let mut job = jobs.prepare(Task { count: numbers.processed.len() }, &somebody());
    let id = job.id.clone();
    let (started, stopped) = tokio::join!(jobs.start(numbers, &mut job, in_a_minute()), async {
        numbers.reached.notified().await;
        let stopped = jobs.stop(&id).await;
        numbers.go_on.notify_one();
        stopped
    });
    started.unwrap();
    assert_eq!(stopped.unwrap().state, JobState::Stopped);
    job
}

#[tokio::test]
async fn a_small_job_is_done_by_whoever_starts_it_and_says_who_that_was() {
    let jobs = Jobs::new(store().await, Clock::system());
    let numbers = Numbers::new(45);
    let mut job = jobs.prepare(Task { count: 45 }, &somebody());
    jobs.start(&numbers, &mut job, in_a_minute()).await.unwrap();
    let stored = jobs.get(&job.id).await.unwrap();
    assert_eq!(stored, job);
    assert_eq!((stored.state, stored.total, stored.by), (JobState::Done, Some(45), somebody()));
    assert_eq!(stored.progress, Progress { done: 45, skipped: 0 });
    assert_eq!(numbers.processed(), [1; 45]);
    assert_eq!(jobs.run_all(&numbers, in_a_minute()).await.unwrap(), 0);
}

#[tokio::test]
async fn a_job_whose_process_dies_in_a_slice_goes_on_with_that_slice_when_its_lease_is_over() {
    static AHEAD: AtomicI64 = AtomicI64::new(0);
    let jobs = Jobs::new(store().await, Clock::ahead(&AHEAD));
    let numbers = Numbers::with(45, 27, Event::Pause);
    let mut job = jobs.prepare(Task { count: 45 }, &somebody());
    tokio::select! {
        ended = jobs.start(&numbers, &mut job, in_a_minute()) => panic!("it was to hang: {ended:?}"),
        () = numbers.reached.notified() => {}
    }
    let left = jobs.get(&job.id).await.unwrap();
    assert_eq!((left.state, left.progress.done), (JobState::Running, 20));
    assert_eq!(jobs.run_all(&numbers, in_a_minute()).await.unwrap(), 0, "it is leased");

    AHEAD.store(LEASE_MILLIS, SeqCst);
    jobs.run_all(&numbers, in_a_minute()).await.unwrap();
    let ended = jobs.get(&job.id).await.unwrap();
    assert_eq!((ended.state, ended.progress.all(), ended.total), (JobState::Done, 45, Some(45)));
    let processed = numbers.processed();
    assert_eq!((&processed[..20], &processed[40..]), (&[1; 20][..], &[1; 5][..]));
    assert!(processed[20..40].iter().all(|times| (1..=2).contains(times)), "{processed:?}");
}

#[tokio::test]
async fn of_two_sweeps_at_once_one_works_on_a_job() {
    let store = store().await;
    let (one, other) = (Jobs::new(store.clone(), Clock::system()), Jobs::new(store.clone(), Clock::system()));
    let numbers = Numbers::new(45);
    for _ in 0..6 {
        begins(&one, &numbers).await;
    }
    let sweeps = tokio::join!(one.run_all(&numbers, in_a_minute()), other.run_all(&numbers, in_a_minute()));
    // Each number is done once, and is found done by five jobs.
    assert_eq!(sweeps.0.unwrap() + sweeps.1.unwrap(), 45);
    assert_eq!(numbers.processed(), [6; 45]);
    let jobs = store.newest(None, 9).await.unwrap();
    assert!(jobs.iter().all(|row| row.content.state == JobState::Done && row.content.progress.all() == 45));
}

#[tokio::test]
async fn a_job_that_is_stopped_ends_with_its_slice_and_goes_on_from_there_when_it_is_resumed() {
    let jobs = Jobs::new(store().await, Clock::system());
    let numbers = Numbers::with(45, 5, Event::Pause);
    let job = is_stopped_on_the_way(&jobs, &numbers).await;
    assert_eq!((job.state, job.progress.done), (JobState::Stopped, 20));
    assert_eq!(jobs.run_all(&numbers, in_a_minute()).await.unwrap(), 0, "no sweep goes on with it");

    assert_eq!(jobs.resume(&job.id).await.unwrap().state, JobState::Running);
    assert_eq!(jobs.run_all(&numbers, in_a_minute()).await.unwrap(), 25);
    assert_eq!(numbers.processed(), [1; 45]);
    assert_eq!(jobs.stop(&job.id).await.unwrap().state, JobState::Done, "what is done is not stopped");
}

#[tokio::test]
async fn a_job_that_comes_to_its_end_in_the_slice_in_which_it_is_stopped_is_done() {
    let jobs = Jobs::new(store().await, Clock::system());
    let numbers = Numbers::with(7, 5, Event::Pause);
    let job = is_stopped_on_the_way(&jobs, &numbers).await;
    assert_eq!(jobs.get(&job.id).await.unwrap().state, JobState::Done);
}

#[tokio::test]
async fn who_outlives_the_lease_leaves_the_job_to_who_has_taken_it_over() {
    static AHEAD: AtomicI64 = AtomicI64::new(0);
    let jobs = Jobs::new(store().await, Clock::ahead(&AHEAD));
    let (numbers, faster) = (Numbers::with(45, 5, Event::Pause), Numbers::new(45));
    let mut job = jobs.prepare(Task { count: 45 }, &somebody());
    let (started, by_another) = tokio::join!(jobs.start(&numbers, &mut job, in_a_minute()), async {
        numbers.reached.notified().await;
        AHEAD.store(LEASE_MILLIS, SeqCst);
        let done = jobs.run_all(&faster, in_a_minute()).await;
        numbers.go_on.notify_one();
        done
    });
    started.unwrap();
    assert_eq!(by_another.unwrap(), 45);
    let stored = jobs.get(&job.id).await.unwrap();
    assert_eq!((stored.state, stored.progress.done), (JobState::Done, 45), "its progress is the other's");
    assert_eq!(job, stored);
    assert_eq!(numbers.processed()[20..], [0; 25], "it began no other slice");
}

#[tokio::test]
async fn what_fails_ends_the_slice_and_is_tried_again_with_the_next_sweep() {
    let jobs = Jobs::new(store().await, Clock::system());
    for event in [Event::Fail, Event::NotNow] {
        let numbers = Numbers::with(45, 30, event);
        let mut job = jobs.prepare(Task { count: 45 }, &somebody());
        jobs.start(&numbers, &mut job, in_a_minute()).await.unwrap();
        let left = jobs.get(&job.id).await.unwrap();
        assert_eq!((left.state, left.progress.done), (JobState::Running, 30), "what was done is counted");
        jobs.run_all(&numbers, in_a_minute()).await.unwrap();
        let ended = jobs.get(&job.id).await.unwrap();
        assert_eq!((ended.state, ended.progress.all()), (JobState::Done, 45));
        assert_eq!(numbers.processed()[30], 1);
    }
}

#[tokio::test]
async fn what_nobody_has_started_is_neither_found_nor_stopped() {
    let jobs = Jobs::new(store().await, Clock::system());
    let id = jobs.prepare(Task { count: 1 }, &somebody()).id;
    for refused in [jobs.get(&id).await, jobs.stop(&id).await, jobs.resume(&id).await] {
        assert!(matches!(refused, Err(Error::Unknown)), "{refused:?}");
    }
}

#[tokio::test]
async fn a_job_that_has_to_wait_holds_up_no_other() {
    let (store, numbers) = (store().await, Numbers::with(30, 0, Event::Pause));
    let jobs = Jobs::new(store.clone(), Clock::system());
    let actor = somebody();
    let enqueue = || jobs.enqueue(Task { count: 30 }, &actor);
    let ids = [enqueue().await.unwrap().id, enqueue().await.unwrap().id];
    let are_done = async || {
        let mut done = 0;
        for id in &ids {
            done += usize::from(jobs.get(id).await.unwrap().state == JobState::Done);
        }
        done
    };
    let meanwhile = async {
        numbers.reached.notified().await;
        while are_done().await == 0 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        numbers.go_on.notify_one();
    };
    let (ran, met) = tokio::join!(
        jobs.run_all(&numbers, in_a_minute()),
        tokio::time::timeout(Duration::from_mins(1), meanwhile)
    );
    met.unwrap();
    assert_eq!((ran.unwrap(), are_done().await), (30, 2), "what one has done the other skips");
}

#[test]
fn whoever_stops_a_job_waits_for_a_second_at_most() {
    for (per_second, items) in [(0, 1), (1, 1), (7, 7), (20, 20), (500, 20)] {
        assert_eq!(slice(per_second), items, "{per_second} a second");
    }
}

use std::cell::RefCell;

use runtime::record::ItemIdentifier;

use super::*;
use crate::template::Start;

/// Plays a function: each record fails as often as planned, or breaks the whole invocation.
#[derive(Default)]
struct Played {
    /// By offset: how many invocations still fail.
    fails: RefCell<Vec<(i64, u32)>>,
    /// An offset that crashes every invocation that it is in.
    crashes: Option<i64>,
    answers_nonsense: bool,
    stops: bool,
    now: i64,
    invocations: RefCell<Vec<Vec<i64>>>,
    given_up: RefCell<Vec<(i64, Condition, u32)>>,
}

impl Surroundings for Played {
    async fn invoke(&self, records: &[Record]) -> Answer {
        let offsets: Vec<_> = records.iter().map(|record| record.offset).collect();
        self.invocations.borrow_mut().push(offsets.clone());
        if self.crashes.is_some_and(|poison| offsets.contains(&poison)) {
            return Answer::Error;
        }
        if self.answers_nonsense {
            return Answer::Failed(vec![ItemIdentifier { partition: "other-0".to_owned(), offset: 0 }]);
        }
        let mut fails = self.fails.borrow_mut();
        let failing = fails.iter_mut().filter(|(offset, left)| *left > 0 && offsets.contains(offset));
        let failed = failing.map(|(offset, left)| {
            *left -= 1;
            ItemIdentifier { partition: "t-0".to_owned(), offset: *offset }
        });
        Answer::Failed(failed.collect())
    }

    async fn give_up(&self, record: &Record, condition: Condition, invocations: u32) -> bool {
        self.given_up.borrow_mut().push((record.offset, condition, invocations));
        !self.stops
    }

    async fn pause(&self, _wait: Duration) -> bool {
        !self.stops
    }

    fn now(&self) -> i64 {
        self.now
    }
}

fn batch(offsets: impl IntoIterator<Item = i64>) -> Vec<Record> {
    let record = |offset: i64| {
        let json = serde_json::json!({"topic": "t", "partition": 0, "offset": offset, "timestamp": offset});
        serde_json::from_value(json).unwrap()
    };
    offsets.into_iter().map(record).collect()
}

fn rules() -> Trigger {
    Trigger {
        topic: "t".to_owned(),
        group: "g".to_owned(),
        batch_size: 100,
        window: Duration::ZERO,
        retries: Some(2),
        bisect: false,
        max_age: None,
        on_failure: Some("failed".to_owned()),
        reports_failures: true,
        start: Start::TrimHorizon,
    }
}

/// Runs on a runtime without a clock: nothing here may wait.
fn run(played: &Played, offsets: std::ops::RangeInclusive<i64>, rules: &Trigger) -> bool {
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    runtime.block_on(deliver(batch(offsets), rules, played))
}

#[test]
fn a_batch_that_succeeds_is_invoked_once() {
    let played = Played::default();
    assert!(run(&played, 1..=3, &rules()));
    assert_eq!(played.invocations.into_inner(), [[1, 2, 3]]);
}

#[test]
fn only_the_records_that_failed_are_tried_again() {
    let played = Played { fails: vec![(2, 2)].into(), ..Played::default() };
    assert!(run(&played, 1..=3, &rules()));
    assert_eq!(played.invocations.into_inner(), [vec![1, 2, 3], vec![2], vec![2]]);
    assert_eq!(played.given_up.into_inner(), []);
}

#[test]
fn after_the_last_retry_a_record_goes_to_the_on_failure_topic() {
    let played = Played { fails: vec![(2, 9)].into(), ..Played::default() };
    assert!(run(&played, 1..=3, &rules()));
    assert_eq!(played.given_up.into_inner(), [(2, Condition::RetriesExhausted, 3)]);
}

#[test]
fn without_a_limit_it_is_tried_for_ever() {
    let played = Played { fails: vec![(1, 50)].into(), ..Played::default() };
    assert!(run(&played, 1..=1, &Trigger { retries: None, ..rules() }));
    assert_eq!((played.invocations.into_inner().len(), played.given_up.into_inner().len()), (51, 0));
}

#[test]
fn a_crash_fails_the_whole_batch() {
    let played = Played { crashes: Some(2), ..Played::default() };
    assert!(run(&played, 1..=3, &rules()));
    assert_eq!(played.given_up.into_inner().len(), 3);
}

#[test]
fn bisecting_isolates_the_record_that_crashes_the_function() {
    let played = Played { crashes: Some(3), ..Played::default() };
    assert!(run(&played, 1..=4, &Trigger { bisect: true, ..rules() }));
    assert_eq!(played.given_up.into_inner(), [(3, Condition::RetriesExhausted, 3)]);
    let invocations = played.invocations.into_inner();
    assert_eq!(invocations, [vec![1, 2, 3, 4], vec![1, 2], vec![3, 4], vec![3], vec![3], vec![3], vec![4]]);
}

#[test]
fn bisecting_needs_no_retry() {
    let played = Played { crashes: Some(3), ..Played::default() };
    assert!(run(&played, 1..=4, &Trigger { bisect: true, retries: Some(0), ..rules() }));
    assert_eq!(played.given_up.into_inner(), [(3, Condition::RetriesExhausted, 1)]);
}

#[test]
fn a_nonsensical_answer_is_no_reason_to_bisect() {
    let played = Played { answers_nonsense: true, ..Played::default() };
    assert!(run(&played, 1..=2, &Trigger { bisect: true, ..rules() }));
    assert_eq!(played.invocations.into_inner(), [[1, 2], [1, 2], [1, 2]]);
}

#[test]
fn an_identifier_that_was_not_in_the_batch_fails_all_of_it() {
    let played = Played { answers_nonsense: true, ..Played::default() };
    assert!(run(&played, 1..=2, &rules()));
    assert_eq!(played.given_up.into_inner().len(), 2);
}

#[test]
fn a_record_that_is_too_old_is_given_up_untried() {
    let played = Played { now: 1_002, ..Played::default() };
    let rules = Trigger { max_age: Some(Duration::from_secs(1)), ..rules() };
    assert!(run(&played, 1..=3, &rules));
    assert_eq!(played.given_up.into_inner(), [(1, Condition::RecordAgeExceeded, 0)]);
    assert_eq!(played.invocations.into_inner(), [[2, 3]]);
}

#[test]
fn when_the_process_ends_a_failed_record_is_neither_done_nor_given_up() {
    let played = Played { fails: vec![(1, 9)].into(), stops: true, ..Played::default() };
    assert!(!run(&played, 1..=1, &rules()));
    assert_eq!(played.given_up.into_inner(), []);
}

#[test]
fn when_the_process_ends_while_a_record_is_given_up_the_batch_is_not_done() {
    let played = Played { fails: vec![(1, 9)].into(), stops: true, ..Played::default() };
    assert!(!run(&played, 1..=2, &Trigger { retries: Some(0), ..rules() }));
}

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{
        Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use proptest::{collection::vec, option, prelude::*};

use super::*;

/// What the handler will do with a record, and how long it will take.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Fate {
    Succeeds,
    Fails,
    Panics,
}

#[derive(Debug, Clone)]
struct Planned {
    partition: u8,
    offset: i64,
    key: Option<u8>,
    fate: Fate,
    takes: Duration,
}

impl Planned {
    fn identifier(&self) -> ItemIdentifier {
        self.record().identifier()
    }

    fn record(&self) -> Record {
        Record {
            topic: "topic".to_owned(),
            partition: i32::from(self.partition),
            offset: self.offset,
            timestamp: 0,
            timestamp_type: "CREATE_TIME".to_owned(),
            key: self.key.map(|key| vec![key]),
            value: None,
            headers: vec![],
        }
    }
}

#[derive(Debug)]
struct Observed {
    reported: Vec<ItemIdentifier>,
    /// In the order in which they were started, with the time since the batch began.
    started: Vec<(Planned, Duration)>,
    most_at_once: usize,
}

/// Runs a batch on a paused clock: time passes only while everything waits, so "when" is exact.
fn run(batch: &[Planned], concurrency: usize, stop_starting: Duration, cut_off: Duration) -> Observed {
    let clock =
        tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
    clock.block_on(async {
        let began = Instant::now();
        let deadline = Deadline {
            stop_starting: began + stop_starting,
            give_up: began + cut_off,
            cut_off: began + cut_off,
        };
        let plan: BTreeMap<_, _> = batch.iter().map(|planned| (planned.identifier(), planned)).collect();
        let started = Mutex::new(Vec::new());
        let (running, most_at_once) = (AtomicUsize::new(0), AtomicUsize::new(0));
        let records = batch.iter().map(Planned::record).collect();
        let response = Batch { records, deadline }
            .process(concurrency, |record: Record| {
                let record = plan[&record.identifier()].clone();
                let (started, running, most_at_once) = (&started, &running, &most_at_once);
                async move {
                    started.lock().unwrap().push((record.clone(), began.elapsed()));
                    most_at_once.fetch_max(running.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
                    tokio::time::sleep(record.takes).await;
                    running.fetch_sub(1, Ordering::SeqCst);
                    match record.fate {
                        Fate::Succeeds => Ok(()),
                        Fate::Fails => Err(Retry),
                        Fate::Panics => std::panic::resume_unwind(Box::new("planned")),
                    }
                }
            })
            .await;
        Observed {
            reported: response.batch_item_failures.into_iter().map(|f| f.item_identifier).collect(),
            started: started.into_inner().unwrap(),
            most_at_once: most_at_once.into_inner(),
        }
    })
}

const HOUR: Duration = Duration::from_hours(1);

fn fates() -> impl Strategy<Value = Fate> {
    prop_oneof![6 => Just(Fate::Succeeds), 1 => Just(Fate::Fails), 1 => Just(Fate::Panics)]
}

/// Offsets ascend within each partition, with gaps, as a broker gives them.
fn batches() -> impl Strategy<Value = Vec<Planned>> {
    vec((0..3_u8, 1..4_i64, option::weighted(0.9, 0..5_u8), fates(), 0..50_u64), 0..40).prop_map(|plan| {
        let mut next = BTreeMap::<u8, i64>::new();
        plan.into_iter()
            .map(|(partition, step, key, fate, millis)| {
                let offset = next.entry(partition).or_default();
                *offset += step;
                let takes = Duration::from_millis(millis);
                Planned { partition, offset: *offset, key, fate, takes }
            })
            .collect()
    })
}

/// The rule, written the other way round: a record is reported if it, or an earlier one of its key, did not succeed.
fn expected(batch: &[Planned]) -> BTreeSet<ItemIdentifier> {
    let mut broken = BTreeSet::new();
    let mut reported = BTreeSet::new();
    for record in batch {
        let lane = record.key.map(|key| (record.partition, key));
        if record.fate != Fate::Succeeds || lane.is_some_and(|lane| broken.contains(&lane)) {
            reported.insert(record.identifier());
            broken.extend(lane);
        }
    }
    reported
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1_000, ..ProptestConfig::default() })]

    #[test]
    fn exactly_the_failed_records_and_their_successors_are_reported(batch in batches(), concurrency in 1..9_usize) {
        let observed = run(&batch, concurrency, HOUR, HOUR);
        let reported = observed.reported.iter().cloned().collect::<BTreeSet<_>>();
        prop_assert_eq!(reported.len(), observed.reported.len(), "an identifier is reported twice");
        prop_assert_eq!(reported, expected(&batch));
    }

    #[test]
    fn nothing_runs_twice_and_what_did_not_run_is_reported(
        batch in batches(), concurrency in 1..9_usize, stop in 0..400_u64,
    ) {
        let stop = Duration::from_millis(stop);
        let observed = run(&batch, concurrency, stop, HOUR);
        let started = observed.started.iter().map(|(r, _)| r.identifier()).collect::<BTreeSet<_>>();
        prop_assert_eq!(started.len(), observed.started.len(), "a record ran twice");
        for record in &batch {
            let id = record.identifier();
            prop_assert!(started.contains(&id) || observed.reported.contains(&id), "{id:?} is neither run nor reported");
        }
    }

    #[test]
    fn records_of_one_key_run_in_order_and_never_past_a_failure(batch in batches(), concurrency in 1..9_usize) {
        let observed = run(&batch, concurrency, HOUR, HOUR);
        let mut last = BTreeMap::new();
        for (record, at) in &observed.started {
            let Some(key) = record.key else { continue };
            if let Some((offset, ended, fate)) =
                last.insert((record.partition, key), (record.offset, *at + record.takes, record.fate))
            {
                prop_assert!(offset < record.offset, "out of order");
                prop_assert!(ended <= *at, "overlaps its predecessor");
                prop_assert_eq!(fate, Fate::Succeeds, "started after a failure");
            }
        }
        prop_assert!(observed.most_at_once <= concurrency);
    }

    #[test]
    fn nothing_new_starts_past_the_deadline(batch in batches(), concurrency in 1..9_usize, stop in 0..400_u64) {
        let stop = Duration::from_millis(stop);
        let observed = run(&batch, concurrency, stop, HOUR);
        for (record, at) in &observed.started {
            prop_assert!(*at < stop, "{:?} started {at:?} into the batch", record.identifier());
        }
    }

    #[test]
    fn what_still_runs_at_the_cut_off_is_reported(
        batch in batches(), concurrency in 1..9_usize, stop in 0..200_u64, rest in 0..60_u64,
    ) {
        let (stop, cut) = (Duration::from_millis(stop), Duration::from_millis(stop + rest));
        let observed = run(&batch, concurrency, stop, cut);
        for (record, at) in &observed.started {
            let in_time = *at + record.takes < cut;
            let reported = observed.reported.contains(&record.identifier());
            if !in_time && *at + record.takes > cut {
                prop_assert!(reported, "{:?} was cut off and is not reported", record.identifier());
            }
            if in_time && record.fate == Fate::Succeeds {
                prop_assert!(!reported, "{:?} succeeded and is reported", record.identifier());
            }
        }
    }
}

#[test]
fn a_slow_key_holds_up_no_other() {
    let plan = |offset, key, millis| Planned {
        partition: 0,
        offset,
        key: Some(key),
        fate: Fate::Succeeds,
        takes: Duration::from_millis(millis),
    };
    let observed = run(&[plan(1, 1, 900), plan(2, 2, 10), plan(3, 2, 10)], 2, HOUR, HOUR);
    let last = observed.started.last().unwrap();
    assert_eq!((last.0.offset, last.1), (3, Duration::from_millis(10)));
}

#[test]
fn an_answer_has_the_shape_that_lambda_documents() {
    let failed =
        BatchItemFailure { item_identifier: ItemIdentifier { partition: "t-0".to_owned(), offset: 100 } };
    let json = serde_json::to_value(BatchResponse { batch_item_failures: vec![failed] }).unwrap();
    assert_eq!(
        json,
        serde_json::json!({"batchItemFailures": [{"itemIdentifier": {"partition": "t-0", "offset": 100}}]})
    );
}

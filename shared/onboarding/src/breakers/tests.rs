use std::{
    collections::{BTreeMap, VecDeque},
    num::NonZeroU32,
    sync::{
        Mutex,
        atomic::{AtomicI64, AtomicUsize, Ordering::SeqCst},
    },
    time::Duration,
};

use aws::Aws;
use breaker::Policy;
use futures_util::future::join_all;
use tokio::{
    sync::Semaphore,
    time::{Instant, sleep, sleep_until, timeout_at},
};

use super::*;
use crate::retry::RetryPolicy;

pub(crate) fn cache() -> Cache {
    let vars = Vars::from_iter(aws::EMULATED);
    Cache::from_vars(&vars, &Aws::from_vars(&vars).unwrap()).unwrap()
}

fn away() -> store::Error {
    store::Error::Unavailable("the table is away".into())
}

#[tokio::test(start_paused = true)]
async fn a_store_that_is_away_is_so_at_once_after_five_reads_until_one_succeeds() {
    let reads = Reads::from_vars(&Vars::default(), cache(), Clock::system()).unwrap();
    let asked = AtomicUsize::new(0);
    let read = async |result: Result<(), store::Error>| {
        let asking = async {
            asked.fetch_add(1, SeqCst);
            result
        };
        reads.read(asking).await
    };
    for _ in 0..20 {
        let error = read(Err(away())).await.unwrap_err();
        assert_eq!(telemetry::chain(&error), "the store is away: the table is away");
    }
    assert_eq!(asked.load(SeqCst), 5);
    tokio::time::advance(Duration::from_secs(5)).await;
    read(Ok(())).await.unwrap();
    let unstorable = || Err(store::Error::Unstorable("an entry of another layout".into()));
    for _ in 0..20 {
        read(unstorable()).await.unwrap_err();
    }
    assert_eq!(asked.load(SeqCst), 26, "what the store can't read it has read");
}

/// How long Okta is away.
const OUTAGE: Duration = Duration::from_mins(10);

/// As many as there are sandboxes.
const PARTITIONS: usize = 3;

/// What Okta is like meanwhile, and how often somebody is to be asked for.
#[derive(Clone, Copy)]
struct Outage {
    /// How long a request takes that fails.
    takes: Duration,
    /// Between two events.
    every: Duration,
}

/// What it comes to, until Okta is back.
#[derive(Default)]
struct Bill {
    /// Each letter's message, by its event.
    letters: BTreeMap<usize, String>,
    /// Events that were reported back to Lambda, each time.
    redelivered: usize,
    requests: usize,
    /// For how long invocations waited for Okta.
    billed: Duration,
}

/// Lets events come to sandboxes as Lambda does: up to a hundred an invocation, of ninety seconds at the most, and one invocation
/// a partition. Who is asked for, and how often, is what the enrichment does; only Okta is none.
async fn outage(of: Outage, failures: u32) -> Bill {
    let (cache, began) = (cache(), Instant::now());
    // Goes along with tokio's.
    let ahead: &'static AtomicI64 = Box::leak(Box::default());
    let policy = Policy {
        failures: NonZeroU32::new(failures).unwrap(),
        ..Policy::from_vars(&Vars::default()).unwrap()
    };
    let bill = Mutex::new(Bill::default());
    let sandboxes = (0..PARTITIONS).map(|partition| {
        let breaker = Breaker::new(OKTA, policy, cache.clone(), Clock::ahead(ahead));
        let events = (partition..)
            .step_by(PARTITIONS)
            .map(move |event| (event, began + of.every * u32::try_from(event).unwrap()));
        let events: VecDeque<_> = events.take_while(|(_, at)| at.duration_since(began) < OUTAGE).collect();
        sandbox(of.takes, began, breaker, events, ahead, &bill)
    });
    join_all(sandboxes).await;
    bill.into_inner().unwrap()
}

async fn sandbox(
    takes: Duration,
    began: Instant,
    breaker: Breaker,
    mut events: VecDeque<(usize, Instant)>,
    ahead: &AtomicI64,
    bill: &Mutex<Bill>,
) {
    let retry = RetryPolicy::from_vars(&Vars::default()).unwrap();
    while let Some((_, at)) = events.front().copied() {
        sleep_until(at).await;
        let invoked = Instant::now();
        if invoked.duration_since(began) >= OUTAGE {
            break;
        }
        let due = events.iter().take(100).take_while(|(_, at)| *at <= invoked).count();
        let batch: Vec<_> = events.drain(..due).collect();
        let (stop_starting, give_up) = (invoked + Duration::from_secs(70), invoked + Duration::from_secs(85));
        let turns = Semaphore::new(16);
        let asked = batch.into_iter().map(async |(event, at)| {
            let Ok(turn) = timeout_at(stop_starting, turns.acquire()).await else { return Some((event, at)) };
            ahead.store(i64::try_from(began.elapsed().as_millis()).unwrap(), SeqCst);
            let permit = match breaker.permit().await {
                Ok(permit) => permit,
                Err(refused) => {
                    bill.lock().unwrap().letters.insert(event, refused.to_string());
                    return None;
                }
            };
            let ask = || async {
                bill.lock().unwrap().requests += 1;
                sleep(takes).await;
                ahead.store(i64::try_from(began.elapsed().as_millis()).unwrap(), SeqCst);
                if began.elapsed() < OUTAGE { Err(okta::Error::Failed { status: 503 }) } else { Ok(()) }
            };
            let ended = timeout_at(give_up, retry.run(give_up, Some(&permit), ask)).await;
            drop(turn);
            match ended {
                Err(_elapsed) => Some((event, at)),
                Ok(Err(exhausted)) if exhausted.cut_short => Some((event, at)),
                Ok(Err(exhausted)) => {
                    bill.lock().unwrap().letters.insert(event, exhausted.error.to_string());
                    None
                }
                Ok(Ok(())) => None,
            }
        });
        let again: Vec<_> = join_all(asked).await.into_iter().flatten().collect();
        let mut bill = bill.lock().unwrap();
        bill.redelivered += again.len();
        bill.billed += invoked.elapsed();
        for event in again.into_iter().rev() {
            events.push_front(event);
        }
    }
}

impl Bill {
    fn line(&self, what: &str, of: Outage) -> String {
        let came = OUTAGE.as_millis() / of.every.as_millis();
        let letters = self.letters.len();
        let each = self.billed.as_secs_f64() * 1000.0 / f64::from(u32::try_from(letters.max(1)).unwrap());
        let Self { redelivered, requests, billed, .. } = self;
        let billed = billed.as_secs_f64();
        format!(
            "{what:<8} {came:>6} {letters:>8} {redelivered:>12} {requests:>9} {billed:>10.1} {each:>11.1}"
        )
    }
}

/// Prints what an outage of ten minutes costs without a breaker and with it; docs/adr/0023 has the table.
#[tokio::test(start_paused = true)]
async fn in_an_outage_letters_say_the_same_and_okta_is_asked_less() {
    println!("breaker  events  letters  redeliveries  requests  billed s  ms a letter");
    for (what, takes) in [("fails at once", 50), ("is silent", 10_000)] {
        for every in [10_000, 1_000, 100] {
            let of = Outage { takes: Duration::from_millis(takes), every: Duration::from_millis(every) };
            println!("Okta {what}, an event every {:?}", of.every);
            let without = outage(of, u32::MAX).await;
            println!("{}", without.line("without", of));
            let with = outage(of, 5).await;
            println!("{}", with.line("with", of));
            for (event, message) in &without.letters {
                assert_eq!(with.letters.get(event), Some(message), "{event}");
            }
            assert!(with.letters.values().all(|message| message == "Okta failed with status 503"));
            assert!(with.requests < without.requests && with.billed < without.billed);
        }
    }
}

//! How long events take from being accepted until their person is complete, which is what the service level is about.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex},
};

use cache::Cache;
use runtime::Clock;
use serde::{Deserialize, Serialize};

use crate::noted::Noted;

const KEY: &str = "completion-times";

/// The newest that a process counts: enough for a 99th percentile.
const WINDOW: usize = 100;

/// Of the last events of a process, in the cache for those who ask. Cheap to clone.
#[derive(Debug, Clone)]
pub struct CompletionTimes {
    newest: Arc<Mutex<VecDeque<u64>>>,
    noted: Noted<Completion>,
}

/// How long the last events of one process took from being accepted until their person was complete.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Completion {
    /// Half of them took no longer.
    pub p50_ms: u64,
    /// 99 of a hundred took no longer.
    pub p99_ms: u64,
    /// How many there are, a hundred at most.
    pub events: usize,
}

impl CompletionTimes {
    pub fn new(cache: Cache, clock: Clock) -> Self {
        Self { newest: Arc::default(), noted: Noted::new(KEY, cache, clock) }
    }

    /// Costs a write to the cache when there are twice as many events as this process has noted last, or a minute has
    /// passed.
    pub(crate) async fn note(&self, millis: u64) {
        let seen = self.count(millis);
        self.noted.note(seen, |last| seen.events >= 2 * last.events).await;
    }

    /// `None` if no event was completed in the last five minutes, or the cache that would know is away.
    pub async fn last(&self) -> Option<Completion> {
        self.noted.last().await.map(|note| note.seen)
    }

    fn count(&self, millis: u64) -> Completion {
        let mut newest = self.newest.lock().expect("no holder of this lock panics");
        if newest.len() == WINDOW {
            newest.pop_front();
        }
        newest.push_back(millis);
        let mut sorted: Vec<_> = newest.iter().copied().collect();
        sorted.sort_unstable();
        Completion { p50_ms: percentile(&sorted, 50), p99_ms: percentile(&sorted, 99), events: sorted.len() }
    }
}

/// By nearest rank: the smallest that at least so many percent don't exceed.
fn percentile(sorted: &[u64], percent: usize) -> u64 {
    sorted[(sorted.len() * percent).div_ceil(100) - 1]
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicI64, Ordering::SeqCst};

    use aws::Aws;
    use runtime::Vars;

    use super::*;

    fn times() -> (CompletionTimes, CompletionTimes, &'static AtomicI64) {
        let vars = Vars::from_iter(aws::EMULATED);
        let cache = Cache::from_vars(&vars, &Aws::from_vars(&vars).unwrap()).unwrap();
        let ahead = Box::leak(Box::new(AtomicI64::new(0)));
        let times = || CompletionTimes::new(cache.clone(), Clock::ahead(ahead));
        (times(), times(), ahead)
    }

    #[test]
    fn a_percentile_is_one_of_the_numbers() {
        for (count, percent, expected) in
            [(1, 50, 1), (1, 99, 1), (2, 50, 1), (2, 99, 2), (3, 50, 2), (100, 50, 50), (100, 99, 99)]
        {
            let sorted: Vec<_> = (1..=count).collect();
            assert_eq!(percentile(&sorted, percent), expected, "{percent} % of {count}");
        }
    }

    #[tokio::test]
    async fn what_one_sandbox_has_completed_another_shows() {
        let (enrichment, query, _) = times();
        assert_eq!(query.last().await, None);
        enrichment.note(400).await;
        assert_eq!(query.last().await, Some(Completion { p50_ms: 400, p99_ms: 400, events: 1 }));
    }

    #[tokio::test]
    async fn a_hundred_events_are_seven_writes_and_then_there_is_one_a_minute() {
        let (enrichment, query, ahead) = times();
        for count in 1..=150_usize {
            enrichment.note(1).await;
            let noted = if count < 64 { 1 << count.ilog2() } else { 64 };
            assert_eq!(query.last().await.unwrap().events, noted, "after {count}");
        }
        ahead.fetch_add(60_000, SeqCst);
        enrichment.note(7).await;
        assert_eq!(query.last().await, Some(Completion { p50_ms: 1, p99_ms: 1, events: 100 }));
        ahead.fetch_add(60_000, SeqCst);
        enrichment.note(7).await;
        assert_eq!(query.last().await.unwrap().p99_ms, 7, "the second slowest of a hundred");
    }

    #[tokio::test]
    async fn only_the_last_hundred_count() {
        let (enrichment, _, _) = times();
        for millis in 1..=250 {
            enrichment.note(millis).await;
        }
        assert_eq!(enrichment.count(251), Completion { p50_ms: 201, p99_ms: 250, events: 100 });
    }

    #[tokio::test]
    async fn where_nobody_was_completed_lately_there_is_no_number() {
        let (enrichment, query, ahead) = times();
        enrichment.note(400).await;
        ahead.fetch_add(5 * 60_000, SeqCst);
        assert_eq!(query.last().await, None);
    }
}

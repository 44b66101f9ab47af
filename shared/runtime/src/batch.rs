//! Runs the records of one invocation, and says exactly which of them Lambda must deliver again.

use std::{
    collections::{HashMap, hash_map::Entry},
    future::Future,
    panic::AssertUnwindSafe,
    time::Duration,
};

use futures_util::{FutureExt, StreamExt, stream};
use serde::{Deserialize, Serialize};
use tokio::time::{Instant, timeout_at};

/// A record that has a place in a partition and, mostly, a key.
pub trait Keyed {
    fn identifier(&self) -> ItemIdentifier;
    fn key(&self) -> Option<&[u8]>;
}

/// Names a record in a partial batch response: "topic-partition" and offset.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct ItemIdentifier {
    pub partition: String,
    pub offset: i64,
}

/// What a function with `ReportBatchItemFailures` answers. An empty list means that the whole batch succeeded.
/// <https://docs.aws.amazon.com/lambda/latest/dg/kafka-retry-configurations.html>
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct BatchResponse {
    pub batch_item_failures: Vec<BatchItemFailure>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct BatchItemFailure {
    pub item_identifier: ItemIdentifier,
}

/// The record was not processed because something that it needs was away: Lambda must deliver it again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Retry;

#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// How many keys are worked on at once.
    pub concurrency: usize,
    /// From here on no record is started.
    pub stop_starting: Instant,
    /// Here a record that still runs is dropped and reported, so that the answer reaches Lambda in time.
    pub cut_off: Instant,
}

impl Limits {
    /// Leaves the last tenth of the time, at most 5 s, to records that have started, and a last 500 ms to the answer.
    pub fn until(remaining: Duration, concurrency: usize) -> Self {
        let now = Instant::now();
        let answer = Duration::from_millis(500).min(remaining / 20);
        let finish = Duration::from_secs(5).min(remaining / 10);
        Self {
            concurrency,
            stop_starting: now + remaining.saturating_sub(finish),
            cut_off: now + remaining.saturating_sub(answer),
        }
    }
}

/// Runs `handler` on every record: those of one key and partition one after the other, others concurrently.
///
/// A key's first failure stops that key: its later records are not started and are reported too, since they would
/// overtake it. Records without a key have no order to keep. A handler that panics has failed.
pub async fn process<R, H, F>(records: Vec<R>, limits: Limits, handler: H) -> BatchResponse
where
    R: Keyed,
    H: Fn(R) -> F,
    F: Future<Output = Result<(), Retry>>,
{
    let handler = &handler;
    let batch_item_failures = stream::iter(lanes(records))
        .map(|lane| run_lane(lane, limits, handler))
        .buffer_unordered(limits.concurrency.max(1))
        .flat_map(stream::iter)
        .map(|item_identifier| BatchItemFailure { item_identifier })
        .collect()
        .await;
    BatchResponse { batch_item_failures }
}

/// One lane a key and partition, in the order in which the keys first appear.
fn lanes<R: Keyed>(records: Vec<R>) -> Vec<Vec<R>> {
    let mut lanes = Vec::<Vec<R>>::new();
    let mut by_key = HashMap::new();
    for record in records {
        match record.key() {
            None => lanes.push(vec![record]),
            Some(key) => match by_key.entry((record.identifier().partition, key.to_vec())) {
                Entry::Occupied(lane) => {
                    let lane: &usize = lane.get();
                    lanes[*lane].push(record);
                }
                Entry::Vacant(vacant) => {
                    vacant.insert(lanes.len());
                    lanes.push(vec![record]);
                }
            },
        }
    }
    lanes
}

/// Returns what has to be delivered again.
async fn run_lane<R, H, F>(lane: Vec<R>, limits: Limits, handler: &H) -> Vec<ItemIdentifier>
where
    R: Keyed,
    H: Fn(R) -> F,
    F: Future<Output = Result<(), Retry>>,
{
    let mut records = lane.into_iter();
    while let Some(record) = records.next() {
        let identifier = record.identifier();
        let in_time = Instant::now() < limits.stop_starting;
        if !in_time || run_one(record, &identifier, limits, handler).await.is_err() {
            return std::iter::once(identifier).chain(records.map(|later| later.identifier())).collect();
        }
    }
    Vec::new()
}

async fn run_one<R, H, F>(
    record: R,
    identifier: &ItemIdentifier,
    limits: Limits,
    handler: &H,
) -> Result<(), Retry>
where
    H: Fn(R) -> F,
    F: Future<Output = Result<(), Retry>>,
{
    let caught = AssertUnwindSafe(async { handler(record).await }).catch_unwind();
    match timeout_at(limits.cut_off, caught).await {
        Ok(Ok(outcome)) => outcome,
        Ok(Err(_panic)) => {
            tracing::error!(
                ?identifier,
                "the handler panicked; the record is reported to be delivered again"
            );
            Err(Retry)
        }
        Err(_elapsed) => {
            tracing::warn!(
                ?identifier,
                "the invocation's time is over; the record is reported to be delivered again"
            );
            Err(Retry)
        }
    }
}

#[cfg(test)]
mod tests;

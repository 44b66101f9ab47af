//! Runs the records of one invocation, and says exactly which of them Lambda must deliver again.

use std::{
    collections::{HashMap, hash_map::Entry},
    future::Future,
    panic::AssertUnwindSafe,
};

use futures_util::{FutureExt, StreamExt, stream};
use lambda_runtime::{Context, Error, LambdaEvent};
use runtime::{
    Clock,
    event::KafkaEvent,
    record::{ItemIdentifier, Record, Retry},
};
use serde::{Deserialize, Serialize};
use tokio::time::{Instant, timeout_at};
use tracing::Instrument;

use crate::{
    deadline::Deadline,
    function::{Event, Function},
    span::{consumer, invocation},
};

/// What an event source mapping invokes a function with.
#[derive(Debug)]
pub struct Batch {
    pub records: Vec<Record>,
    pub deadline: Deadline,
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

impl Batch {
    pub(crate) fn of(event: KafkaEvent, context: &Context, clock: Clock) -> Self {
        Self { records: event.into_records(), deadline: Deadline::of(context, clock) }
    }

    /// Runs `handler` on every record: those of one key and partition one after the other, others concurrently.
    ///
    /// A key's first failure stops that key: its later records are not started and are reported too, since they would
    /// overtake it. Records without a key have no order to keep. A handler that panics has failed.
    pub async fn process<H, F>(self, concurrency: usize, handler: H) -> BatchResponse
    where
        H: Fn(Record) -> F,
        F: Future<Output = Result<(), Retry>>,
    {
        let handler = &handler;
        let batch_item_failures = stream::iter(lanes(self.records))
            .map(|lane| run_lane(lane, self.deadline, handler))
            .buffer_unordered(concurrency.max(1))
            .flat_map(stream::iter)
            .map(|item_identifier| BatchItemFailure { item_identifier })
            .collect()
            .await;
        BatchResponse { batch_item_failures }
    }
}

impl Event for Batch {
    type Payload = KafkaEvent;
    type Answer = BatchResponse;

    async fn invoke<F: Function<Event = Self>>(
        function: &F,
        event: LambdaEvent<KafkaEvent>,
        clock: Clock,
    ) -> Result<impl Serialize + Send, Error> {
        let LambdaEvent { payload, context } = event;
        let batch = Self::of(payload, &context, clock);
        Ok(function.handle(batch).instrument(invocation(F::NAME, &context)).await)
    }
}

/// One lane a key and partition, in the order in which the keys first appear.
fn lanes(records: Vec<Record>) -> Vec<Vec<Record>> {
    let mut lanes = Vec::<Vec<Record>>::new();
    let mut by_key = HashMap::new();
    for record in records {
        let Some(key) = record.key.clone() else {
            lanes.push(vec![record]);
            continue;
        };
        match by_key.entry((record.topic.clone(), record.partition, key)) {
            Entry::Occupied(lane) => {
                let lane: &usize = lane.get();
                lanes[*lane].push(record);
            }
            Entry::Vacant(vacant) => {
                vacant.insert(lanes.len());
                lanes.push(vec![record]);
            }
        }
    }
    lanes
}

/// Returns what has to be delivered again.
async fn run_lane<H, F>(lane: Vec<Record>, deadline: Deadline, handler: &H) -> Vec<ItemIdentifier>
where
    H: Fn(Record) -> F,
    F: Future<Output = Result<(), Retry>>,
{
    let mut records = lane.into_iter();
    while let Some(record) = records.next() {
        let identifier = record.identifier();
        let in_time = Instant::now() < deadline.stop_starting;
        if !in_time || run_one(record, deadline, handler).await.is_err() {
            return std::iter::once(identifier).chain(records.map(|later| later.identifier())).collect();
        }
    }
    Vec::new()
}

async fn run_one<H, F>(record: Record, deadline: Deadline, handler: &H) -> Result<(), Retry>
where
    H: Fn(Record) -> F,
    F: Future<Output = Result<(), Retry>>,
{
    let consumer = consumer(&record);
    let span = consumer.in_scope(|| record.span());
    let outcome = handle(record, deadline, handler).instrument(span).instrument(consumer.clone()).await;
    if outcome.is_err() {
        consumer.record("otel.status_code", "ERROR");
    }
    outcome
}

async fn handle<H, F>(record: Record, deadline: Deadline, handler: &H) -> Result<(), Retry>
where
    H: Fn(Record) -> F,
    F: Future<Output = Result<(), Retry>>,
{
    let caught = AssertUnwindSafe(async { handler(record).await }).catch_unwind();
    match timeout_at(deadline.cut_off, caught).await {
        Ok(Ok(outcome)) => outcome,
        Ok(Err(_panic)) => {
            tracing::error!("the handler panicked; the record is reported to be delivered again");
            Err(Retry)
        }
        Err(_elapsed) => {
            tracing::warn!("the invocation's time is over; the record is reported to be delivered again");
            Err(Retry)
        }
    }
}

#[cfg(test)]
mod tests;

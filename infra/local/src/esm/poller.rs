use std::{
    collections::BTreeMap,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
    thread,
    time::Duration,
};

use futures_util::{FutureExt, future::join_all};
use rdkafka::{
    Offset, TopicPartitionList,
    consumer::{CommitMode, Consumer},
    error::{KafkaError, KafkaResult},
};
use runtime::{Clock, record::Record, telemetry};
use tokio::{
    sync::{oneshot, watch},
    time::{Instant, timeout, timeout_at},
};

use super::{
    PATIENCE_AT_END, Progress, Reports,
    answer::Answer,
    deliver::{Surroundings, backoff, deliver},
    event::{self, event_bytes},
    on_failure::{Condition, OnFailure},
};
use crate::{broker::Embedded, function::Function, phase::Phase, template::Trigger};

/// Lambda takes 6 MB a payload, of which the event around the records needs a little.
const MAX_EVENT_BYTES: usize = 6 * 1024 * 1024 - 4096;

pub(super) type StreamConsumer = rdkafka::consumer::StreamConsumer<Reports>;

/// What is left between two batches.
#[derive(Default)]
struct Between {
    is_ready: bool,
    /// Read already, and too long for the batch before.
    held: Option<Record>,
}

/// Reads the partitions of its consumer: one, or those that its group gives it.
pub(super) struct Poller {
    pub(super) consumer: Arc<StreamConsumer>,
    pub(super) trigger: Trigger,
    pub(super) function: Function,
    pub(super) on_failure: Option<OnFailure>,
    pub(super) bootstrap_servers: Arc<str>,
    pub(super) longest_record: Arc<AtomicU64>,
    pub(super) progress: watch::Sender<Progress>,
    pub(super) ready: watch::Sender<usize>,
    pub(super) phase: watch::Receiver<Phase>,
    /// Comes last, to end after the consumer, which may have a commit on its way to it.
    pub(super) embedded: Option<Arc<Embedded>>,
}

impl Poller {
    pub(super) async fn run(self) {
        let mut between = Between::default();
        let mut stopping = self.phase.clone();
        let mut last = Progress::new();
        loop {
            let batch = tokio::select! {
                batch = self.next_batch(&mut between) => batch,
                _ = stopping.wait_for(|phase| *phase >= Phase::Stopping) => break,
            };
            self.report_gap(&batch);
            let next: Progress = batch.iter().map(|record| (record.partition, record.offset + 1)).collect();
            if !self.deliver_each_partition(batch).await {
                break;
            }
            self.progress.send_modify(|progress| progress.extend(&next));
            last = next;
            if let Err(error) = self.commit(&last, CommitMode::Async) {
                tracing::warn!(%error, "an offset was not committed; the next commit covers it");
            }
        }
        self.end(last).await;
    }

    /// One that has to wait doesn't hold up the others. `false` if the process is to end before everything is processed.
    async fn deliver_each_partition(&self, batch: Vec<Record>) -> bool {
        let mut parts = BTreeMap::<i32, Vec<Record>>::new();
        for record in batch {
            parts.entry(record.partition).or_default().push(record);
        }
        let parts = parts.into_values().map(|part| self.deliver(part));
        join_all(parts).await.into_iter().all(|done| done)
    }

    fn report_gap(&self, batch: &[Record]) {
        // The embedded broker numbers records without gaps, and drops old ones without a word.
        let Some(first) = batch.first().filter(|_| self.embedded.is_some()) else { return };
        let expected = self.progress.borrow()[&first.partition];
        if first.offset > expected {
            let (topic, partition, lost) = (&self.trigger.topic, first.partition, first.offset - expected);
            tracing::error!(
                topic,
                partition,
                lost,
                "the embedded broker dropped records that nobody had read"
            );
        }
    }

    /// Where the next process goes on.
    fn commit(&self, next: &Progress, mode: CommitMode) -> KafkaResult<()> {
        let mut offsets = TopicPartitionList::new();
        for (partition, next) in next {
            offsets.add_partition_offset(&self.trigger.topic, *partition, Offset::Offset(*next))?;
        }
        self.consumer.commit(&offsets, mode)
    }

    /// With its broker away, librdkafka waits most of a minute for a commit, and without end for one that is on its way
    /// when its consumer goes. So both happen on a thread that ends with the process, if not before.
    async fn end(self, last: Progress) {
        let topic = self.trigger.topic.clone();
        let (done, ended) = oneshot::channel();
        thread::spawn(move || {
            if !last.is_empty()
                && let Err(error) = self.commit(&last, CommitMode::Sync)
            {
                tracing::warn!(%error, "the last offset was not committed; its records will come again");
            }
            drop(self);
            // Nobody waits for it any more if it took too long.
            let _ended = done.send(());
        });
        if timeout(PATIENCE_AT_END, ended).await.is_err() {
            tracing::warn!(
                topic,
                "the broker didn't take the last offset in time; its records may come again"
            );
        }
    }

    /// The records of one window, as many as fit one invocation. Without a window those that are there, or the first
    /// to come.
    async fn next_batch(&self, between: &mut Between) -> Vec<Record> {
        // In provisioned mode a window begins as soon as the batch before it is done.
        let began = Instant::now();
        let mut ends = None;
        let mut bytes = 0;
        let mut batch = Vec::new();
        if let Some(held) = between.held.take() {
            ends = Some(window_end(began, self.trigger.window, began));
            bytes = event_bytes(&held);
            batch.push(held);
        }
        while batch.len() < self.trigger.batch_size {
            let received = match ends {
                None => Some(self.consumer.recv().await),
                Some(ends) => match self.consumer.recv().now_or_never() {
                    Some(received) => Some(received),
                    None if self.trigger.window.is_zero() => None,
                    None => timeout_at(ends, self.consumer.recv()).await.ok(),
                },
            };
            let Some(received) = received else { break };
            match received {
                Ok(message) => {
                    ends.get_or_insert_with(|| window_end(began, self.trigger.window, Instant::now()));
                    let length = message.payload_len() + message.key_len();
                    self.longest_record.fetch_max(u64::try_from(length).unwrap_or(u64::MAX), Relaxed);
                    let record = event::record(&message);
                    let length = event_bytes(&record);
                    if !batch.is_empty() && bytes + length > MAX_EVENT_BYTES {
                        between.held = Some(record);
                        break;
                    }
                    bytes += length;
                    batch.push(record);
                }
                Err(KafkaError::PartitionEOF(_)) => {}
                Err(error) => tracing::debug!(%error, "the partition reports"),
            }
            if !between.is_ready {
                between.is_ready = true;
                self.ready.send_modify(|ready| *ready += 1);
            }
        }
        batch
    }

    /// `false` if the process is to end before everything is processed.
    async fn deliver(&self, batch: Vec<Record>) -> bool {
        // Only a batch of one is longer than what fits.
        if let [record] = &batch[..]
            && event_bytes(record) > MAX_EVENT_BYTES
        {
            return self.give_up(record, Condition::MaximumPayloadSizeExceeded, 0).await;
        }
        deliver(batch, &self.trigger, self).await
    }
}

impl Surroundings for Poller {
    async fn invoke(&self, records: &[Record]) -> Answer {
        let event = event::of(records, &self.bootstrap_servers);
        let payload = serde_json::to_vec(&event).expect("an event has string keys");
        let function = self.function.name.as_str();
        match self.function.invoke(payload).await {
            Err(error) => {
                tracing::error!(function, error = format!("{error:#}"), "an invocation failed");
                Answer::Error
            }
            // Without ReportBatchItemFailures nobody looks at the answer.
            Ok(_answer) if !self.trigger.reports_failures => Answer::Failed(Vec::new()),
            Ok(answer) => {
                let answer = Answer::parse(&answer);
                if matches!(answer, Answer::Invalid) {
                    tracing::error!(function, "an invocation answered something that is no batch response");
                }
                answer
            }
        }
    }

    async fn give_up(&self, record: &Record, condition: Condition, invocations: u32) -> bool {
        tracing::error!(?record, ?condition, invocations, "a record was given up");
        let Some(on_failure) = &self.on_failure else { return true };
        let mut attempts = 0;
        while let Err(error) = on_failure.send(record, condition, invocations).await {
            attempts += 1;
            let error = telemetry::chain(&error);
            tracing::warn!(?record, error, attempts, "the on-failure topic did not take a record");
            if !self.pause(backoff(attempts)).await {
                return false;
            }
        }
        true
    }

    async fn pause(&self, wait: Duration) -> bool {
        let mut phase = self.phase.clone();
        tokio::select! {
            () = tokio::time::sleep(wait) => true,
            _ = phase.wait_for(|phase| *phase >= Phase::Stopping) => false,
        }
    }

    fn now(&self) -> i64 {
        Clock::system().now().as_millisecond()
    }
}

/// When the window that holds `now` ends. A window that ends without a record is followed by the next.
fn window_end(began: Instant, window: Duration, now: Instant) -> Instant {
    let passed = now.duration_since(began).as_nanos().checked_div(window.as_nanos()).unwrap_or(0);
    began + window * (u32::try_from(passed).unwrap_or(u32::MAX - 1) + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_window_begins_where_the_one_before_it_ended() {
        let (began, second) = (Instant::now(), Duration::from_secs(1));
        let end = |millis| window_end(began, 10 * second, began + Duration::from_millis(millis)) - began;
        assert_eq!(end(0), 10 * second);
        assert_eq!(end(9_999), 10 * second);
        assert_eq!(end(10_000), 20 * second);
        assert_eq!(end(95_000), 100 * second);
        assert_eq!(window_end(began, Duration::ZERO, began + second), began);
    }
}

use std::{
    collections::BTreeMap,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
    time::Duration,
};

use futures_util::{FutureExt, future::join_all};
use rdkafka::{
    Message, Offset, Timestamp, TopicPartitionList,
    consumer::{CommitMode, Consumer},
    error::{KafkaError, KafkaResult},
    message::{BorrowedMessage, Headers},
};
use runtime::{
    Clock,
    batch::BatchResponse,
    event::{KafkaEvent, Record, RecordHeader},
    telemetry,
};
use tokio::{sync::watch, time::Instant};

use super::{
    Progress, Reports,
    deliver::{Answer, Surroundings, backoff, deliver},
    on_failure::{Condition, OnFailure},
};
use crate::{cloud::Phase, function::Function, template::Trigger};

/// Lambda's limit of an invocation is 6 MB of JSON; base64 makes four bytes of three.
const MOST_BYTES: usize = 4 * 1024 * 1024;

pub(super) type StreamConsumer = rdkafka::consumer::StreamConsumer<Reports>;

/// Reads the partitions of its consumer: one, or those that its group gives it.
pub(super) struct Poller {
    pub(super) consumer: Arc<StreamConsumer>,
    pub(super) trigger: Trigger,
    pub(super) function: Function,
    pub(super) on_failure: Option<OnFailure>,
    /// The embedded broker numbers records without gaps, and drops old ones without a word.
    pub(super) gaps_are_losses: bool,
    pub(super) longest_record: Arc<AtomicU64>,
    pub(super) progress: watch::Sender<Progress>,
    pub(super) ready: watch::Sender<usize>,
    pub(super) phase: watch::Receiver<Phase>,
}

impl Poller {
    pub(super) async fn run(self) {
        let mut is_ready = false;
        let mut stopping = self.phase.clone();
        let mut last = Progress::new();
        loop {
            let batch = tokio::select! {
                batch = self.next_batch(&mut is_ready) => batch,
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
        self.commit_for_good(last).await;
    }

    /// One that has to wait doesn't hold up the others. `false` if the process is to end before everything is processed.
    async fn deliver_each_partition(&self, batch: Vec<Record>) -> bool {
        let mut parts = BTreeMap::<i32, Vec<Record>>::new();
        for record in batch {
            parts.entry(record.partition).or_default().push(record);
        }
        let parts = parts.into_values().map(|part| deliver(part, &self.trigger, self));
        join_all(parts).await.into_iter().all(|done| done)
    }

    fn report_gap(&self, batch: &[Record]) {
        let Some(first) = batch.first().filter(|_| self.gaps_are_losses) else { return };
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

    async fn commit_for_good(self, last: Progress) {
        if last.is_empty() {
            return;
        }
        let commit = move || self.commit(&last, CommitMode::Sync);
        if let Ok(Err(error)) = tokio::task::spawn_blocking(commit).await {
            tracing::warn!(%error, "the last offset was not committed; its records will come again");
        }
    }

    /// The records that are there, at most a batch; if there are none, waits for the first and the window after it.
    async fn next_batch(&self, is_ready: &mut bool) -> Vec<Record> {
        let mut batch = Vec::new();
        let mut bytes = 0;
        let mut until = None;
        while batch.len() < self.trigger.batch_size && bytes < MOST_BYTES {
            let received = match until {
                None => Some(self.consumer.recv().await),
                Some(until) => match self.consumer.recv().now_or_never() {
                    Some(received) => Some(received),
                    None if self.trigger.window.is_zero() => None,
                    None => tokio::time::timeout_at(until, self.consumer.recv()).await.ok(),
                },
            };
            let Some(received) = received else { break };
            match received {
                Ok(message) => {
                    until.get_or_insert_with(|| Instant::now() + self.trigger.window);
                    let length = message.payload_len() + message.key_len();
                    bytes += length;
                    self.longest_record.fetch_max(u64::try_from(length).unwrap_or(u64::MAX), Relaxed);
                    batch.push(record(&message));
                }
                Err(KafkaError::PartitionEOF(_)) => {}
                Err(error) => tracing::debug!(%error, "the partition reports"),
            }
            if !*is_ready {
                *is_ready = true;
                self.ready.send_modify(|ready| *ready += 1);
            }
        }
        batch
    }
}

impl Surroundings for Poller {
    async fn invoke(&self, records: &[Record]) -> Answer {
        let event: KafkaEvent = records.iter().cloned().collect();
        let payload = serde_json::to_vec(&event).expect("an event has string keys");
        let answer = self.function.invoke(payload).await;
        let failures = answer.and_then(|answer| Ok(serde_json::from_slice::<BatchResponse>(&answer)?));
        match failures {
            Ok(response) => {
                let failures = response.batch_item_failures.into_iter();
                Answer::Failed(failures.map(|failure| failure.item_identifier).collect())
            }
            Err(error) => {
                let function = self.function.name.as_str();
                tracing::error!(function, error = format!("{error:#}"), "an invocation failed");
                Answer::Error
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

fn record(message: &BorrowedMessage<'_>) -> Record {
    let (timestamp, timestamp_type) = match message.timestamp() {
        Timestamp::CreateTime(at) => (at, "CREATE_TIME"),
        Timestamp::LogAppendTime(at) => (at, "LOG_APPEND_TIME"),
        Timestamp::NotAvailable => (0, "NO_TIMESTAMP_TYPE"),
    };
    let headers = message.headers().map(|headers| headers.iter()).into_iter().flatten();
    Record {
        topic: message.topic().to_owned(),
        partition: message.partition(),
        offset: message.offset(),
        timestamp,
        timestamp_type: timestamp_type.to_owned(),
        key: message.key().map(<[u8]>::to_vec),
        value: message.payload().map(<[u8]>::to_vec),
        headers: headers
            .map(|header| RecordHeader {
                name: header.key.to_owned(),
                value: header.value.unwrap_or_default().to_vec(),
            })
            .collect(),
    }
}

//! The event source mapping: reads a topic, invokes a function with batches, and never skips a record.
//!
//! It works as Lambda's provisioned mode is documented to, one poller a partition. Partitions are assigned directly:
//! joining a group takes seconds that nobody at a laptop wants to wait, and there is only one process to share with.

mod backlog;
mod deliver;
mod on_failure;
mod poller;

use std::{collections::HashMap, sync::Arc, time::Duration};

use anyhow::Context;
use rdkafka::{
    ClientConfig, ClientContext, Offset, TopicPartitionList,
    consumer::{Consumer, ConsumerContext},
    error::KafkaError,
};
use tokio::{sync::watch, task::JoinSet};

use self::{on_failure::OnFailure, poller::Poller};
use crate::{cloud::Phase, function::Function, template::Trigger};

/// How long a broker may take to answer a question of ours.
const PATIENCE: Duration = Duration::from_secs(10);

/// The next offset to process, by partition.
pub(crate) type Progress = HashMap<i32, i64>;

type StreamConsumer = rdkafka::consumer::StreamConsumer<Reports>;

/// What the consumer reports by itself. The end of a partition is no error, and a broker that is away for a moment is
/// librdkafka's business until it isn't.
struct Reports;

impl ClientContext for Reports {
    fn error(&self, error: KafkaError, reason: &str) {
        if !matches!(error, KafkaError::Global(rdkafka::types::RDKafkaErrorCode::PartitionEOF)) {
            tracing::debug!(%error, reason, "the consumer reports");
        }
    }
}

impl ConsumerContext for Reports {}

pub(crate) struct EventSource {
    trigger: Trigger,
    consumer: Arc<StreamConsumer>,
    progress: watch::Receiver<Progress>,
    ready: watch::Receiver<usize>,
    partitions: usize,
    pollers: JoinSet<()>,
}

impl EventSource {
    pub(crate) async fn start(
        trigger: Trigger,
        function: Function,
        bootstrap_servers: &str,
        embedded: bool,
        phase: &watch::Receiver<Phase>,
    ) -> anyhow::Result<Self> {
        let consumer: Arc<StreamConsumer> =
            Arc::new(config(bootstrap_servers, &trigger.group).create_with_context(Reports)?);
        let positions = {
            let (consumer, topic) = (Arc::clone(&consumer), trigger.topic.clone());
            tokio::task::spawn_blocking(move || positions(&consumer, &topic)).await?
        };
        let positions =
            positions.with_context(|| format!("the offsets of {} can't be read", trigger.topic))?;
        let mut assignment = TopicPartitionList::new();
        for (partition, next) in &positions {
            assignment.add_partition_offset(&trigger.topic, *partition, Offset::Offset(*next))?;
        }
        let on_failure = trigger.on_failure.as_deref();
        let on_failure = on_failure.map(|topic| OnFailure::new(bootstrap_servers, topic)).transpose()?;
        let (progress_tx, progress) = watch::channel(positions.clone());
        let (ready_tx, ready) = watch::channel(0);
        consumer.assign(&assignment)?;

        let mut pollers = JoinSet::new();
        for partition in positions.keys() {
            let queue = consumer.split_partition_queue(&trigger.topic, *partition);
            let poller = Poller {
                queue: queue.context("the partition was just assigned")?,
                partition: *partition,
                consumer: Arc::clone(&consumer),
                trigger: trigger.clone(),
                function: function.clone(),
                on_failure: on_failure.clone(),
                progress: progress_tx.clone(),
                ready: ready_tx.clone(),
                phase: phase.clone(),
            };
            pollers.spawn(poller.run());
        }
        pollers.spawn(serve_events(Arc::clone(&consumer), phase.clone()));
        if embedded {
            let (consumer, topic) = (Arc::clone(&consumer), trigger.topic.clone());
            pollers.spawn(backlog::watch(consumer, topic, progress.clone(), phase.clone()));
        }
        Ok(Self { trigger, consumer, partitions: positions.len(), progress, ready, pollers })
    }

    /// Waits until every partition has been read to its end, or has records at hand.
    pub(crate) async fn ready(&self) {
        let partitions = self.partitions;
        // An error means that the pollers are gone, and then there is nothing to wait for.
        drop(self.ready.clone().wait_for(|ready| *ready >= partitions).await);
    }

    /// Waits until every record that is on the topic now has been processed. Says whether there were any.
    pub(crate) async fn settle(&self) -> anyhow::Result<bool> {
        let (consumer, topic) = (Arc::clone(&self.consumer), self.trigger.topic.clone());
        let partitions: Vec<i32> = self.progress.borrow().keys().copied().collect();
        let ends: Progress = tokio::task::spawn_blocking(move || {
            let end = |partition| Ok((partition, consumer.fetch_watermarks(&topic, partition, PATIENCE)?.1));
            partitions.into_iter().map(end).collect::<rdkafka::error::KafkaResult<_>>()
        })
        .await??;
        let done = |progress: &Progress| ends.iter().all(|(partition, end)| progress[partition] >= *end);
        let was_busy = !done(&self.progress.borrow());
        self.progress.clone().wait_for(done).await.context("the pollers have ended")?;
        Ok(was_busy)
    }

    pub(crate) fn topic(&self) -> &str {
        &self.trigger.topic
    }

    pub(crate) fn partitions(&self) -> usize {
        self.partitions
    }

    /// Waits for the pollers, which end with their phase, and commits what they have processed.
    pub(crate) async fn stop(self) {
        self.pollers.join_all().await;
        let consumer = self.consumer;
        let progress = self.progress.borrow().clone();
        let topic = self.trigger.topic;
        let commit = move || {
            let mut offsets = TopicPartitionList::new();
            for (partition, next) in progress {
                offsets.add_partition_offset(&topic, partition, Offset::Offset(next))?;
            }
            consumer.commit(&offsets, rdkafka::consumer::CommitMode::Sync)
        };
        if let Ok(Err(error)) = tokio::task::spawn_blocking(commit).await {
            tracing::warn!(%error, "the last offsets were not committed; their records will come again");
        }
    }
}

fn config(bootstrap_servers: &str, group: &str) -> ClientConfig {
    let mut config = ClientConfig::new();
    config
        .set("bootstrap.servers", bootstrap_servers)
        .set("group.id", group)
        .set("enable.auto.commit", "false")
        .set("auto.offset.reset", "earliest")
        .set("enable.partition.eof", "true")
        // The embedded broker answers a waiting fetch only when its time is over.
        .set("fetch.wait.max.ms", "10")
        // A partition's queue in memory: a laptop's, not a cluster's.
        .set("queued.max.messages.kbytes", "4096");
    config
}

/// Where to go on: at the group's committed offset, or at the oldest record.
fn positions(consumer: &StreamConsumer, topic: &str) -> anyhow::Result<Progress> {
    let metadata = consumer.fetch_metadata(Some(topic), PATIENCE)?;
    let topic_metadata = metadata.topics().first().context("the broker doesn't know the topic")?;
    let mut asked = TopicPartitionList::new();
    for partition in topic_metadata.partitions() {
        asked.add_partition(topic, partition.id());
    }
    let committed = consumer.committed_offsets(asked, PATIENCE)?;
    let position = |element: &rdkafka::topic_partition_list::TopicPartitionListElem<'_>| {
        let (low, high) = consumer.fetch_watermarks(topic, element.partition(), PATIENCE)?;
        let next = match element.offset() {
            // A topic that was made anew begins before what was committed.
            Offset::Offset(next) if next <= high => next.max(low),
            _ => low,
        };
        Ok((element.partition(), next))
    };
    committed.elements().iter().map(position).collect()
}

/// librdkafka wants its main queue served; records come on the partitions' queues.
async fn serve_events(consumer: Arc<StreamConsumer>, mut phase: watch::Receiver<Phase>) {
    let serve = async {
        loop {
            if let Err(error) = consumer.recv().await {
                tracing::debug!(%error, "the consumer reports");
            }
        }
    };
    tokio::select! {
        () = serve => {}
        _ = phase.wait_for(|phase| *phase >= Phase::Stopping) => {}
    }
}

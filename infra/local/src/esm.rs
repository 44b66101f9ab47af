//! The event source mapping: reads a topic, invokes a function with batches, and never skips a record.
//!
//! It works as Lambda's provisioned mode is documented to. Alone, it has one poller a partition and assigns partitions
//! directly: joining a group takes seconds that nobody at a laptop wants to wait. Where partitions are shared with other
//! processes, one poller is the group's member.

mod answer;
mod backlog;
mod deliver;
mod event;
mod on_failure;
mod poller;

use std::{
    collections::HashMap,
    sync::{Arc, atomic::AtomicU64},
    time::{Duration, Instant},
};

use anyhow::{Context, bail};
use kafka::Producer;
use rdkafka::{
    ClientConfig, ClientContext, Offset, TopicPartitionList,
    consumer::{BaseConsumer, Consumer, ConsumerContext},
    error::{KafkaError, KafkaResult},
    metadata::{MetadataPartition, MetadataTopic},
    types::RDKafkaErrorCode,
};
use tokio::{sync::watch, task::JoinSet};

use self::{on_failure::OnFailure, poller::Poller};
use crate::{
    broker::Embedded,
    function::Function,
    phase::Phase,
    template::{Start, Trigger},
};

/// How long a broker may take to answer a question of ours.
pub(crate) const PATIENCE: Duration = Duration::from_secs(10);

/// The same when the process ends, as a person waits for that: a broker that is there answers in milliseconds.
pub(crate) const PATIENCE_AT_END: Duration = Duration::from_secs(2);

/// The next offset to process, by partition.
pub(crate) type Progress = HashMap<i32, i64>;

/// Who reads the topics.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Reading {
    /// This process reads every partition, at once.
    #[default]
    Alone,
    /// The partitions are shared with every process that reads so: they form Kafka's consumer groups. Needs a real
    /// broker, and seconds until the groups have agreed.
    Shared,
}

pub(crate) struct EventSource {
    trigger: Trigger,
    /// Asks for offsets; reads nothing.
    probe: Arc<BaseConsumer>,
    progress: watch::Receiver<Progress>,
    ready: watch::Receiver<usize>,
    partitions: usize,
    reading: Reading,
    pollers: JoinSet<()>,
}

/// Where the records come from.
#[derive(Clone, Copy)]
pub(crate) struct Brokers<'a> {
    pub(crate) bootstrap_servers: &'a str,
    pub(crate) embedded: Option<&'a Arc<Embedded>>,
    pub(crate) reading: Reading,
    /// Writes to on-failure topics, which have their prefix already.
    pub(crate) producer: &'a Producer,
}

impl EventSource {
    pub(crate) async fn start(
        trigger: Trigger,
        function: Function,
        brokers: Brokers<'_>,
        phase: &watch::Receiver<Phase>,
    ) -> anyhow::Result<Self> {
        let config = config(brokers, &trigger.group);
        let probe: Arc<BaseConsumer> = Arc::new(config.create()?);
        let positions = {
            let (probe, topic, start) = (Arc::clone(&probe), trigger.topic.clone(), trigger.start);
            tokio::task::spawn_blocking(move || positions(&probe, &topic, start)).await?
        };
        let positions =
            positions.with_context(|| format!("the offsets of {} can't be read", trigger.topic))?;
        let on_failure = trigger.on_failure.clone();
        let bootstrap_servers: Arc<str> = brokers.bootstrap_servers.into();
        let on_failure = on_failure.map(|topic| OnFailure {
            producer: brokers.producer.clone(),
            topic,
            function: function.name.clone(),
            bootstrap_servers: Arc::clone(&bootstrap_servers),
        });
        let (progress_tx, progress) = watch::channel(positions.clone());
        let (ready_tx, ready) = watch::channel(0);
        let longest_record = Arc::new(AtomicU64::new(0));

        let mut pollers = JoinSet::new();
        for consumer in consumers(&config, &trigger.topic, brokers.reading, &positions)? {
            let poller = Poller {
                consumer: Arc::new(consumer),
                trigger: trigger.clone(),
                function: function.clone(),
                on_failure: on_failure.clone(),
                bootstrap_servers: Arc::clone(&bootstrap_servers),
                embedded: brokers.embedded.cloned(),
                longest_record: Arc::clone(&longest_record),
                progress: progress_tx.clone(),
                ready: ready_tx.clone(),
                phase: phase.clone(),
            };
            pollers.spawn(poller.run());
        }
        if brokers.embedded.is_some() {
            let watched = backlog::Watched {
                probe: Arc::clone(&probe),
                topic: trigger.topic.clone(),
                progress: progress.clone(),
                longest_record,
            };
            pollers.spawn(backlog::watch(watched, phase.clone()));
        }
        let (partitions, reading) = (positions.len(), brokers.reading);
        Ok(Self { trigger, probe, progress, ready, partitions, reading, pollers })
    }

    /// Waits until every partition has been read to its end, or has records at hand. Shared ones are somebody's, and
    /// whose is not worth waiting for.
    pub(crate) async fn ready(&self) {
        let partitions = if self.reading == Reading::Alone { self.partitions } else { 0 };
        // An error means that the pollers are gone, and then there is nothing to wait for.
        drop(self.ready.clone().wait_for(|ready| *ready >= partitions).await);
    }

    /// Waits until every record that is on the topic now has been processed. Says whether there were any. An error when a
    /// broker doesn't say within `patience` what is on it.
    pub(crate) async fn settle(&self, patience: Duration) -> anyhow::Result<bool> {
        let (probe, topic) = (Arc::clone(&self.probe), self.trigger.topic.clone());
        let partitions: Vec<i32> = self.progress.borrow().keys().copied().collect();
        let ends: Progress = tokio::task::spawn_blocking(move || {
            let end = |partition| Ok((partition, probe.fetch_watermarks(&topic, partition, patience)?.1));
            partitions.into_iter().map(end).collect::<KafkaResult<_>>()
        })
        .await?
        .context("the brokers don't answer")?;
        let done = |progress: &Progress| {
            ends.iter().all(|(partition, end)| progress.get(partition).is_some_and(|next| next >= end))
        };
        if self.reading == Reading::Shared {
            return self.settle_with_others(done).await;
        }
        let was_busy = !done(&self.progress.borrow());
        self.progress.clone().wait_for(done).await.context("the pollers have ended")?;
        Ok(was_busy)
    }

    /// What other processes have done shows in what they have committed.
    async fn settle_with_others(&self, done: impl Fn(&Progress) -> bool) -> anyhow::Result<bool> {
        let mut was_busy = false;
        loop {
            let (probe, topic, start) =
                (Arc::clone(&self.probe), self.trigger.topic.clone(), self.trigger.start);
            let progress = tokio::task::spawn_blocking(move || positions(&probe, &topic, start)).await??;
            if done(&progress) {
                return Ok(was_busy);
            }
            was_busy = true;
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }

    pub(crate) fn topic(&self) -> &str {
        &self.trigger.topic
    }

    pub(crate) fn partitions(&self) -> usize {
        self.partitions
    }

    /// Waits for the pollers, which end with their phase and commit what they have processed, if their broker is there.
    pub(crate) async fn stop(self) {
        self.pollers.join_all().await;
    }
}

/// What a consumer reports by itself. The end of a partition is no error, and a connection that is lost for a moment is
/// librdkafka's business until it isn't.
struct Reports;

impl ClientContext for Reports {
    fn error(&self, error: KafkaError, reason: &str) {
        match error.rdkafka_error_code() {
            Some(RDKafkaErrorCode::PartitionEOF) => {}
            Some(
                RDKafkaErrorCode::AllBrokersDown
                | RDKafkaErrorCode::UnknownTopicOrPartition
                | RDKafkaErrorCode::TopicAuthorizationFailed
                | RDKafkaErrorCode::GroupAuthorizationFailed
                | RDKafkaErrorCode::Fatal,
            ) => tracing::warn!(%error, reason, "no records can be read"),
            _ => tracing::debug!(%error, reason, "the consumer reports"),
        }
    }
}

impl ConsumerContext for Reports {
    fn commit_callback(&self, result: KafkaResult<()>, _offsets: &TopicPartitionList) {
        if let Err(error) = result {
            tracing::warn!(%error, "an offset was not committed; the next commit covers it");
        }
    }
}

fn config(brokers: Brokers<'_>, group: &str) -> ClientConfig {
    let mut config = ClientConfig::new();
    config
        .set("bootstrap.servers", brokers.bootstrap_servers)
        .set("group.id", group)
        .set("enable.auto.commit", "false")
        .set("auto.offset.reset", "earliest")
        .set("enable.partition.eof", "true")
        // What waits in memory of one partition: a laptop's share, not a cluster's.
        .set("queued.max.messages.kbytes", "4096");
    if brokers.embedded.is_some() {
        // It answers a waiting fetch only when its time is over.
        config.set("fetch.wait.max.ms", "10");
    }
    config
}

/// Alone, one a partition: what is fetched for it can reach nobody but its poller.
fn consumers(
    config: &ClientConfig,
    topic: &str,
    reading: Reading,
    positions: &Progress,
) -> KafkaResult<Vec<poller::StreamConsumer>> {
    if reading == Reading::Shared {
        let mut config = config.clone();
        config
            // Lambda notices a lost poller within seconds, too.
            .set("session.timeout.ms", "6000")
            // A member whose batch takes longer loses its partitions to another: then both may be at work on them.
            .set("max.poll.interval.ms", "10000");
        let member: poller::StreamConsumer = config.create_with_context(Reports)?;
        member.subscribe(&[topic])?;
        return Ok(vec![member]);
    }
    let consumer = |(partition, next): (&i32, &i64)| {
        let consumer: poller::StreamConsumer = config.create_with_context(Reports)?;
        let mut assignment = TopicPartitionList::new();
        assignment.add_partition_offset(topic, *partition, Offset::Offset(*next))?;
        consumer.assign(&assignment)?;
        Ok(consumer)
    };
    positions.iter().map(consumer).collect()
}

/// Where to go on: at the group's committed offset, or where a new group starts.
fn positions(probe: &BaseConsumer, topic: &str, start: Start) -> anyhow::Result<Progress> {
    let mut asked = TopicPartitionList::new();
    for partition in partitions(probe, topic)? {
        asked.add_partition(topic, partition);
    }
    let committed = committed(probe, &asked)?;
    let position = |element: &rdkafka::topic_partition_list::TopicPartitionListElem<'_>| {
        let (low, high) = probe.fetch_watermarks(topic, element.partition(), PATIENCE)?;
        let next = match element.offset() {
            // A topic that was made anew begins before what was committed.
            Offset::Offset(next) if next <= high => next.max(low),
            Offset::Offset(_) => low,
            _ => match start {
                Start::TrimHorizon => low,
                Start::Latest => high,
            },
        };
        Ok((element.partition(), next))
    };
    committed.elements().iter().map(position).collect()
}

/// A broker that is new makes its topic of offsets when it is asked for one first, and refuses meanwhile.
fn committed(probe: &BaseConsumer, asked: &TopicPartitionList) -> KafkaResult<TopicPartitionList> {
    let began = Instant::now();
    loop {
        match probe.committed_offsets(asked.clone(), PATIENCE) {
            Err(_) if began.elapsed() < PATIENCE => std::thread::sleep(Duration::from_millis(100)),
            answer => return answer,
        }
    }
}

/// A topic that was just made takes a moment to be known to every broker.
fn partitions(probe: &BaseConsumer, topic: &str) -> anyhow::Result<Vec<i32>> {
    let began = Instant::now();
    loop {
        let metadata = probe.fetch_metadata(Some(topic), PATIENCE)?;
        let found = metadata.topics().iter().find(|found| found.name() == topic && found.error().is_none());
        let partitions: Vec<_> =
            found.into_iter().flat_map(MetadataTopic::partitions).map(MetadataPartition::id).collect();
        if !partitions.is_empty() {
            return Ok(partitions);
        }
        if began.elapsed() > PATIENCE {
            bail!("the broker doesn't know the topic");
        }
        std::thread::sleep(Duration::from_millis(50));
    }
}

#[cfg(test)]
mod tests;

//! The broker, beside those who are measured.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use anyhow::{Result, bail, ensure};
use aws::Aws;
use contracts::topic;
use futures_util::future::try_join_all;
use rdkafka::{
    ClientConfig, TopicPartitionList,
    admin::{AdminClient, AdminOptions, NewTopic, TopicReplication},
    client::DefaultClientContext,
    config::RDKafkaLogLevel,
    consumer::{BaseConsumer, Consumer},
    error::{KafkaResult, RDKafkaErrorCode},
    groups::GroupInfo,
    message::{Header, OwnedHeaders},
    metadata::{MetadataPartition, MetadataTopic},
    producer::{FutureProducer, FutureRecord},
};
use runtime::Vars;
use tokio::{task::spawn_blocking, time::sleep};

use crate::hr::{self, Hr};

/// How many records are on their way at once.
const AT_ONCE: usize = 5_000;

/// The enrichment's consumer group, after a prefix.
pub(crate) const GROUP: &str = "joiner-enrichment";

const PATIENCE: Duration = Duration::from_secs(10);

/// Makes those of Joiner's topics that there aren't yet, with the prefix and as many partitions.
pub(crate) async fn ensure(servers: &str, prefix: &str, partitions: i32) -> Result<()> {
    let admin: AdminClient<DefaultClientContext> = config(servers).create()?;
    let names = topic::ALL.map(|name| format!("{prefix}{name}"));
    let topics: Vec<_> =
        names.iter().map(|name| NewTopic::new(name, partitions, TopicReplication::Fixed(1))).collect();
    for made in admin.create_topics(&topics, &AdminOptions::new()).await? {
        match made {
            Ok(_) | Err((_, RDKafkaErrorCode::TopicAlreadyExists)) => {}
            Err((topic, code)) => bail!("the topic {topic} could not be made: {code}"),
        }
    }
    Ok(())
}

/// Puts an event onto the topic for each of the employees. `numbers` are those of the employee and of the update.
pub(crate) async fn fill(
    producer: &FutureProducer,
    topic: &str,
    hr: &Hr,
    numbers: impl Iterator<Item = (usize, usize)>,
) -> Result<()> {
    let numbers: Vec<_> = numbers.collect();
    for chunk in numbers.chunks(AT_ONCE) {
        let sending = chunk.iter().map(async |(number, update)| {
            let event = hr.event(*number, *update)?;
            let value = event.encode();
            let headers = headers(&hr::headers(&event));
            let record =
                FutureRecord::to(topic).key(event.employee_id.as_str()).payload(&value).headers(headers);
            producer.send(record, Duration::from_secs(10)).await.map_err(|(error, _)| error)?;
            anyhow::Ok(())
        });
        try_join_all(sending).await?;
    }
    Ok(())
}

/// As librdkafka takes them.
pub(crate) fn headers(pairs: &[(&str, Vec<u8>)]) -> OwnedHeaders {
    let pairs = pairs.iter().map(|(key, value)| Header { key, value: Some(value) });
    pairs.fold(OwnedHeaders::new(), OwnedHeaders::insert)
}

/// Set as Joiner's own.
pub(crate) fn producer(vars: &Vars) -> Result<FutureProducer> {
    let servers = vars.require("KAFKA_BOOTSTRAP_SERVERS", "the stage's brokers")?;
    let mut config = kafka::Config::from_vars(vars, &Aws::from_vars(vars)?)?.client();
    Ok(config.set("bootstrap.servers", servers).create()?)
}

pub(crate) fn config(servers: &str) -> ClientConfig {
    let mut config = ClientConfig::new();
    config.set("bootstrap.servers", servers);
    config.set_log_level(RDKafkaLogLevel::Emerg);
    config
}

/// How many records are on it.
pub(crate) fn count(servers: &str, topic: &str) -> Result<i64> {
    let consumer: BaseConsumer = config(servers).create()?;
    let count = |partition| {
        let (first, next) = consumer.fetch_watermarks(topic, partition, PATIENCE)?;
        Ok(next - first)
    };
    partitions(&consumer, topic)?.into_iter().map(count).sum()
}

fn partitions(consumer: &BaseConsumer, topic: &str) -> KafkaResult<Vec<i32>> {
    let metadata = consumer.fetch_metadata(Some(topic), PATIENCE)?;
    let partitions = metadata.topics().iter().flat_map(MetadataTopic::partitions);
    Ok(partitions.map(MetadataPartition::id).collect())
}

/// How far a group has come.
pub(crate) struct Progress {
    consumer: Arc<BaseConsumer>,
    partitions: TopicPartitionList,
}

impl Progress {
    pub(crate) fn of(servers: &str, topic: &str, group: &str) -> Result<Self> {
        let mut config = config(servers);
        config.set("group.id", group).set("enable.auto.commit", "false");
        let consumer: BaseConsumer = config.create()?;
        let mut partitions = TopicPartitionList::new();
        for partition in self::partitions(&consumer, topic)? {
            partitions.add_partition(topic, partition);
        }
        Ok(Self { consumer: consumer.into(), partitions })
    }

    /// How many records of all partitions.
    pub(crate) async fn committed(&self) -> Result<usize> {
        let (consumer, asked) = (Arc::clone(&self.consumer), self.partitions.clone());
        let committed = spawn_blocking(move || consumer.committed_offsets(asked, PATIENCE)).await??;
        let offsets = committed
            .elements()
            .iter()
            .filter_map(|element| element.offset().to_raw())
            .filter(|at| *at > 0)
            .sum::<i64>();
        Ok(usize::try_from(offsets)?)
    }
}

/// Waits until a group has as many members, and is at peace.
pub(crate) async fn wait_for_members(
    servers: &str,
    group: &str,
    count: usize,
    limit: Duration,
) -> Result<()> {
    let consumer: Arc<BaseConsumer> = Arc::new(config(servers).create()?);
    let deadline = Instant::now() + limit;
    loop {
        let (asking, name) = (Arc::clone(&consumer), group.to_owned());
        let is_complete = spawn_blocking(move || {
            let groups = asking.fetch_group_list(Some(&name), PATIENCE)?;
            let is_complete = |info: &GroupInfo| info.state() == "Stable" && info.members().len() == count;
            KafkaResult::Ok(groups.groups().iter().any(is_complete))
        });
        if is_complete.await?? {
            return Ok(());
        }
        ensure!(Instant::now() < deadline, "the group {group} has not got {count} members within {limit:?}");
        sleep(Duration::from_millis(50)).await;
    }
}

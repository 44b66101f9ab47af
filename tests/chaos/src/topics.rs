//! The topics as a bystander sees them: what is on them, and how far their readers have come.

use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

use anyhow::{Context, bail};
use jiff::Timestamp;
use rdkafka::{
    ClientConfig, Message, Offset, TopicPartitionList,
    consumer::{BaseConsumer, Consumer},
    message::{BorrowedMessage, Headers},
};
use serde::Deserialize;
use serde_json::Value;

use crate::{
    api,
    evidence::{Accepted, Content, Event, Logged, Place, Told},
    hr::POISON,
};

const PATIENCE: Duration = Duration::from_secs(10);

/// A group of nobody else's, which commits nothing.
const BYSTANDER: &str = "chaos-bystander";

/// By which a redriven record says whose it is.
const LETTER_ID: &str = "dlq-letter-id";

/// How long reading a whole topic may take.
const READ_LIMIT: Duration = Duration::from_mins(2);

/// The message, as the webhook's consumers get it.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Requested {
    event_id: String,
    event_type: String,
    correlation_id: String,
    occurred_at: Option<Timestamp>,
    received_at: Timestamp,
    #[serde(default)]
    edition: u32,
    employee_id: String,
    stated: BTreeMap<String, Option<String>>,
}

/// How many records the group has still to read.
pub(crate) fn lag(servers: &str, topic: &str, group: &str) -> anyhow::Result<i64> {
    let consumer = consumer(servers, group)?;
    let mut asked = TopicPartitionList::new();
    for partition in partitions(&consumer, topic)? {
        asked.add_partition(topic, partition);
    }
    let mut lag = 0;
    for committed in consumer.committed_offsets(asked, PATIENCE)?.elements() {
        let (low, high) = consumer.fetch_watermarks(topic, committed.partition(), PATIENCE)?;
        lag += high - committed.offset().to_raw().filter(|next| *next >= low).unwrap_or(low);
    }
    Ok(lag)
}

/// How many records a topic has had, by partition.
pub(crate) fn ends(servers: &str, topic: &str) -> anyhow::Result<BTreeMap<i32, i64>> {
    let consumer = consumer(servers, BYSTANDER)?;
    let end = |partition| Ok((partition, consumer.fetch_watermarks(topic, partition, PATIENCE)?.1));
    partitions(&consumer, topic)?.into_iter().map(end).collect()
}

/// Every record of the topic of accepted events.
pub(crate) fn log(servers: &str, topic: &str) -> anyhow::Result<Vec<Logged>> {
    read(servers, topic, |message| Ok(logged(message)))
}

/// Every record of the topic of facts.
pub(crate) fn told(servers: &str, topic: &str) -> anyhow::Result<Vec<Told>> {
    read(servers, topic, told_by)
}

fn read<T>(
    servers: &str,
    topic: &str,
    record: impl Fn(&BorrowedMessage<'_>) -> anyhow::Result<T>,
) -> anyhow::Result<Vec<T>> {
    let consumer = consumer(servers, BYSTANDER)?;
    let mut assignment = TopicPartitionList::new();
    // Of each partition: what is written meanwhile to one says nothing of how far another was read.
    let mut ends = BTreeMap::new();
    for partition in partitions(&consumer, topic)? {
        let (low, high) = consumer.fetch_watermarks(topic, partition, PATIENCE)?;
        if low < high {
            ends.insert(partition, high);
        }
        assignment.add_partition_offset(topic, partition, Offset::Beginning)?;
    }
    consumer.assign(&assignment)?;
    let (mut log, deadline) = (Vec::new(), Instant::now() + READ_LIMIT);
    while !ends.is_empty() {
        if Instant::now() > deadline {
            bail!("{} partitions of {topic} could not be read within {READ_LIMIT:?}", ends.len());
        }
        if let Some(message) = consumer.poll(Duration::from_millis(100)) {
            let message = message?;
            let Some(end) = ends.get(&message.partition()).copied() else { continue };
            log.push(record(&message)?);
            if message.offset() + 1 >= end {
                ends.remove(&message.partition());
            }
        }
    }
    Ok(log)
}

fn consumer(servers: &str, group: &str) -> anyhow::Result<BaseConsumer> {
    let mut config = ClientConfig::new();
    config.set("bootstrap.servers", servers).set("group.id", group).set("enable.auto.commit", "false");
    config.set_log_level(rdkafka::config::RDKafkaLogLevel::Emerg);
    Ok(config.create()?)
}

fn partitions(consumer: &BaseConsumer, topic: &str) -> anyhow::Result<Vec<i32>> {
    let metadata = consumer.fetch_metadata(Some(topic), PATIENCE)?;
    let found = metadata.topics().iter().find(|found| found.name() == topic).context("the topic is gone")?;
    Ok(found.partitions().iter().map(rdkafka::metadata::MetadataPartition::id).collect())
}

fn logged(message: &BorrowedMessage<'_>) -> Logged {
    let place = Place { partition: message.partition(), offset: message.offset() };
    let content = match (header(message, POISON), message.payload()) {
        (Some(reason), _) => Content::Poison { reason },
        (None, Some(value)) => serde_json::from_slice(value)
            .map_or(Content::Unknown, |message| Content::Accepted(accepted(message))),
        (None, None) => Content::Unknown,
    };
    let redriven = header(message, LETTER_ID);
    Logged { place, value: message.payload().map(<[u8]>::to_vec), content, redriven }
}

fn told_by(message: &BorrowedMessage<'_>) -> anyhow::Result<Told> {
    let header = |name: &str| header(message, name).with_context(|| format!("a fact without {name}"));
    let data: Value = serde_json::from_slice(message.payload().context("a fact without data")?)?;
    let subject = header("ce_subject")?;
    if message.key() != Some(subject.as_bytes()) {
        bail!("a fact has another key than its subject, {subject}");
    }
    let user = Some(&data["user"]).filter(|user| !user.is_null());
    Ok(Told {
        id: header("ce_id")?,
        kind: header("ce_type")?,
        subject,
        version: data["version"].as_u64(),
        person: user.map(|user| Ok::<_, anyhow::Error>(api::user(user)?.person)).transpose()?,
    })
}

/// Empty where it is no text.
fn header(message: &BorrowedMessage<'_>, name: &str) -> Option<String> {
    let found = message.headers()?.iter().find(|header| header.key == name)?;
    Some(String::from_utf8(found.value.unwrap_or_default().to_vec()).unwrap_or_default())
}

fn accepted(message: Requested) -> Accepted {
    let Requested { event_id: id, event_type: kind, employee_id: employee, occurred_at, stated, .. } =
        message;
    let event = Event { id, employee, kind, occurred_at, stated };
    let Requested { correlation_id, received_at, edition, .. } = message;
    Accepted { correlation_id, event, received_at, edition }
}

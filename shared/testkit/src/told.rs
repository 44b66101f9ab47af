//! The topic of facts, as whoever follows it sees it.

use std::{collections::BTreeMap, time::Duration};

use rdkafka::{
    ClientConfig, Message, Offset, TopicPartitionList,
    consumer::{BaseConsumer, Consumer},
    message::{BorrowedMessage, Headers},
};
use serde_json::Value;
use tokio::time::Instant;

use crate::world::LIMIT;

/// One fact.
#[derive(Debug, Clone, PartialEq)]
pub struct Told {
    pub key: String,
    pub headers: BTreeMap<String, String>,
    pub data: Value,
}

impl Told {
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", String::as_str)
    }
}

/// All that is on the topic now; those of one subject in their order.
pub(crate) fn read(servers: &str, topic: &str) -> Vec<Told> {
    let mut config = ClientConfig::new();
    config.set("bootstrap.servers", servers).set("group.id", "follower").set("enable.auto.commit", "false");
    let consumer: BaseConsumer = config.create().unwrap();
    let metadata = consumer.fetch_metadata(Some(topic), LIMIT).unwrap();
    // Of each partition: what is written meanwhile to one says nothing of how far another was read.
    let (mut assignment, mut ends) = (TopicPartitionList::new(), BTreeMap::new());
    for partition in metadata.topics()[0].partitions() {
        let (low, high) = consumer.fetch_watermarks(topic, partition.id(), LIMIT).unwrap();
        if low < high {
            ends.insert(partition.id(), high);
        }
        assignment.add_partition_offset(topic, partition.id(), Offset::Beginning).unwrap();
    }
    consumer.assign(&assignment).unwrap();
    let (mut told, deadline) = (Vec::new(), Instant::now() + LIMIT);
    while !ends.is_empty() {
        assert!(Instant::now() < deadline, "{} partitions could not be read", ends.len());
        if let Some(message) = consumer.poll(Duration::from_millis(100)) {
            let message = message.unwrap();
            let Some(end) = ends.get(&message.partition()).copied() else { continue };
            told.push(fact(&message));
            if message.offset() + 1 >= end {
                ends.remove(&message.partition());
            }
        }
    }
    told
}

fn fact(message: &BorrowedMessage<'_>) -> Told {
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
    let headers = message.headers().unwrap().iter();
    Told {
        key: text(message.key().unwrap()),
        headers: headers.map(|header| (header.key.to_owned(), text(header.value.unwrap()))).collect(),
        data: serde_json::from_slice(message.payload().unwrap()).unwrap(),
    }
}

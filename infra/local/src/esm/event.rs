//! What a function is invoked with.

use std::io;

use rdkafka::{
    Message, Timestamp,
    message::{BorrowedMessage, Headers},
};
use runtime::{
    event::KafkaEvent,
    record::{Record, RecordHeader},
};

use crate::template::{ACCOUNT, REGION};

/// <https://docs.aws.amazon.com/lambda/latest/dg/with-msk.html#msk-sample-event>
pub(super) fn of(records: &[Record], bootstrap_servers: &str) -> KafkaEvent {
    KafkaEvent {
        event_source_arn: Some(cluster_arn()),
        bootstrap_servers: bootstrap_servers.to_owned(),
        ..records.iter().cloned().collect()
    }
}

pub(super) fn cluster_arn() -> String {
    format!("arn:aws:kafka:{REGION}:{ACCOUNT}:cluster/joiner/local")
}

pub(super) fn record(message: &BorrowedMessage<'_>) -> Record {
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

/// How long the record is in an event, with the comma after it.
pub(super) fn event_bytes(record: &Record) -> usize {
    let mut counter = Counter(1);
    serde_json::to_writer(&mut counter, record).expect("a record has string keys");
    counter.0
}

struct Counter(usize);

impl io::Write for Counter {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0 += bytes.len();
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

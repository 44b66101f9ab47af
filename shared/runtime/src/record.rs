//! A record of a Kafka topic, as Lambda hands it over, and how it ends.

use std::collections::BTreeMap;

use base64::{Engine, prelude::BASE64_STANDARD};
use contracts::{CorrelationId, EventId, header};
use jiff::Timestamp;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use tracing::Span;

#[derive(Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Record {
    pub topic: String,
    pub partition: i32,
    pub offset: i64,
    /// Milliseconds since 1970.
    #[serde(default)]
    pub timestamp: i64,
    #[serde(default = "create_time")]
    pub timestamp_type: String,
    #[serde(default, with = "base64_bytes", skip_serializing_if = "Option::is_none")]
    pub key: Option<Vec<u8>>,
    /// `None` is Kafka's null: a tombstone.
    #[serde(default, with = "base64_bytes")]
    pub value: Option<Vec<u8>>,
    #[serde(default)]
    pub headers: Vec<RecordHeader>,
}

/// One name and its bytes. Lambda writes bytes above 127 as negative or as positive numbers.
#[derive(Clone, PartialEq, Eq)]
pub struct RecordHeader {
    pub name: String,
    pub value: Vec<u8>,
}

/// Names a record in a partial batch response: "topic-partition" and offset.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct ItemIdentifier {
    pub partition: String,
    pub offset: i64,
}

/// The record was not processed because something that it needs was away: Lambda must deliver it again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Retry;

impl Record {
    /// The last header of that name, if it is text.
    pub fn header(&self, name: &str) -> Option<&str> {
        let last = self.headers.iter().rev().find(|header| header.name == name)?;
        std::str::from_utf8(&last.value).ok()
    }

    /// The header's id, if it is one: whoever writes to the topic can write anything there.
    pub fn correlation_id(&self) -> Option<CorrelationId> {
        CorrelationId::parse(self.header(header::CORRELATION_ID)?).ok()
    }

    pub fn event_id(&self) -> Option<EventId> {
        EventId::parse(self.header(header::EVENT_ID)?).ok()
    }

    pub fn identifier(&self) -> ItemIdentifier {
        ItemIdentifier { partition: format!("{}-{}", self.topic, self.partition), offset: self.offset }
    }

    /// Its timestamp, which is that of whoever published it unless the topic says otherwise. Not every record has one.
    pub fn created_at(&self) -> Option<Timestamp> {
        Timestamp::from_millisecond(self.timestamp).ok().filter(|_| self.timestamp > 0)
    }

    /// What every log line about the record carries.
    pub fn span(&self) -> Span {
        let (correlation_id, event_id) = (self.correlation_id(), self.event_id());
        tracing::info_span!(
            "record",
            topic = self.topic,
            partition = self.partition,
            offset = self.offset,
            correlation_id = correlation_id.as_ref().map(CorrelationId::as_str),
            event_id = event_id.as_ref().map(EventId::as_str),
        )
    }
}

impl std::fmt::Debug for Record {
    /// Coordinates only: key, value and headers may be personal.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}-{}@{}", self.topic, self.partition, self.offset)
    }
}

impl std::fmt::Debug for RecordHeader {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.name)
    }
}

impl Serialize for RecordHeader {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map([(&self.name, &self.value)])
    }
}

impl<'de> Deserialize<'de> for RecordHeader {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let pair = BTreeMap::<String, Option<Vec<i16>>>::deserialize(deserializer)?;
        let (name, bytes) = pair.into_iter().next().unwrap_or_default();
        // Two's complement: -1 and 255 are the same byte.
        let value = bytes.into_iter().flatten().map(|byte| byte.to_le_bytes()[0]).collect();
        Ok(Self { name, value })
    }
}

fn create_time() -> String {
    "CREATE_TIME".to_owned()
}

mod base64_bytes {
    use super::{BASE64_STANDARD, Deserialize, Deserializer, Engine, Serializer};

    #[expect(clippy::ref_option, reason = "serde passes a reference to the field")]
    pub(super) fn serialize<S: Serializer>(
        bytes: &Option<Vec<u8>>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        match bytes {
            Some(bytes) => serializer.serialize_str(&BASE64_STANDARD.encode(bytes)),
            None => serializer.serialize_none(),
        }
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Option<Vec<u8>>, D::Error> {
        Option::<std::borrow::Cow<'de, str>>::deserialize(deserializer)?
            .map(|text| BASE64_STANDARD.decode(text.as_bytes()))
            .transpose()
            .map_err(|_| serde::de::Error::custom("a record's key or value is not base64"))
    }
}

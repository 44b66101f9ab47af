use std::fmt;

use base64::{Engine, prelude::BASE64_STANDARD};
use contracts::{CorrelationId, EmployeeId, EventId, Origin, Reason};
use jiff::Timestamp;
use runtime::event::RecordHeader;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

/// A record that could not be processed, and why.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeadLetter {
    pub id: LetterId,
    pub state: LetterState,
    pub reason: Reason,
    pub message: String,
    pub attempts: u32,
    pub failed_at: Timestamp,
    pub parked_at: Timestamp,
    /// Equal for letters of one cause.
    pub fingerprint: String,
    /// As the record's headers and key say; absent when they say nothing usable.
    pub correlation_id: Option<CorrelationId>,
    pub event_id: Option<EventId>,
    pub employee_id: Option<EmployeeId>,
    pub origin: Origin,
    pub payload: Payload,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LetterState {
    /// Waits for a decision.
    Parked,
}

/// 32 hex digits.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct LetterId(String);

/// The record as it was, to be redriven byte for byte.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Payload {
    pub key: Option<Bytes>,
    pub value: Option<Bytes>,
    pub headers: Vec<(String, Bytes)>,
    /// The length of a value that is too long to be kept here; it is on its topic, at the origin.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub left_out_bytes: Option<usize>,
}

/// An item has room for 400 KB, of which base64 takes four bytes for three.
const MOST_BYTES: usize = 256 * 1024;

/// Bytes that serialise as text where they are text, else as base64.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Bytes {
    Text(String),
    Base64(String),
}

impl LetterId {
    /// The same for every delivery of one failed record. The record's time and value are part of it, since a topic
    /// that is made anew starts at offset 0 again.
    pub(crate) fn of(origin: &Origin, value: Option<&[u8]>) -> Self {
        let mut hash = Sha256::new();
        hash.update(&origin.topic);
        hash.update([0]);
        hash.update(origin.partition.to_be_bytes());
        hash.update(origin.offset.to_be_bytes());
        hash.update(origin.timestamp.as_nanosecond().to_be_bytes());
        hash.update(value.unwrap_or_default());
        Self(hex(&hash.finalize()[..16]))
    }

    /// `None` for what is no id of a letter.
    pub fn parse(text: &str) -> Option<Self> {
        let valid =
            text.len() == 32 && text.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b));
        valid.then(|| Self(text.to_owned()))
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Payload {
    /// A letter must always fit into the table: what doesn't fit is left out, and said to be.
    pub(crate) fn of(key: Option<Vec<u8>>, value: Option<Vec<u8>>, headers: Vec<RecordHeader>) -> Self {
        let around = key.as_ref().map_or(0, Vec::len)
            + headers.iter().map(|header| header.name.len() + header.value.len()).sum::<usize>();
        let (key, headers) = if around > MOST_BYTES / 4 { (None, Vec::new()) } else { (key, headers) };
        let (value, left_out_bytes) = match value {
            Some(value) if value.len() > MOST_BYTES => (None, Some(value.len())),
            value => (value, None),
        };
        let headers = headers.into_iter().map(|header| (header.name, header.value.into())).collect();
        Self { key: key.map(Into::into), value: value.map(Into::into), headers, left_out_bytes }
    }
}

/// What went wrong and where; nothing about whom.
pub(crate) fn fingerprint(reason: Reason, origin: &Origin, message: &str) -> String {
    let mut hash = Sha256::new();
    hash.update(reason.code());
    hash.update([0]);
    hash.update(&origin.topic);
    hash.update([0]);
    // Numbers vary within one cause: a line, a column, a wait.
    hash.update(message.split(|c: char| c.is_ascii_digit()).collect::<String>());
    hex(&hash.finalize()[..8])
}

fn hex(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let digit = |nibble: u8| char::from(DIGITS[usize::from(nibble)]);
    bytes.iter().flat_map(|byte| [digit(byte >> 4), digit(byte & 15)]).collect()
}

impl From<Vec<u8>> for Bytes {
    fn from(bytes: Vec<u8>) -> Self {
        match String::from_utf8(bytes) {
            Ok(text) => Self::Text(text),
            Err(error) => Self::Base64(BASE64_STANDARD.encode(error.as_bytes())),
        }
    }
}

impl fmt::Debug for Payload {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Payload([redacted])")
    }
}

impl fmt::Debug for Bytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Bytes([redacted])")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn origin(offset: i64, timestamp: &str) -> Origin {
        Origin {
            topic: "user.enrichment.requested".to_owned(),
            partition: 0,
            offset,
            timestamp: timestamp.parse().unwrap(),
        }
    }

    #[test]
    fn a_redelivered_record_has_the_same_id_and_any_other_has_another() {
        let first = origin(5, "2026-01-31T18:42:00Z");
        let id = LetterId::of(&first, Some(b"{}"));
        assert_eq!(id, LetterId::of(&first.clone(), Some(b"{}")));
        assert_ne!(id, LetterId::of(&origin(6, "2026-01-31T18:42:00Z"), Some(b"{}")));
        assert_ne!(id, LetterId::of(&origin(5, "2026-02-01T00:00:00Z"), Some(b"{}")), "a topic made anew");
        assert_ne!(id, LetterId::of(&first, Some(b"[]")));
        assert_eq!(LetterId::parse(id.as_str()), Some(id));
    }

    #[test]
    fn one_cause_has_one_fingerprint() {
        let (one, other) = (origin(5, "2026-01-31T18:42:00Z"), origin(9, "2026-01-31T18:43:00Z"));
        let of = |reason, origin, message| fingerprint(reason, origin, message);
        let waits = "rate limit is used up for 30s";
        assert_eq!(
            of(Reason::RateLimited, &one, waits),
            of(Reason::RateLimited, &other, "rate limit is used up for 8s")
        );
        assert_ne!(of(Reason::RateLimited, &one, waits), of(Reason::OktaUnavailable, &one, waits));
    }

    #[test]
    fn what_is_too_long_for_the_table_is_left_out_and_said_to_be() {
        let header = |len: usize| RecordHeader { name: "h".to_owned(), value: vec![b'x'; len] };
        let kept = Payload::of(Some(b"E1".to_vec()), Some(vec![0xff; MOST_BYTES]), vec![header(9)]);
        assert_eq!((kept.left_out_bytes, kept.headers.len()), (None, 1));
        let cut =
            Payload::of(Some(b"E1".to_vec()), Some(vec![b'x'; MOST_BYTES + 1]), vec![header(MOST_BYTES)]);
        assert_eq!((cut.value, cut.left_out_bytes), (None, Some(MOST_BYTES + 1)));
        assert_eq!((cut.key, cut.headers.len()), (None, 0));
    }

    #[test]
    fn bytes_that_are_no_text_are_base64() {
        let json = |bytes: &[u8]| serde_json::to_value(Bytes::from(bytes.to_vec())).unwrap();
        assert_eq!(json(b"E1"), serde_json::json!({"text": "E1"}));
        assert_eq!(json(&[0xff, 0]), serde_json::json!({"base64": "/wA="}));
    }
}

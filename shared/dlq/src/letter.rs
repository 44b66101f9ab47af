use std::fmt;

use base64::{Engine, prelude::BASE64_STANDARD};
use contracts::{Origin, Reason};
use jiff::Timestamp;
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
    pub correlation_id: Option<String>,
    pub event_id: Option<String>,
    pub employee_id: Option<String>,
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
}

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
    fn bytes_that_are_no_text_are_base64() {
        let json = |bytes: &[u8]| serde_json::to_value(Bytes::from(bytes.to_vec())).unwrap();
        assert_eq!(json(b"E1"), serde_json::json!({"text": "E1"}));
        assert_eq!(json(&[0xff, 0]), serde_json::json!({"base64": "/wA="}));
    }
}

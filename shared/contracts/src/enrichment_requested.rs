use std::fmt;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::{CorrelationId, Employee, EventId};

/// An HR event that was accepted, on [`topic::ENRICHMENT_REQUESTED`](crate::topic::ENRICHMENT_REQUESTED).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct EnrichmentRequestedV1 {
    pub event_id: EventId,
    pub event_type: EventType,
    pub correlation_id: CorrelationId,
    /// When it happened in the HR system; when it was received, if that system doesn't say. Orders one person's events.
    pub occurred_at: Timestamp,
    /// When the webhook accepted it. Orders events that occurred at one instant.
    pub received_at: Timestamp,
    pub employee: Employee,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum EventType {
    Hired,
    Updated,
    Terminated,
}

/// Why bytes from the topic are not this message. Names the place and never quotes what stands there.
#[derive(Debug, thiserror::Error)]
pub enum DecodeError {
    #[error("not JSON: line {line}, column {column}")]
    Syntax { line: usize, column: usize },
    #[error("not an enrichment request: wrong or incomplete at {path}")]
    Content { path: String },
}

impl EnrichmentRequestedV1 {
    /// The value of the `schema-version` header.
    pub const SCHEMA_VERSION: &'static str = "1";

    pub fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        // To note the path on the way costs more than to parse once more what is wrong.
        serde_json::from_slice(bytes).or_else(|_| Self::decode_noting_path(bytes))
    }

    fn decode_noting_path(bytes: &[u8]) -> Result<Self, DecodeError> {
        let mut json = serde_json::Deserializer::from_slice(bytes);
        let message = serde_path_to_error::deserialize(&mut json).map_err(|error| {
            let inner = error.inner();
            if inner.is_data() {
                DecodeError::Content { path: error.path().to_string() }
            } else {
                DecodeError::Syntax { line: inner.line(), column: inner.column() }
            }
        })?;
        json.end().map_err(|e| DecodeError::Syntax { line: e.line(), column: e.column() })?;
        Ok(message)
    }

    pub fn encode(&self) -> Vec<u8> {
        serde_json::to_vec(self).expect("a struct of strings and times has no key that JSON can't hold")
    }
}

impl EventType {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Hired => "hired",
            Self::Updated => "updated",
            Self::Terminated => "terminated",
        }
    }

    pub fn parse(value: &str) -> Option<Self> {
        [Self::Hired, Self::Updated, Self::Terminated].into_iter().find(|t| t.as_str() == value)
    }
}

impl fmt::Display for EventType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message() -> serde_json::Value {
        serde_json::json!({
            "eventId": "evt-1", "eventType": "hired", "correlationId": "c-1",
            "occurredAt": "2026-01-31T18:42:00Z", "receivedAt": "2026-01-31T18:42:01Z",
            "employee": {
                "id": "E1", "firstName": "Ada", "lastName": "Lovelace", "email": "ada@example.com",
                "startDate": "2026-02-01", "details": {"country": "SE"}
            }
        })
    }

    #[test]
    fn a_message_round_trips() {
        let decoded = EnrichmentRequestedV1::decode(message().to_string().as_bytes()).unwrap();
        assert_eq!(EnrichmentRequestedV1::decode(&decoded.encode()).unwrap(), decoded);
    }

    #[test]
    fn a_wrong_field_is_named_and_its_value_is_not_quoted() {
        let mut wrong = message();
        wrong["employee"]["email"] = "ada at example".into();
        let error = EnrichmentRequestedV1::decode(wrong.to_string().as_bytes()).unwrap_err();
        assert_eq!(error.to_string(), "not an enrichment request: wrong or incomplete at employee.email");
    }

    #[test]
    fn bytes_that_are_not_json_are_told_from_wrong_content() {
        for bytes in ["", "{", "not json", "{} {}"] {
            let error = EnrichmentRequestedV1::decode(bytes.as_bytes()).unwrap_err();
            let content = matches!(error, DecodeError::Content { .. });
            assert_eq!(content, bytes == "{} {}", "{bytes:?}: {error}");
        }
    }
}

use std::fmt;

use jiff::Timestamp;
use serde::{Deserialize, Serialize, de::IgnoredAny};

use crate::{CorrelationId, EmployeeId, EventId, Reason, Stated};

mod v1;

/// An HR event that was accepted, on [`topic::ENRICHMENT_REQUESTED`](crate::topic::ENRICHMENT_REQUESTED).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct EnrichmentRequestedV2 {
    pub event_id: EventId,
    pub event_type: EventType,
    pub correlation_id: CorrelationId,
    /// When it happened, if the HR system says so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub occurred_at: Option<Timestamp>,
    /// When the webhook accepted it.
    pub received_at: Timestamp,
    /// When a person corrected it last, after it had failed: in milliseconds since 1970, 0 if nobody has. A later edition
    /// takes the place of an earlier one.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub edition: u64,
    pub employee_id: EmployeeId,
    pub stated: Stated,
    /// What was sent and could not be read.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub warnings: Vec<Warning>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum EventType {
    Hired,
    Updated,
    Terminated,
    /// The person is to be forgotten. No HR system sends it: it has a route and a key of its own.
    Erased,
}

/// A field that was left out, since it could not be read. It never quotes what was sent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Warning {
    /// RFC 6901, such as `/country`.
    pub pointer: String,
    pub code: WarningCode,
    pub message: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum WarningCode {
    /// The value is none that the field takes.
    Unreadable,
    /// The field can be given another value, and not none.
    NotClearable,
}

/// Why bytes from the topic are not this message. Names the place and never quotes what stands there.
#[derive(Debug, thiserror::Error)]
pub enum DecodeError {
    #[error("not JSON: line {line}, column {column}")]
    Syntax { line: usize, column: usize },
    #[error("not an enrichment request: wrong or incomplete at {path}")]
    Content { path: String },
}

impl DecodeError {
    pub const fn reason(&self) -> Reason {
        match self {
            Self::Syntax { .. } => Reason::Undecodable,
            Self::Content { .. } => Reason::Invalid,
        }
    }
}

impl EnrichmentRequestedV2 {
    /// The value of the `schema-version` header.
    pub const SCHEMA_VERSION: &'static str = "2";

    /// Also reads messages of the version before, which wait on topics and in dead letters.
    pub fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        // To note the path on the way costs more than to parse once more what is wrong.
        serde_json::from_slice(bytes).or_else(|_| Self::decode_other(bytes))
    }

    fn decode_other(bytes: &[u8]) -> Result<Self, DecodeError> {
        /// What only the version before has.
        #[derive(Deserialize)]
        struct V1Only {
            #[serde(rename = "employee")]
            _employee: IgnoredAny,
        }
        match serde_json::from_slice::<V1Only>(bytes) {
            Ok(_) => noting_path::<v1::EnrichmentRequestedV1>(bytes).map(Self::from),
            Err(_) => noting_path(bytes),
        }
    }

    pub fn encode(&self) -> Vec<u8> {
        serde_json::to_vec(self).expect("a struct of strings and times has no key that JSON can't hold")
    }

    /// When what it says was so: as the HR system tells, else when it was received.
    pub fn stated_at(&self) -> Timestamp {
        self.occurred_at.unwrap_or(self.received_at)
    }
}

fn noting_path<T: for<'a> Deserialize<'a>>(bytes: &[u8]) -> Result<T, DecodeError> {
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

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
fn is_zero(number: &u64) -> bool {
    *number == 0
}

impl EventType {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Hired => "hired",
            Self::Updated => "updated",
            Self::Terminated => "terminated",
            Self::Erased => "erased",
        }
    }

    /// The types that an HR system may send.
    pub fn sent(value: &str) -> Option<Self> {
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
    use crate::Field;

    fn message() -> serde_json::Value {
        serde_json::json!({
            "eventId": "evt-1", "eventType": "hired", "correlationId": "c-1",
            "occurredAt": "2026-01-31T18:42:00Z", "receivedAt": "2026-01-31T18:42:01Z", "employeeId": "E1",
            "stated": {
                "firstName": "Ada", "lastName": "Lovelace", "email": "ada@example.com", "title": null,
                "startDate": "2026-02-01", "country": "SE"
            }
        })
    }

    fn decode(message: &serde_json::Value) -> Result<EnrichmentRequestedV2, DecodeError> {
        EnrichmentRequestedV2::decode(message.to_string().as_bytes())
    }

    #[test]
    fn a_message_round_trips() {
        let decoded = decode(&message()).unwrap();
        assert_eq!(EnrichmentRequestedV2::decode(&decoded.encode()).unwrap(), decoded);
        assert_eq!(serde_json::to_value(&decoded).unwrap(), message());
    }

    #[test]
    fn a_wrong_field_is_named_and_its_value_is_not_quoted() {
        let mut wrong = message();
        wrong["stated"]["email"] = "ada at example".into();
        let error = decode(&wrong).unwrap_err();
        assert_eq!(error.to_string(), "not an enrichment request: wrong or incomplete at stated.email");
    }

    #[test]
    fn what_this_version_does_not_know_of_a_person_is_an_error_and_not_overlooked() {
        let mut newer = message();
        newer["stated"]["shoeSize"] = "44".into();
        assert!(matches!(decode(&newer), Err(DecodeError::Content { .. })));
    }

    #[test]
    fn bytes_that_are_not_json_are_told_from_wrong_content() {
        for bytes in ["", "{", "not json", "{} {}"] {
            let error = EnrichmentRequestedV2::decode(bytes.as_bytes()).unwrap_err();
            let content = matches!(error, DecodeError::Content { .. });
            assert_eq!(content, bytes == "{} {}", "{bytes:?}: {error}");
        }
    }

    #[test]
    fn a_message_of_the_version_before_states_what_it_carries() {
        let mut v1 = serde_json::json!({
            "eventId": "evt-1", "eventType": "hired", "correlationId": "c-1",
            "occurredAt": "2026-01-31T18:42:00Z", "receivedAt": "2026-01-31T18:42:01Z",
            "employee": {
                "id": "E1", "firstName": "Ada", "lastName": "Lovelace", "preferredName": null,
                "email": "ada@example.com", "startDate": "2026-02-01", "details": {"country": "SE"}
            }
        });
        let mut expected = decode(&message()).unwrap();
        expected.stated = expected
            .stated
            .iter()
            .filter(|(field, _)| *field != Field::Title)
            .map(|(field, value)| (field, value.cloned()))
            .collect();
        assert_eq!(decode(&v1).unwrap(), expected, "what is null was unknown, not cleared");
        v1["employee"]["email"] = "ada at example".into();
        let error = decode(&v1).unwrap_err().to_string();
        assert_eq!(error, "not an enrichment request: wrong or incomplete at employee.email");
    }

    #[test]
    fn no_hr_system_forgets_a_person() {
        assert_eq!(EventType::sent("terminated"), Some(EventType::Terminated));
        assert_eq!(EventType::sent("erased"), None);
    }
}

use std::fmt;

use jiff::Timestamp;
use serde::{Deserialize, Deserializer, Serialize};

use crate::{
    CorrelationId, EmployeeId, EventId, Reason, Stated,
    version::{self, UnknownVersion, Upcaster},
};

mod v1;

/// An HR event that was accepted: what is on the topic `user.enrichment.requested`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
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
    #[error("not an enrichment request that is understood here: {0}")]
    Version(UnknownVersion),
}

impl DecodeError {
    fn of(error: &serde_json::Error, path: &str) -> Self {
        if error.is_data() {
            Self::Content { path: path.to_owned() }
        } else {
            Self::Syntax { line: error.line(), column: error.column() }
        }
    }

    pub const fn reason(&self) -> Reason {
        match self {
            Self::Syntax { .. } => Reason::Undecodable,
            Self::Content { .. } | Self::Version(UnknownVersion::None) => Reason::Invalid,
            Self::Version(UnknownVersion::Newer { .. }) => Reason::UnknownVersion,
        }
    }
}

impl EnrichmentRequestedV2 {
    /// The value of the `schema-version` header.
    pub const SCHEMA_VERSION: &'static str = "2";

    /// What raises a message of an older version: from 1 to 2 and so on.
    const UPCASTERS: [Upcaster; 1] = [v1::to_v2];

    /// Reads a record's value. `version` is what its `schema-version` header says: messages of older versions wait on topics
    /// and in dead letters. Without the header it is of this one.
    pub fn decode(version: Option<&str>, value: &[u8]) -> Result<Self, DecodeError> {
        let steps = version::steps(&Self::UPCASTERS, version).map_err(DecodeError::Version)?;
        if steps.is_empty() {
            // To note the path on the way costs more than to parse once more what is wrong.
            return serde_json::from_slice(value).or_else(|_| {
                let mut json = serde_json::Deserializer::from_slice(value);
                let message = noting_path(&mut json)?;
                json.end().map_err(|error| DecodeError::of(&error, ""))?;
                Ok(message)
            });
        }
        let message = serde_json::from_slice(value).map_err(|error| DecodeError::of(&error, ""))?;
        noting_path(version::raise(message, steps))
    }

    pub fn encode(&self) -> Vec<u8> {
        serde_json::to_vec(self).expect("a struct of strings and times has no key that JSON can't hold")
    }

    /// When what it says was so: as the HR system tells, else when it was received.
    pub fn stated_at(&self) -> Timestamp {
        self.occurred_at.unwrap_or(self.received_at)
    }
}

fn noting_path<'de, T: Deserialize<'de>>(
    json: impl Deserializer<'de, Error = serde_json::Error>,
) -> Result<T, DecodeError> {
    serde_path_to_error::deserialize(json)
        .map_err(|error| DecodeError::of(error.inner(), &error.path().to_string()))
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
        EnrichmentRequestedV2::decode(None, message.to_string().as_bytes())
    }

    #[test]
    fn a_message_round_trips() {
        let decoded = decode(&message()).unwrap();
        assert_eq!(EnrichmentRequestedV2::decode(Some("2"), &decoded.encode()).unwrap(), decoded);
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
        for (version, bytes) in [None, Some("1"), Some("2")]
            .into_iter()
            .flat_map(|version| ["", "{", "not json", "{} {}"].map(|bytes| (version, bytes)))
        {
            let error = EnrichmentRequestedV2::decode(version, bytes.as_bytes()).unwrap_err();
            let content = matches!(error, DecodeError::Content { .. });
            assert_eq!(content, bytes == "{} {}" && version != Some("1"), "{bytes:?}: {error}");
        }
    }

    #[test]
    fn the_header_of_new_messages_is_the_version_that_older_ones_are_raised_to() {
        let newest = (EnrichmentRequestedV2::UPCASTERS.len() + 1).to_string();
        assert_eq!(EnrichmentRequestedV2::SCHEMA_VERSION, newest);
    }

    #[test]
    fn what_is_wrong_in_an_older_message_is_named_where_it_is_raised_to() {
        let value = r#"{"eventId":"evt-1","eventType":"hired","correlationId":"c-1","occurredAt":"2026-01-31T18:42:00Z",
            "receivedAt":"2026-01-31T18:42:01Z","employee":{"id":"E1","email":"ada at example"}}"#;
        let error = EnrichmentRequestedV2::decode(Some("1"), value.as_bytes()).unwrap_err();
        assert_eq!(error.to_string(), "not an enrichment request: wrong or incomplete at stated.email");
        assert_eq!(error.reason(), Reason::Invalid);
    }

    #[test]
    fn a_version_that_is_not_known_is_an_error_whatever_the_message_is() {
        let value = message().to_string();
        for (version, reason, says) in [
            ("3", Reason::UnknownVersion, "its schema-version is 3, and the newest that is known is 2"),
            ("0", Reason::Invalid, "its schema-version is no number from 1 on"),
            ("two", Reason::Invalid, "its schema-version is no number from 1 on"),
        ] {
            let error = EnrichmentRequestedV2::decode(Some(version), value.as_bytes()).unwrap_err();
            let expected = format!("not an enrichment request that is understood here: {says}");
            assert_eq!((error.to_string(), error.reason()), (expected, reason));
        }
    }

    #[test]
    fn no_hr_system_forgets_a_person() {
        assert_eq!(EventType::sent("terminated"), Some(EventType::Terminated));
        assert_eq!(EventType::sent("erased"), None);
    }
}

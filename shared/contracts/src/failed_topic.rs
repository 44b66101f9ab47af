use std::fmt;

use jiff::Timestamp;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error};

use crate::{CorrelationId, EmployeeId, EnrichmentRequestedV2, EventId, topic};

/// A topic of records that could not be processed.
pub struct FailedTopic {
    pub name: &'static str,
    /// That on which they failed, and to which a redrive puts them again.
    pub source: &'static str,
    /// What a value on the source says of itself, of the version that its header says; `None` if it can't be read.
    pub read: fn(Option<&str>, &[u8]) -> Option<Said>,
}

/// What a message says of itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Said {
    pub correlation_id: CorrelationId,
    pub event_id: EventId,
    pub employee_id: EmployeeId,
    pub received_at: Timestamp,
}

impl FailedTopic {
    /// Those that dlq-reprocessor reads.
    pub const ALL: [&'static Self; 1] = [&ENRICHMENT];

    /// By its name on the brokers, before which a prefix may stand. Of what is none of them it is the first: whatever comes
    /// to be parked has to be.
    pub fn of(topic: &str) -> &'static Self {
        Self::ALL.into_iter().find(|failed| topic.ends_with(failed.name)).unwrap_or(Self::ALL[0])
    }
}

const ENRICHMENT: FailedTopic = FailedTopic {
    name: topic::ENRICHMENT_FAILED,
    source: topic::ENRICHMENT_REQUESTED,
    read: |version, value| {
        let event = EnrichmentRequestedV2::decode(version, value).ok()?;
        let EnrichmentRequestedV2 { correlation_id, event_id, employee_id, received_at, .. } = event;
        Some(Said { correlation_id, event_id, employee_id, received_at })
    },
};

impl PartialEq for FailedTopic {
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name
    }
}

impl Eq for FailedTopic {}

impl fmt::Debug for FailedTopic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name)
    }
}

impl Serialize for FailedTopic {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name)
    }
}

impl<'de> Deserialize<'de> for &'static FailedTopic {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let name = String::deserialize(deserializer)?;
        let known = FailedTopic::ALL.into_iter().find(|failed| failed.name == name);
        known.ok_or_else(|| D::Error::custom("a failed topic of another version"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failed_topic_is_known_with_a_prefix_and_by_its_name() {
        for failed in FailedTopic::ALL {
            assert_eq!(FailedTopic::of(failed.name), failed);
            assert_eq!(FailedTopic::of(&format!("staging.{}", failed.name)), failed);
            let json = serde_json::to_string(failed).unwrap();
            assert_eq!(serde_json::from_str::<&FailedTopic>(&json).unwrap(), failed);
        }
        assert!(serde_json::from_str::<&FailedTopic>(r#""another.failed""#).is_err());
    }

    #[test]
    fn no_name_of_a_failed_topic_ends_another() {
        for (n, failed) in FailedTopic::ALL.into_iter().enumerate() {
            for other in FailedTopic::ALL.into_iter().skip(n + 1) {
                assert!(!failed.name.ends_with(other.name) && !other.name.ends_with(failed.name));
            }
        }
    }

    #[test]
    fn what_cannot_be_read_says_nothing() {
        for failed in FailedTopic::ALL {
            assert_eq!((failed.read)(None, b"not json"), None);
        }
    }
}

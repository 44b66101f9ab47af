use std::fmt;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use strum::VariantArray;

/// Why a record could not be processed. The codes are part of the API.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, VariantArray)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Reason {
    /// The value is not JSON.
    Undecodable,
    /// The value is JSON and not the message that its topic carries.
    Invalid,
    /// The message is of a newer version than the program.
    UnknownVersion,
    /// Okta knows nobody with that e-mail address.
    UserNotFound,
    /// Another employee has the Okta account with that e-mail address.
    EmailTaken,
    /// Okta refused our credentials.
    Unauthorized,
    /// Okta's rate limit lasted longer than we could wait.
    RateLimited,
    /// Okta was away, too slow, or broken, for every attempt, or had been for so many others that it was not asked: 0 attempts.
    OktaUnavailable,
    /// Okta answered something that its API doesn't describe.
    OktaMalformed,
    /// The table refuses the user, or holds one that can't be read.
    Unstorable,
    /// Lambda gave up: the function crashed, timed out or kept reporting the record.
    Unprocessed,
}

impl Reason {
    pub const ALL: &'static [Self] = <Self as VariantArray>::VARIANTS;

    pub const fn code(self) -> &'static str {
        match self {
            Self::Undecodable => "undecodable",
            Self::Invalid => "invalid",
            Self::UnknownVersion => "unknown_version",
            Self::UserNotFound => "user_not_found",
            Self::EmailTaken => "email_taken",
            Self::Unauthorized => "unauthorized",
            Self::RateLimited => "rate_limited",
            Self::OktaUnavailable => "okta_unavailable",
            Self::OktaMalformed => "okta_malformed",
            Self::Unstorable => "unstorable",
            Self::Unprocessed => "unprocessed",
        }
    }

    pub fn from_code(code: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|reason| reason.code() == code)
    }

    /// Whether trying again later, with nothing changed by a person, can succeed.
    pub const fn is_transient(self) -> bool {
        match self {
            Self::RateLimited | Self::OktaUnavailable | Self::Unprocessed => true,
            Self::Undecodable
            | Self::Invalid
            | Self::UnknownVersion
            | Self::UserNotFound
            | Self::EmailTaken
            | Self::Unauthorized
            | Self::OktaMalformed
            | Self::Unstorable => false,
        }
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

/// Where a record stood when it failed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Origin {
    pub topic: String,
    pub partition: i32,
    pub offset: i64,
    /// The broker's time of the record. Tells offsets apart when a topic was made anew.
    pub timestamp: Timestamp,
}

/// What is added to a record's own headers when it becomes a dead letter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FailureHeaders {
    pub reason: Reason,
    /// For people. Holds nothing personal.
    pub message: String,
    /// How often it was tried.
    pub attempts: u32,
    pub origin: Origin,
    pub failed_at: Timestamp,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the header {0} is missing or wrong")]
pub struct InvalidFailureHeader(pub &'static str);

/// What a redriven record carries, so that it is known when it fails again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RedriveHeaders<'a> {
    pub letter_id: &'a str,
    /// The redrive's number, from 1.
    pub redrive: u32,
}

/// What all headers of dead letters begin with.
pub const DEAD_LETTER_PREFIX: &str = "dlq-";

/// Ours are far shorter, and a letter with any longer might not fit into its table.
const MAX_HEADER_BYTES: usize = 4096;

const LETTER_ID: &str = "dlq-letter-id";
const REDRIVE: &str = "dlq-redrive";
const REASON: &str = "dlq-reason";
const MESSAGE: &str = "dlq-message";
const ATTEMPTS: &str = "dlq-attempts";
const ORIGIN_TOPIC: &str = "dlq-origin-topic";
const ORIGIN_PARTITION: &str = "dlq-origin-partition";
const ORIGIN_OFFSET: &str = "dlq-origin-offset";
const ORIGIN_TIMESTAMP: &str = "dlq-origin-timestamp";
const FAILED_AT: &str = "dlq-failed-at";

impl FailureHeaders {
    pub fn pairs(&self) -> [(&'static str, String); 8] {
        [
            (REASON, self.reason.code().to_owned()),
            (MESSAGE, self.message.clone()),
            (ATTEMPTS, self.attempts.to_string()),
            (ORIGIN_TOPIC, self.origin.topic.clone()),
            (ORIGIN_PARTITION, self.origin.partition.to_string()),
            (ORIGIN_OFFSET, self.origin.offset.to_string()),
            (ORIGIN_TIMESTAMP, self.origin.timestamp.to_string()),
            (FAILED_AT, self.failed_at.to_string()),
        ]
    }

    /// `get` returns the last header of a name: a record that fails again after a redrive carries older ones too.
    pub fn read<'a>(get: impl Fn(&str) -> Option<&'a str>) -> Result<Self, InvalidFailureHeader> {
        fn parsed<T: std::str::FromStr>(
            value: Option<&str>,
            name: &'static str,
        ) -> Result<T, InvalidFailureHeader> {
            let short = value.filter(|value| value.len() <= MAX_HEADER_BYTES);
            short.and_then(|value| value.parse().ok()).ok_or(InvalidFailureHeader(name))
        }
        Ok(Self {
            reason: get(REASON).and_then(Reason::from_code).ok_or(InvalidFailureHeader(REASON))?,
            message: parsed(get(MESSAGE), MESSAGE)?,
            attempts: parsed(get(ATTEMPTS), ATTEMPTS)?,
            origin: Origin {
                topic: parsed(get(ORIGIN_TOPIC), ORIGIN_TOPIC)?,
                partition: parsed(get(ORIGIN_PARTITION), ORIGIN_PARTITION)?,
                offset: parsed(get(ORIGIN_OFFSET), ORIGIN_OFFSET)?,
                timestamp: parsed(get(ORIGIN_TIMESTAMP), ORIGIN_TIMESTAMP)?,
            },
            failed_at: parsed(get(FAILED_AT), FAILED_AT)?,
        })
    }
}

impl<'a> RedriveHeaders<'a> {
    pub fn pairs(&self) -> [(&'static str, String); 2] {
        [(LETTER_ID, self.letter_id.to_owned()), (REDRIVE, self.redrive.to_string())]
    }

    /// `None` for a record that was not redriven.
    pub fn read(get: impl Fn(&str) -> Option<&'a str>) -> Option<Self> {
        Some(Self { letter_id: get(LETTER_ID)?, redrive: get(REDRIVE)?.parse().ok()? })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn failure() -> FailureHeaders {
        FailureHeaders {
            reason: Reason::UserNotFound,
            message: "Okta knows nobody with this e-mail address".to_owned(),
            attempts: 1,
            origin: Origin {
                topic: "user.enrichment.requested".to_owned(),
                partition: 3,
                offset: 41,
                timestamp: "2026-01-31T18:42:00Z".parse().unwrap(),
            },
            failed_at: "2026-01-31T18:42:02Z".parse().unwrap(),
        }
    }

    #[test]
    fn failure_headers_round_trip() {
        let pairs = failure().pairs();
        let get = |name: &str| pairs.iter().find(|(n, _)| *n == name).map(|(_, v)| v.as_str());
        assert_eq!(FailureHeaders::read(get), Ok(failure()));
    }

    #[test]
    fn redrive_headers_round_trip() {
        let redrive = RedriveHeaders { letter_id: "0123", redrive: 3 };
        let pairs = redrive.pairs();
        let get = |name: &str| pairs.iter().find(|(n, _)| *n == name).map(|(_, v)| v.as_str());
        assert_eq!(RedriveHeaders::read(get), Some(redrive));
        assert!(pairs.iter().all(|(name, _)| name.starts_with(DEAD_LETTER_PREFIX)));
        assert!(failure().pairs().iter().all(|(name, _)| name.starts_with(DEAD_LETTER_PREFIX)));
    }

    #[test]
    fn a_missing_failure_header_is_named() {
        assert_eq!(FailureHeaders::read(|_| None), Err(InvalidFailureHeader(REASON)));
    }

    #[test]
    fn a_header_that_no_table_has_room_for_is_wrong() {
        for (length, result) in [(4096, Ok(())), (4097, Err(InvalidFailureHeader(MESSAGE)))] {
            let pairs = FailureHeaders { message: "m".repeat(length), ..failure() }.pairs();
            let get = |name: &str| pairs.iter().find(|(n, _)| *n == name).map(|(_, v)| v.as_str());
            assert_eq!(FailureHeaders::read(get).map(drop), result);
        }
    }

    #[test]
    fn every_reason_is_found_by_its_code_and_serialises_as_it() {
        for &reason in Reason::ALL {
            assert_eq!(Reason::from_code(reason.code()), Some(reason));
            assert_eq!(serde_json::to_value(reason).unwrap(), reason.code());
        }
    }
}

use std::fmt;

use contracts::{Origin, Reason};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::hex::{hex, is_hex};

/// What went wrong and where, and nothing about whom: equal for letters of one cause. 16 hex digits.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String")]
pub struct Fingerprint(String);

impl Fingerprint {
    pub(crate) fn of(reason: Reason, origin: &Origin, message: &str) -> Self {
        let mut hash = Sha256::new();
        hash.update(reason.code());
        hash.update([0]);
        hash.update(&origin.topic);
        hash.update([0]);
        hash.update(shape(message));
        Self(hex(&hash.finalize()[..8]))
    }

    /// `None` for what is no fingerprint.
    pub fn parse(text: &str) -> Option<Self> {
        is_hex(text, 16).then(|| Self(text.to_owned()))
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Numbers vary within one cause - a line, a column, a wait -, except an HTTP status.
fn shape(message: &str) -> String {
    let (mut shape, mut before) = (String::with_capacity(message.len()), "");
    for word in message.split(' ') {
        let is_status = before == "status";
        shape.extend(word.chars().filter(|c| is_status || !c.is_ascii_digit()));
        shape.push(' ');
        before = word;
    }
    shape
}

#[cfg(feature = "schema")]
impl schemars::JsonSchema for Fingerprint {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Fingerprint".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({
            "description": "What went wrong and where, and nothing about whom: equal for letters of one cause.",
            "type": "string",
            "pattern": "^[0-9a-f]{16}$",
        })
    }
}

impl TryFrom<String> for Fingerprint {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        if is_hex(&text, 16) { Ok(Self(text)) } else { Err("16 hex digits") }
    }
}

impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(reason: Reason, offset: i64, message: &str) -> Fingerprint {
        let topic = "user.enrichment.requested".to_owned();
        let origin = Origin { topic, partition: 0, offset, timestamp: jiff::Timestamp::UNIX_EPOCH };
        Fingerprint::of(reason, &origin, message)
    }

    #[test]
    fn one_cause_has_one_fingerprint() {
        let limited = of(Reason::RateLimited, 5, "rate limit is used up for 30s");
        assert_eq!(limited, of(Reason::RateLimited, 9, "rate limit is used up for 8s"));
        assert_ne!(limited, of(Reason::OktaUnavailable, 5, "rate limit is used up for 30s"));
        assert_eq!(Fingerprint::parse(limited.as_str()), Some(limited));
    }

    #[test]
    fn two_statuses_are_two_causes() {
        let status = |status| of(Reason::OktaUnavailable, 1, &format!("Okta failed with status {status}"));
        assert_eq!(status(503), status(503));
        assert_ne!(status(503), status(500));
    }
}

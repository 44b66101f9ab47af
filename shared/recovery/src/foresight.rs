use contracts::Outcome;
use serde::Serialize;

/// What would happen to a record.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(untagged)]
pub enum Foresight {
    Known(Outcome),
    Unknown(Unknown),
}

/// Okta can't be asked now, or there was no time to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(tag = "outcome", rename = "unknown")]
pub struct Unknown {
    pub because: String,
}

use serde::{Deserialize, Serialize};

use crate::filter::Filter;

/// Work on many letters.
pub type Job = jobs::Job<Task>;

/// What to do, and to which letters.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(rename = "DeadLetterTask"))]
pub struct Task {
    #[serde(flatten)]
    pub action: Action,
    /// Letters that are over or on their way are left alone, unless it names their state.
    #[serde(default)]
    pub filter: Filter,
    /// The most letters a second.
    #[serde(default = "default_per_second")]
    #[cfg_attr(feature = "schema", schemars(range(min = 1, max = 100)))]
    pub per_second: u32,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(tag = "action", rename_all = "snake_case")]
pub enum Action {
    Redrive,
    Discard {
        #[cfg_attr(feature = "schema", schemars(length(max = 500), regex(pattern = "\\S")))]
        because: String,
    },
}

/// What Okta's and DynamoDB's limits allow with room to spare.
pub const fn default_per_second() -> u32 {
    50
}

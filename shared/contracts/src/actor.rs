use std::fmt;

use serde::{Deserialize, Serialize};

/// Who did something, or asked for it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(transparent)]
pub struct Actor(String);

impl Actor {
    /// Whoever called the API, by what is known of the key.
    pub fn caller(name: &str) -> Self {
        Self(name.to_owned())
    }

    pub fn is_person(&self) -> bool {
        *self != Self::pipeline() && *self != Self::schedule()
    }

    /// The record failed.
    pub fn pipeline() -> Self {
        Self("pipeline".to_owned())
    }

    /// Its time had come.
    pub fn schedule() -> Self {
        Self("schedule".to_owned())
    }
}

impl fmt::Display for Actor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

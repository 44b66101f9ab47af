use serde::{Deserialize, Serialize};

use crate::Reason;

/// How an event ended: for the enrichment, a dry run, a sweep, the API and the terminal alike.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(tag = "outcome", rename_all = "snake_case")]
pub enum Outcome {
    /// It made a new version of the person. `fields` are those that read otherwise than before.
    #[serde(alias = "applied")]
    Changed {
        #[serde(default)]
        fields: Vec<String>,
    },
    /// What it says was known already, or something newer says otherwise.
    #[serde(alias = "duplicate", alias = "superseded")]
    NothingNew,
    /// It is a dead letter.
    Failed {
        reason: Reason,
        /// For people. Holds nothing personal.
        message: String,
    },
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_outcome_that_was_stored_by_the_version_before_is_read() {
        for (stored, expected) in [
            (r#"{"outcome":"applied"}"#, Outcome::Changed { fields: vec![] }),
            (r#"{"outcome":"duplicate"}"#, Outcome::NothingNew),
            (r#"{"outcome":"superseded"}"#, Outcome::NothingNew),
        ] {
            assert_eq!(serde_json::from_str::<Outcome>(stored).unwrap(), expected);
        }
    }
}

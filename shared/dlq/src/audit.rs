use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::{actor::Actor, job::Task, letter::LetterId};

/// What a person did to dead letters. Written before it is done: what can't be recorded isn't done.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct AuditRecord {
    /// A UUID.
    pub id: String,
    pub at: Timestamp,
    pub by: Actor,
    pub deed: Deed,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(tag = "action", rename_all = "snake_case")]
pub enum Deed {
    Redrive {
        letter: LetterId,
    },
    /// What was edited is in the letter's payload, beside its original.
    Edit {
        letter: LetterId,
    },
    Discard {
        letter: LetterId,
        because: String,
    },
    StartJob {
        job: String,
        task: Task,
    },
    StopJob {
        job: String,
    },
    ResumeJob {
        job: String,
    },
}

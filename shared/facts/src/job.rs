use aws::Aws;
use runtime::{ConfigError, Vars};
use serde::{Deserialize, Serialize};

/// Work on the facts of many subjects.
pub type Job = jobs::Job<Task>;

/// What to do, and with whose facts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(rename = "FactTask"))]
pub struct Task {
    pub action: Action,
    #[serde(default)]
    pub subjects: Subjects,
    /// The most subjects a second.
    #[serde(default = "default_per_second")]
    #[cfg_attr(feature = "schema", schemars(range(min = 1, max = 500)))]
    pub per_second: u32,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(inline))]
#[serde(rename_all = "snake_case")]
pub enum Action {
    /// Publishes again what was told of the present version of each, for whoever has just begun to read.
    Republish,
}

/// Of a kind, all that there are.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(inline))]
#[serde(rename_all = "snake_case")]
pub enum Subjects {
    #[default]
    User,
}

/// About as fast as a slice can be: it waits for the brokers and the table in turn.
pub const MAX_PER_SECOND: u32 = 500;

/// What leaves the brokers, and a reader who is new, most of their time.
pub const fn default_per_second() -> u32 {
    200
}

/// `FACT_JOBS_TABLE`: a table of jobs and nothing else.
pub fn jobs_from_vars(vars: &Vars, aws: &Aws) -> Result<jobs::Store<Task>, ConfigError> {
    let table = vars.require("FACT_JOBS_TABLE", "a table's name")?;
    Ok(jobs::Store::new(dynamo::client(vars, aws)?, table))
}

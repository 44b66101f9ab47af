//! `template.yaml`, as far as the local cloud acts on it.

mod cors;
mod events;
mod rate;
mod raw;
mod resolve;
mod wrong;

use std::{collections::BTreeMap, path::Path, time::Duration};

use dynamo::TableSpec;

use self::wrong::Wrong;
pub use self::{cors::Cors, rate::Rate};

/// Where the local cloud says that it is.
pub(crate) const REGION: &str = "eu-west-1";
pub(crate) const ACCOUNT: &str = "000000000000";

#[derive(Debug, Clone)]
pub struct Template {
    pub functions: Vec<FunctionSpec>,
    pub tables: Vec<TableSpec>,
    /// `None` where the HTTP API has none.
    pub cors: Option<Cors>,
}

#[derive(Debug, Clone)]
pub struct FunctionSpec {
    /// The binary's name, which is also the folder's.
    pub name: String,
    pub timeout: Duration,
    /// In MB, of which a function also has its share of a CPU.
    pub memory: u64,
    pub variables: BTreeMap<String, String>,
    pub routes: Vec<Route>,
    pub triggers: Vec<Trigger>,
    pub schedules: Vec<Schedule>,
    /// How often an asynchronous invocation that failed is tried again.
    pub async_retries: u32,
}

/// A route of the HTTP API.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Route {
    /// `None` is ANY.
    pub method: Option<String>,
    /// `None` is `$default`.
    pub path: Option<String>,
}

/// An event source mapping.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trigger {
    pub topic: String,
    pub group: String,
    pub batch_size: usize,
    pub window: Duration,
    /// Beyond the first attempt; `None` is for ever.
    pub retries: Option<u32>,
    pub bisect: bool,
    pub max_age: Option<Duration>,
    /// The topic of what is given up.
    pub on_failure: Option<String>,
    /// Whether the function's answer names the records that failed.
    pub reports_failures: bool,
    pub start: Start,
}

/// Where a group starts that has committed nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Start {
    /// At the oldest record.
    TrimHorizon,
    /// After the newest.
    Latest,
}

/// Invokes the function at regular intervals.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Schedule {
    pub name: String,
    pub service: Scheduler,
    pub rate: Rate,
    /// What the function gets instead of the service's own event.
    pub input: Option<String>,
}

/// EventBridge has two kinds of schedules, with an event each.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scheduler {
    /// SAM's `Schedule`.
    Rule,
    /// SAM's `ScheduleV2`.
    EventBridgeScheduler,
}

/// What is wrong with the template, and where.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("{path} can't be read")]
    Unreadable { path: String, source: std::io::Error },
    #[error("{path} is not YAML: {detail}")]
    NotYaml { path: String, detail: String },
    #[error("{path}: {place}: {detail}")]
    Wrong { path: String, place: String, detail: String },
}

impl Template {
    /// With the parameters' defaults.
    pub fn read(path: &Path) -> Result<Self, Error> {
        Self::read_with(path, &[])
    }

    /// With these parameters, by name, and the defaults of the others.
    pub fn read_with(path: &Path, parameters: &[(&str, &str)]) -> Result<Self, Error> {
        let shown = path.display().to_string();
        let text = std::fs::read_to_string(path)
            .map_err(|source| Error::Unreadable { path: shown.clone(), source })?;
        let document = serde_norway::from_str(&text)
            .map_err(|error| Error::NotYaml { path: shown.clone(), detail: error.to_string() })?;
        let folder = path.parent().unwrap_or(Path::new("."));
        raw::read(document, parameters, folder).map_err(|Wrong { place, detail }| Error::Wrong {
            path: shown,
            place,
            detail,
        })
    }

    /// Every topic that a trigger reads or writes, and those of Joiner that none does.
    pub fn topics(&self) -> Vec<String> {
        let triggers = self.functions.iter().flat_map(|function| &function.triggers);
        let of_triggers = triggers
            .flat_map(|trigger| [Some(&trigger.topic), trigger.on_failure.as_ref()])
            .flatten()
            .cloned();
        let prefix = self.topic_prefix();
        let ours = contracts::topic::ALL.into_iter().map(|topic| format!("{prefix}{topic}"));
        let mut topics: Vec<_> = of_triggers.chain(ours).collect();
        topics.sort_unstable();
        topics.dedup();
        topics
    }

    /// What stands before the names of topics.
    pub fn topic_prefix(&self) -> &str {
        let variables = self.functions.iter().map(|function| &function.variables);
        variables
            .into_iter()
            .find_map(|variables| variables.get("KAFKA_TOPIC_PREFIX"))
            .map_or("", String::as_str)
    }
}

impl FunctionSpec {
    /// Whether anything does: a hook of CodeDeploy has no event of the template's.
    pub fn is_invoked(&self) -> bool {
        !(self.routes.is_empty() && self.triggers.is_empty() && self.schedules.is_empty())
    }
}

impl Route {
    /// As API Gateway writes it: "GET /v1/users/{id}", or `$default`.
    pub fn key(&self) -> String {
        match &self.path {
            Some(path) => format!("{} {path}", self.method.as_deref().unwrap_or("ANY")),
            None => "$default".to_owned(),
        }
    }
}

#[cfg(test)]
mod tests;

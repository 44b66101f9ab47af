//! What invokes a function: SAM's events, and what we make of them.

use std::time::Duration;

use serde::Deserialize;

use super::{Rate, Route, Schedule, Scheduler, Trigger, raw::Wrong};

#[derive(Deserialize)]
#[serde(tag = "Type", content = "Properties")]
pub(super) enum Event {
    HttpApi(HttpApi),
    #[serde(rename = "MSK")]
    Msk(Box<Msk>),
    Schedule(Rule),
    ScheduleV2(RuleV2),
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct HttpApi {
    path: Option<String>,
    method: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Msk {
    topics: [String; 1],
    consumer_group_id: String,
    #[serde(default = "batch_size")]
    batch_size: usize,
    #[serde(default)]
    maximum_batching_window_in_seconds: u64,
    #[serde(default = "forever")]
    maximum_retry_attempts: i64,
    #[serde(default)]
    bisect_batch_on_function_error: bool,
    #[serde(default = "forever")]
    maximum_record_age_in_seconds: i64,
    destination_config: Option<DestinationConfig>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct DestinationConfig {
    on_failure: OnFailure,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct OnFailure {
    destination: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Rule {
    schedule: Rate,
    name: Option<String>,
    input: Option<String>,
    #[serde(default)]
    state: State,
    enabled: Option<bool>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct RuleV2 {
    schedule_expression: Rate,
    name: Option<String>,
    input: Option<String>,
    #[serde(default)]
    state: State,
}

#[derive(Default, PartialEq, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
enum State {
    #[default]
    Enabled,
    Disabled,
}

fn batch_size() -> usize {
    100
}

fn forever() -> i64 {
    -1
}

impl HttpApi {
    pub(super) fn into_route(self) -> Route {
        let method = self.method.filter(|method| !method.eq_ignore_ascii_case("any"));
        Route { method: method.map(|method| method.to_uppercase()), path: self.path }
    }
}

impl Msk {
    pub(super) fn into_trigger(self, place: &str) -> Result<Trigger, Wrong> {
        let wrong = |detail: &str| Wrong { place: place.to_owned(), detail: detail.to_owned() };
        let [topic] = self.topics;
        let on_failure = self.destination_config.map(|config| config.on_failure.destination);
        let on_failure = on_failure
            .map(|destination| destination.strip_prefix("kafka://").map(str::to_owned))
            .map(|topic| {
                topic.ok_or_else(|| wrong("the local cloud has on-failure topics only: kafka://<topic>"))
            })
            .transpose()?;
        if !(1..=10_000).contains(&self.batch_size) {
            return Err(wrong("BatchSize must be 1 to 10000"));
        }
        if on_failure.as_ref() == Some(&topic) {
            return Err(wrong("the on-failure topic must not be the source"));
        }
        Ok(Trigger {
            topic,
            group: self.consumer_group_id,
            batch_size: self.batch_size,
            window: Duration::from_secs(self.maximum_batching_window_in_seconds),
            retries: u32::try_from(self.maximum_retry_attempts).ok(),
            bisect: self.bisect_batch_on_function_error,
            max_age: u64::try_from(self.maximum_record_age_in_seconds).ok().map(Duration::from_secs),
            on_failure,
        })
    }
}

impl Rule {
    /// `None` if it is switched off.
    pub(super) fn into_schedule(self, function: &str, event: &str) -> Option<Schedule> {
        let on = self.enabled.unwrap_or(self.state == State::Enabled);
        on.then(|| Schedule {
            name: self.name.unwrap_or_else(|| format!("{function}{event}")),
            service: Scheduler::Rule,
            rate: self.schedule,
            input: self.input,
        })
    }
}

impl RuleV2 {
    /// `None` if it is switched off.
    pub(super) fn into_schedule(self, function: &str, event: &str) -> Option<Schedule> {
        (self.state == State::Enabled).then(|| Schedule {
            name: self.name.unwrap_or_else(|| format!("{function}{event}")),
            service: Scheduler::EventBridgeScheduler,
            rate: self.schedule_expression,
            input: self.input,
        })
    }
}

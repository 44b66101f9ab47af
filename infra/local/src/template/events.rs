//! What invokes a function: SAM's events, and what we make of them.

use std::time::Duration;

use serde::Deserialize;
use serde_norway::Value;

use super::{Rate, Route, Schedule, Scheduler, Start, Trigger, wrong::Wrong};

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
    starting_position: StartingPosition,
    batch_size: Option<usize>,
    maximum_batching_window_in_seconds: Option<u64>,
    maximum_retry_attempts: Option<i64>,
    bisect_batch_on_function_error: Option<bool>,
    maximum_record_age_in_seconds: Option<i64>,
    destination_config: Option<DestinationConfig>,
    function_response_types: Option<Vec<ResponseType>>,
    provisioned_poller_config: Option<Value>,
    filter_criteria: Option<Value>,
    schema_registry_config: Option<Value>,
}

/// `AT_TIMESTAMP` is missing: the embedded broker finds no offsets by time.
#[derive(Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
enum StartingPosition {
    TrimHorizon,
    Latest,
}

#[derive(Deserialize)]
enum ResponseType {
    ReportBatchItemFailures,
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

/// Lambda's defaults: <https://docs.aws.amazon.com/lambda/latest/dg/kafka-esm-parameters.html>.
const BATCH_SIZE: usize = 100;
const WINDOW: Duration = Duration::from_millis(500);
/// Of what has an on-failure destination, where the template says for ever.
const MAX_RETRIES: u32 = 10;

impl HttpApi {
    pub(super) fn into_route(self) -> Route {
        let method = self.method.filter(|method| !method.eq_ignore_ascii_case("any"));
        Route { method: method.map(|method| method.to_uppercase()), path: self.path }
    }
}

impl Msk {
    pub(super) fn into_trigger(self, place: &str) -> Result<Trigger, Wrong> {
        self.check().map_err(|detail| Wrong { place: place.to_owned(), detail })?;
        let [topic] = self.topics;
        let on_failure = self.destination_config.as_ref().and_then(DestinationConfig::topic);
        let retries = self.maximum_retry_attempts.and_then(|retries| u32::try_from(retries).ok());
        let max_age = self.maximum_record_age_in_seconds.and_then(|seconds| u64::try_from(seconds).ok());
        let response_types = self.function_response_types.unwrap_or_default();
        Ok(Trigger {
            topic,
            group: self.consumer_group_id,
            batch_size: self.batch_size.unwrap_or(BATCH_SIZE),
            window: self.maximum_batching_window_in_seconds.map_or(WINDOW, Duration::from_secs),
            retries: retries.or(on_failure.is_some().then_some(MAX_RETRIES)),
            bisect: self.bisect_batch_on_function_error.unwrap_or_default(),
            max_age: max_age.map(Duration::from_secs),
            on_failure: on_failure.map(str::to_owned),
            reports_failures: matches!(response_types[..], [ResponseType::ReportBatchItemFailures]),
            start: match self.starting_position {
                StartingPosition::TrimHorizon => Start::TrimHorizon,
                StartingPosition::Latest => Start::Latest,
            },
        })
    }

    /// Says what Lambda would refuse, or the local cloud doesn't have.
    fn check(&self) -> Result<(), String> {
        let on_failure = self.destination_config.as_ref().map(DestinationConfig::topic);
        for (name, is_there) in [
            ("FilterCriteria", self.filter_criteria.is_some()),
            ("SchemaRegistryConfig", self.schema_registry_config.is_some()),
            ("on-failure destination but topics: kafka://<topic>", on_failure == Some(None)),
        ] {
            if is_there {
                return Err(format!("the local cloud has no {name}"));
            }
        }
        for (name, is_there) in [
            ("MaximumRetryAttempts", self.maximum_retry_attempts.is_some()),
            ("MaximumRecordAgeInSeconds", self.maximum_record_age_in_seconds.is_some()),
            ("BisectBatchOnFunctionError", self.bisect_batch_on_function_error.is_some()),
            ("FunctionResponseTypes", self.function_response_types.is_some()),
            ("DestinationConfig", on_failure.is_some()),
        ] {
            if is_there && self.provisioned_poller_config.is_none() {
                return Err(format!("{name} needs ProvisionedPollerConfig"));
            }
        }
        let (batch_size, window) = (self.batch_size, self.maximum_batching_window_in_seconds);
        let (retries, age) = (self.maximum_retry_attempts, self.maximum_record_age_in_seconds);
        for (is_right, expected) in [
            (batch_size.is_none_or(|size| (1..=10_000).contains(&size)), "BatchSize must be 1 to 10000"),
            (window.is_none_or(|seconds| seconds <= 300), "MaximumBatchingWindowInSeconds must be 0 to 300"),
            (
                retries.is_none_or(|retries| (-1..=10_000).contains(&retries)),
                "MaximumRetryAttempts must be -1 to 10000",
            ),
            (
                age.is_none_or(|seconds| seconds == -1 || (60..=604_800).contains(&seconds)),
                "MaximumRecordAgeInSeconds must be -1, or 60 to 604800",
            ),
            (
                on_failure.flatten() != Some(self.topics[0].as_str()),
                "the on-failure topic must not be the source",
            ),
        ] {
            if !is_right {
                return Err(expected.to_owned());
            }
        }
        Ok(())
    }
}

impl DestinationConfig {
    fn topic(&self) -> Option<&str> {
        self.on_failure.destination.strip_prefix("kafka://")
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

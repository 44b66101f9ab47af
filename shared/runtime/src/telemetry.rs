//! Log lines. The spans that a handler opens (`correlation_id`, `event_id`, …) put their fields on every line below.

use std::{io::IsTerminal, process::ExitCode, str::FromStr};

use tracing::Level;
use tracing_subscriber::{
    Layer, Registry, filter::Targets, fmt, fmt::writer::BoxMakeWriter, layer::SubscriberExt,
    util::SubscriberInitExt,
};

use crate::config::{ConfigError, Vars};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    Json,
    Text,
}

#[derive(Debug, Clone, Copy)]
pub struct Config {
    /// `LOG_FORMAT`: `json` (default) or `text`.
    pub format: Format,
    /// `LOG_LEVEL` of Joiner's own lines: `error`, `warn`, `info` (default), `debug` or `trace`.
    pub level: Level,
}

impl Config {
    pub fn from_vars(vars: &Vars) -> Result<Self, ConfigError> {
        Ok(Self {
            format: vars.parse_or("LOG_FORMAT", Format::Json, "json or text")?,
            level: vars.parse_or("LOG_LEVEL", Level::INFO, "error, warn, info, debug or trace")?,
        })
    }
}

impl FromStr for Format {
    type Err = ();

    fn from_str(value: &str) -> Result<Self, ()> {
        match value {
            "json" => Ok(Self::Json),
            "text" => Ok(Self::Text),
            _ => Err(()),
        }
    }
}

/// Joiner's crates, whose log lines hold nothing personal at any level. Other crates write URLs, so only what they
/// warn of gets through. `aws` logs nothing, and is missing: a target is a prefix, and the SDK's names begin with it.
const OURS: [&str; 19] = [
    "api",
    "cache",
    "canary",
    "dead_letters",
    "dlq",
    "dlq_reprocessor",
    "dynamo",
    "enrichment",
    "hr_webhook",
    "idempotency",
    "joiner",
    "kafka",
    "okta",
    "onboarding",
    "pre_traffic",
    "runtime",
    "secrets",
    "user_query",
    "valkey",
];

/// Installs the process's subscriber. A second call changes nothing.
pub fn init(config: Config, writer: BoxMakeWriter) {
    let levels = Targets::new().with_default(Level::WARN).with_targets(OURS.map(|name| (name, config.level)));
    let lines: Box<dyn Layer<Registry> + Send + Sync> = match config.format {
        Format::Json => {
            let mut json = json_subscriber::JsonLayer::new(writer);
            json.with_timer("timestamp", fmt::time::SystemTime);
            json.with_level("level");
            json.with_target("target");
            json.with_flattened_event();
            json.with_top_level_flattened_span_list();
            Box::new(json)
        }
        Format::Text => {
            let colours = std::io::stderr().is_terminal();
            Box::new(fmt::layer().with_writer(writer).with_ansi(colours).with_target(false).compact())
        }
    };
    let installed = tracing_subscriber::registry().with(lines.with_filter(levels)).try_init();
    drop(installed);
}

/// The end of a function's `main`: what stopped the start, as one sentence.
pub fn exit_code<E: std::fmt::Display>(result: Result<(), E>) -> ExitCode {
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

/// An error with its causes, for the `error` field of a log line.
pub fn chain(error: &dyn std::error::Error) -> String {
    let causes = std::iter::successors(Some(error), |error| error.source());
    causes.map(ToString::to_string).collect::<Vec<_>>().join(": ")
}

//! Log lines. The spans that a handler opens (`correlation_id`, `event_id`, …) put their fields on every line below.

use std::{io::IsTerminal, process::ExitCode, str::FromStr};

use tracing::{Level, Metadata};
use tracing_subscriber::{
    Layer, Registry, filter::filter_fn, fmt, fmt::writer::BoxMakeWriter, layer::SubscriberExt,
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

/// The folders of Joiner's own code, whose log lines hold nothing personal at any level. Other crates write URLs, so only
/// what they warn of gets through, whichever crates that will be. Cargo gives the compiler the files of its workspace by
/// their paths below its root, and those of dependencies by whole paths.
const OURS: [&str; 3] = ["functions/", "infra/", "shared/"];

fn is_ours(file: &str) -> bool {
    OURS.iter().any(|folder| file.starts_with(folder))
}

/// Part of the process's subscriber.
pub type BoxLayer = Box<dyn Layer<Registry> + Send + Sync>;

/// Whether it is a span of a trace, and nothing for the log.
fn is_traced(metadata: &Metadata<'_>) -> bool {
    metadata.is_span() && metadata.fields().field("otel.kind").is_some()
}

/// Whether a layer of traces has to know it: a span of a trace, or one that names the function.
fn is_for_traces(metadata: &Metadata<'_>) -> bool {
    let names_function = metadata.is_span() && metadata.fields().field("service").is_some();
    metadata.file().is_some_and(is_ours) && (is_traced(metadata) || names_function)
}

/// Installs the process's subscriber, with a layer of traces where somebody wants them. A second call changes nothing.
pub fn init(config: Config, writer: BoxMakeWriter, traces: Option<BoxLayer>) {
    let levels = filter_fn(move |metadata| {
        let is_ours = metadata.file().is_some_and(is_ours);
        !is_traced(metadata) && *metadata.level() <= if is_ours { config.level } else { Level::WARN }
    });
    let levels = levels.with_max_level_hint(config.level.max(Level::WARN));
    let lines: BoxLayer = match config.format {
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
    let traces = traces.map(|traces| {
        let is_for_them = filter_fn(is_for_traces).with_max_level_hint(Level::INFO);
        traces.with_filter(is_for_them).boxed()
    });
    let layers: Vec<BoxLayer> = std::iter::once(lines.with_filter(levels).boxed()).chain(traces).collect();
    let installed = tracing_subscriber::registry().with(layers).try_init();
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn our_files_are_told_from_those_of_dependencies() {
        assert!(is_ours(file!()), "{}", file!());
        for file in [
            "/home/ada/.cargo/registry/src/index.crates.io-1949cf8c6b5b557f/hyper-1.0.0/src/lib.rs",
            "/home/ada/joiner/shared/okta/src/client.rs",
            "tests/bench/src/main.rs",
            "library/std/src/lib.rs",
        ] {
            assert!(!is_ours(file), "{file}");
        }
    }
}

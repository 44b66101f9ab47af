use std::time::Duration;

use clap::{Args, Parser, Subcommand};

use crate::tables::Bug;

/// Joiner's functions under faults, on a real broker, and what a checker finds of it
#[derive(Parser)]
#[command(name = "chaos")]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Option<Command>,
    #[command(flatten)]
    pub(crate) run: RunArgs,
}

#[derive(Subcommand)]
pub(crate) enum Command {
    /// One machine with every function on it; the run starts these
    #[command(hide = true)]
    Worker {
        /// How wrong its clock is
        #[arg(long, allow_negative_numbers = true)]
        ahead_millis: i64,
    },
}

#[derive(Args)]
pub(crate) struct RunArgs {
    /// What is delivered: events, their repeats, and poison
    #[arg(long, default_value_t = 20_000, value_parser = at_least_one)]
    pub(crate) events: usize,
    #[arg(long, default_value_t = 2_000, value_parser = at_least_one)]
    pub(crate) employees: usize,
    /// Makes the events and the faults; a new one without it
    #[arg(long)]
    pub(crate) seed: Option<u64>,
    /// How long delivering takes, at least
    #[arg(long, default_value_t = 5.0)]
    pub(crate) minutes: f64,
    /// Puts a bug into the tables: then it passes if the checker finds it
    #[arg(long)]
    pub(crate) bug: Option<Bug>,
}

impl RunArgs {
    pub(crate) fn length(&self) -> Duration {
        Duration::try_from_secs_f64(self.minutes * 60.0).unwrap_or_default()
    }
}

fn at_least_one(text: &str) -> Result<usize, String> {
    text.parse().ok().filter(|number| *number > 0).ok_or_else(|| "expected a number from 1".to_owned())
}

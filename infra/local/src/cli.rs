pub(crate) mod dead_letters;
pub(crate) mod facts;
pub(crate) mod jobs;
mod person;

use std::{path::PathBuf, time::Duration};

use clap::{Args, Parser, Subcommand, ValueEnum};
use contracts::{Email, EmployeeId};
use jiff::SignedDuration;

use self::facts::FactsArgs;
use dead_letters::DeadLettersArgs;
use person::{email, employee};

/// Joiner's cloud on one machine
#[derive(Parser)]
#[command(name = "joiner", version, infer_subcommands = true)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Subcommand)]
pub(crate) enum Command {
    /// Run everything in one process: gateway, Kafka, tables, Okta, functions
    Dev(DevArgs),
    /// Post a sample event to a running Joiner
    Send(SendArgs),
    /// Send an event of a test employee all the way through a running Joiner
    Probe(ProbeArgs),
    /// Dead letters: what could not be processed, and the ways back for it
    DeadLetters(DeadLettersArgs),
    /// Facts: what happened, told once more to whoever starts late
    Facts(FactsArgs),
    /// The fake Okta and its company
    Okta {
        #[command(subcommand)]
        command: OktaCommand,
    },
}

#[derive(Subcommand)]
pub(crate) enum OktaCommand {
    /// List the people of the fake company, to pick whom to hire
    People(PeopleArgs),
    /// Run the fake Okta alone
    Serve(ServeArgs),
}

#[derive(Args)]
pub(crate) struct DevArgs {
    /// The gateway's port; 0 picks a free one
    #[arg(long, default_value_t = 3000)]
    pub(crate) port: u16,
    /// Keep the tables in this folder; in memory without it
    #[arg(long, value_name = "FOLDER")]
    pub(crate) data_dir: Option<PathBuf>,
    /// Hire this many people and show what becomes of each
    #[arg(long, value_name = "N")]
    pub(crate) demo: Option<usize>,
    /// How log lines look; `LOG_LEVEL` sets how many there are
    #[arg(long, value_enum, default_value_t = LogFormat::Text)]
    pub(crate) log_format: LogFormat,
    /// What to run
    #[arg(long, value_name = "FILE", default_value = "template.yaml")]
    pub(crate) template: PathBuf,
    /// Set a parameter of the template, such as CorsAllowedOrigins=http://localhost:5173
    #[arg(long = "parameter", value_name = "NAME=VALUE", value_parser = parameter)]
    pub(crate) parameters: Vec<(String, String)>,
    #[command(flatten)]
    pub(crate) okta: OktaArgs,
}

#[derive(Args)]
pub(crate) struct OktaArgs {
    /// Makes the company: the same seed, the same people
    #[arg(long, default_value_t = 1)]
    pub(crate) seed: u64,
    /// Let every answer of the fake Okta take this long, such as 200ms
    #[arg(long, value_name = "DURATION", value_parser = duration, default_value = "0ms")]
    pub(crate) okta_latency: Duration,
    /// Let this share of the fake Okta's answers be errors, such as 5%
    #[arg(long, value_name = "PERCENT", value_parser = percent, default_value = "0%")]
    pub(crate) okta_errors: f64,
}

#[derive(Args)]
pub(crate) struct SendArgs {
    /// An event of API Gateway, such as `events/hr-webhook/new-hire.json`
    pub(crate) file: PathBuf,
    /// Where Joiner runs; `JOINER_URL` where it isn't given, else <http://127.0.0.1:3000>
    #[arg(long)]
    pub(crate) url: Option<String>,
}

#[derive(Args)]
pub(crate) struct ProbeArgs {
    /// The test employee's address: of an Okta account that nobody else has
    #[arg(long, value_parser = email)]
    pub(crate) email: Email,
    /// The test employee's id
    #[arg(long, value_name = "ID", value_parser = employee, default_value = probe::EMPLOYEE_ID)]
    pub(crate) employee: EmployeeId,
    /// Where Joiner runs; `JOINER_URL` where it isn't given, else <http://127.0.0.1:3000>
    #[arg(long)]
    pub(crate) url: Option<String>,
    /// How long it may take until the employee is complete
    #[arg(long, value_name = "DURATION", value_parser = duration, default_value = "60s")]
    pub(crate) within: Duration,
    /// Print JSON
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Args)]
pub(crate) struct PeopleArgs {
    /// Print JSON
    #[arg(long)]
    pub(crate) json: bool,
    /// Makes the company: the same seed, the same people
    #[arg(long, default_value_t = 1)]
    pub(crate) seed: u64,
}

#[derive(Args)]
pub(crate) struct ServeArgs {
    /// The port; 0 picks a free one
    #[arg(long, default_value_t = 3001)]
    pub(crate) port: u16,
    /// The token to accept
    #[arg(long, default_value = "local")]
    pub(crate) token: String,
    #[command(flatten)]
    pub(crate) okta: OktaArgs,
}

#[derive(Clone, Copy, ValueEnum)]
pub(crate) enum LogFormat {
    Text,
    Json,
}

fn duration(text: &str) -> Result<Duration, String> {
    let parsed = text.parse::<SignedDuration>().ok().and_then(|duration| Duration::try_from(duration).ok());
    parsed.ok_or_else(|| "expected a duration such as 200ms or 2s".to_owned())
}

fn parameter(text: &str) -> Result<(String, String), String> {
    let (name, value) = text.split_once('=').ok_or("expected NAME=VALUE")?;
    Ok((name.to_owned(), value.to_owned()))
}

fn percent(text: &str) -> Result<f64, String> {
    let number = text.strip_suffix('%').and_then(|number| number.parse::<f64>().ok());
    number
        .filter(|percent| (0.0..=100.0).contains(percent))
        .map(|percent| percent / 100.0)
        .ok_or_else(|| "expected a share from 0% to 100%".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        use clap::CommandFactory;
        Cli::command().debug_assert();
    }

    #[test]
    fn durations_and_shares_are_read_as_people_write_them() {
        assert_eq!(duration("200ms"), Ok(Duration::from_millis(200)));
        assert_eq!(duration("2s"), Ok(Duration::from_secs(2)));
        assert!(duration("-1s").is_err() && duration("fast").is_err());
        assert_eq!(percent("5%"), Ok(0.05));
        assert!(percent("5").is_err() && percent("101%").is_err());
    }
}

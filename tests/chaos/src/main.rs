//! `chaos`: the pipeline under faults. See the README.

mod api;
mod backlog;
mod check;
mod cli;
mod evidence;
mod faults;
mod fleet;
mod hr;
mod plan;
mod reading;
mod reference;
mod report;
mod run;
mod stage;
mod tables;
mod tally;
mod topics;
mod worker;

use std::process::ExitCode;

use check::Rule;
use clap::Parser;
use cli::{Cli, Command, RunArgs};
use jiff::SignedDuration;
use runtime::Vars;
use tables::Bug;

#[tokio::main]
async fn main() -> ExitCode {
    let cli = Cli::parse();
    if let Some(Command::Worker { ahead_millis }) = cli.command {
        let ended = worker::run(SignedDuration::from_millis(ahead_millis), Vars::from_process()).await;
        return runtime::telemetry::exit_code(ended);
    }
    let args = cli.run;
    let seed = args.seed.unwrap_or_else(|| fastrand::u64(..1_000_000));
    println!("Chaos with --seed {seed}: {} events of {} employees.", args.events, args.employees);
    let passed = passes(&args, seed).await.unwrap_or_else(|error| {
        eprintln!("chaos: {error:#}");
        false
    });
    if passed {
        println!("Passed with --seed {seed}.");
        return ExitCode::SUCCESS;
    }
    let RunArgs { events, employees, minutes, .. } = args;
    println!("FAILED with --seed {seed}: --events {events} --employees {employees} --minutes {minutes}");
    ExitCode::FAILURE
}

/// Runs, and tells what it has found. The workers' logs are kept where they may explain it.
async fn passes(args: &RunArgs, seed: u64) -> anyhow::Result<bool> {
    let program = std::env::current_exe()?;
    let logs = tempfile::Builder::new().prefix("joiner-chaos-").tempdir()?;
    let ended = run::run(args, seed, program, logs.path()).await;
    let passed = ended.as_ref().is_ok_and(|outcome| match args.bug {
        None => outcome.verdict.findings.is_empty(),
        Some(bug) => outcome.verdict.breaks(rule_of(bug)),
    });
    if !passed {
        println!("The workers' logs: {}", logs.keep().display());
    }
    println!("{}", ended?);
    Ok(passed)
}

/// What the checker has to find of it.
fn rule_of(bug: Bug) -> Rule {
    match bug {
        Bug::Drop => Rule::Lost,
        Bug::Twice => Rule::AppliedTwice,
        Bug::Swap | Bug::Clamp => Rule::OlderOverNewer,
        Bug::Undo => Rule::BroughtBack,
        Bug::Mute => Rule::Untold,
        Bug::Retell => Rule::WronglyTold,
    }
}

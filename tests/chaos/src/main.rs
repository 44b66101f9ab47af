//! `chaos`: the pipeline under faults. See the README.

mod api;
mod check;
mod cli;
mod evidence;
mod faults;
mod fleet;
mod hr;
mod plan;
mod report;
mod run;
mod tables;
mod tally;
mod topics;
mod worker;

use std::process::ExitCode;

use clap::Parser;
use cli::{Cli, Command};
use jiff::SignedDuration;
use runtime::Vars;

#[tokio::main]
async fn main() -> ExitCode {
    let cli = Cli::parse();
    if let Some(Command::Worker { ahead_millis }) = cli.command {
        let ended = worker::run(SignedDuration::from_millis(ahead_millis), Vars::from_process()).await;
        return runtime::telemetry::exit_code(ended);
    }
    let seed = cli.run.seed.unwrap_or_else(|| fastrand::u64(..1_000_000));
    println!("Chaos with --seed {seed}: {} events of {} employees.", cli.run.events, cli.run.employees);
    let program = match std::env::current_exe() {
        Ok(program) => program,
        Err(error) => {
            eprintln!("chaos: the path of this program is unknown: {error}");
            return ExitCode::FAILURE;
        }
    };
    let failed = match run::run(&cli.run, seed, program).await {
        Ok(outcome) => {
            println!("{outcome}");
            !outcome.verdict.findings.is_empty()
        }
        Err(error) => {
            eprintln!("chaos: {error:#}");
            true
        }
    };
    if failed {
        let run = &cli.run;
        println!(
            "FAILED. Again with: make chaos ARGS=\"--seed {seed} --events {} --employees {} --minutes {}\"",
            run.events, run.employees, run.minutes
        );
        return ExitCode::FAILURE;
    }
    ExitCode::SUCCESS
}

//! `joiner`: Joiner's cloud on one machine, and what one does with it.

mod cli;
mod commands;
mod interrupt;
mod table;

use std::{io, process::ExitCode};

use clap::Parser;

use cli::{Cli, Command, OktaCommand};

#[tokio::main]
async fn main() -> ExitCode {
    match run(Cli::parse()).await {
        Ok(()) => ExitCode::SUCCESS,
        // `joiner okta people | head` has seen enough.
        Err(error) if error.downcast_ref::<io::Error>().is_some_and(is_closed) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("joiner: {error:#}");
            ExitCode::FAILURE
        }
    }
}

async fn run(cli: Cli) -> anyhow::Result<()> {
    let clock = runtime::Clock::system();
    match cli.command {
        Command::Dev(args) => commands::dev::run(args, clock).await,
        Command::Send(args) => commands::send::run(&args).await,
        Command::Probe(args) => commands::probe::run(args, clock).await,
        Command::Facts(args) => commands::facts::run(args, clock).await,
        Command::DeadLetters(args) => commands::dead_letters::run(args, clock).await,
        Command::Okta { command: OktaCommand::People(args) } => commands::okta::people(&args, clock),
        Command::Okta { command: OktaCommand::Serve(args) } => commands::okta::serve(args, clock).await,
    }
}

fn is_closed(error: &io::Error) -> bool {
    error.kind() == io::ErrorKind::BrokenPipe
}

//! `joiner`: Joiner's cloud on one machine, and what one does with it.

mod cli;
mod commands;

use std::process::ExitCode;

use clap::Parser;

use cli::{Cli, Command, OktaCommand};

#[tokio::main]
async fn main() -> ExitCode {
    match run(Cli::parse()).await {
        Ok(()) => ExitCode::SUCCESS,
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
        Command::Okta { command: OktaCommand::People(args) } => commands::okta::people(&args, clock),
        Command::Okta { command: OktaCommand::Serve(args) } => commands::okta::serve(args, clock).await,
    }
}

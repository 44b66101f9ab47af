#![doc = include_str!("../README.md")]

mod cold;
mod process;
mod remote;
mod runtime_api;
mod size;
mod statistics;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

#[derive(Parser)]
#[command(name = "bench", about = "Measures what is deployed")]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// How large each function is, and how long it takes from its spawn to its first request for an event
    Cold(cold::Args),
}

/// One thread: the function that is measured has the other.
#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    match run(Cli::parse()).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("bench: {error:#}");
            ExitCode::FAILURE
        }
    }
}

async fn run(cli: Cli) -> anyhow::Result<()> {
    match cli.command {
        Command::Cold(args) => cold::run(&args).await,
    }
}

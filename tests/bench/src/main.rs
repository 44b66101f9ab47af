#![doc = include_str!("../README.md")]

mod bootstrap;
mod candidates;
mod cold;
mod cost;
mod enrichment;
mod floor;
mod functions;
mod growth;
mod handler;
mod hr;
mod http;
mod load;
mod memory;
mod peers;
mod process;
mod query;
mod remote;
mod report;
mod runtime_api;
mod serve;
mod server;
mod setup;
mod size;
mod stage;
mod statistics;
mod tables;
mod topics;
mod users;
mod webhook;

use std::{fs::File, process::ExitCode, sync::Arc};

use anyhow::Result;
use clap::{Parser, Subcommand};
use runtime::{Vars, telemetry};
use tracing_subscriber::fmt::writer::BoxMakeWriter;

use crate::{load::Plan, report::Report, stage::Stage};

#[derive(Parser)]
#[command(
    name = "bench",
    about = "Measures Joiner beside what it could be at best, and beside others: everything, or a part",
    args_conflicts_with_subcommands = true
)]
struct Cli {
    #[command(flatten)]
    all: All,
    #[command(subcommand)]
    part: Option<Part>,
}

#[derive(Subcommand)]
enum Part {
    /// How large each function is, and how long it takes from its spawn to its first request for an event
    Cold(cold::Args),
    /// How long each function takes to its first answer, and to ten thousand more
    Functions(Rounds<functions::Args>),
    /// From an event to the brokers' acknowledgement
    Webhook(Plan),
    /// From the topic to the stored user
    Enrichment(Rounds<enrichment::Args>),
    /// One user from the cache and from the store, and a page of users
    Query(Plan),
    /// Whether the stores get slower with the users in them
    Growth(Rounds<growth::Args>),
    /// The pipeline's memory over many records
    Memory(memory::Args),
    /// What Lambda bills for a hire
    Cost {
        /// How often it is measured
        #[arg(long, default_value_t = 3)]
        rounds: usize,
    },
    /// The local cloud with one function, for the benches to load
    #[command(hide = true)]
    Serve(serve::ServeArgs),
    /// The fake Okta
    #[command(hide = true)]
    Okta(serve::OktaArgs),
    /// What reads the enrichment's topic and asks Okta once for each record
    #[command(hide = true)]
    Floor(floor::Args),
}

#[derive(clap::Args)]
struct All {
    #[command(flatten)]
    plan: Plan,
    #[command(flatten)]
    cold: cold::Args,
    #[command(flatten)]
    functions: functions::Args,
    #[command(flatten)]
    enrichment: enrichment::Args,
    #[command(flatten)]
    growth: growth::Args,
    #[command(flatten)]
    memory: memory::Args,
}

/// What is measured as often as that, each taking as long as it takes.
#[derive(clap::Args)]
struct Rounds<A: clap::Args> {
    /// How often each is measured, in turns
    #[arg(long, default_value_t = 3)]
    rounds: usize,
    #[command(flatten)]
    args: A,
}

fn main() -> ExitCode {
    let Cli { all, part } = Cli::parse();
    let mut runtime = match part {
        // As `joiner` is.
        Some(Part::Serve(_) | Part::Okta(_)) => tokio::runtime::Builder::new_multi_thread(),
        // One thread: what is measured has the other core.
        _ => tokio::runtime::Builder::new_current_thread(),
    };
    let runtime = runtime.enable_all().build().expect("the process may have threads and sockets");
    let outcome = runtime.block_on(async {
        // The functions log here as in a process of their own: each line is written, and nobody reads it.
        let nobody = Arc::new(File::options().write(true).open("/dev/null")?);
        telemetry::init(telemetry::Config::from_vars(&Vars::default())?, BoxMakeWriter::new(nobody), None);
        match part {
            Some(part) => run(part).await,
            None => run_all(all).await,
        }
    });
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("bench: {error:#}");
            ExitCode::FAILURE
        }
    }
}

async fn run(part: Part) -> Result<()> {
    let begin = Report::begin;
    let (mut report, section) = match part {
        Part::Serve(args) => return serve::serve(&args).await,
        Part::Okta(args) => return serve::okta(&args).await,
        Part::Floor(args) => return floor::run(&args).await,
        Part::Cold(args) => (begin("cold")?, cold::run(&args).await?),
        Part::Functions(Rounds { rounds, args }) => {
            (begin("functions")?, functions::run(rounds, args, &Stage::start()?).await?)
        }
        Part::Webhook(plan) => (begin("webhook")?, webhook::run(plan, &Stage::with_peers()?).await?),
        Part::Enrichment(Rounds { rounds, args }) => {
            (begin("enrichment")?, enrichment::run(rounds, args, &Stage::with_peers()?).await?)
        }
        Part::Query(plan) => (begin("query")?, query::run(plan, &Stage::with_peers()?).await?),
        Part::Growth(Rounds { rounds, args }) => {
            (begin("growth")?, growth::run(rounds, &args, &Stage::start()?).await?)
        }
        Part::Memory(args) => (begin("memory")?, memory::run(args, &Stage::start()?).await?),
        Part::Cost { rounds } => (begin("cost")?, cost::run(rounds, &Stage::start()?).await?),
    };
    report.add(section)?;
    report.end();
    Ok(())
}

/// Says each section as soon as it is measured, and writes the report anew with it.
async fn run_all(args: All) -> Result<()> {
    let mut report = Report::begin("report")?;
    report.add(cold::run(&args.cold).await?)?;
    let stage = Stage::with_peers()?;
    report.add(functions::run(args.plan.rounds, args.functions, &stage).await?)?;
    report.add(webhook::run(args.plan, &stage).await?)?;
    report.add(enrichment::run(args.plan.rounds, args.enrichment, &stage).await?)?;
    report.add(query::run(args.plan, &stage).await?)?;
    report.add(growth::run(args.plan.rounds, &args.growth, &stage).await?)?;
    report.add(memory::run(args.memory, &stage).await?)?;
    report.add(cost::run(args.plan.rounds, &stage).await?)?;
    report.end();
    Ok(())
}

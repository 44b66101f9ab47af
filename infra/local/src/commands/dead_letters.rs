//! `joiner dead-letters`: a client of the API of dead letters, for people and for scripts.

mod api;
mod audit;
mod discard;
mod dry_run;
mod edit;
mod groups;
mod job;
mod jobs;
mod letter;
mod list;
mod many;
mod problem;
mod progress;
mod redrive;
mod show;
mod time;
mod watch;

use std::{
    io::{self, Write},
    path::Path,
};

use joiner::config;
use runtime::Clock;
use serde_json::Value;

use crate::cli::dead_letters::{DeadLettersArgs, DeadLettersCommand};
use api::Api;

/// What every command needs.
struct Session {
    api: Api,
    json: bool,
    clock: Clock,
}

pub(crate) async fn run(args: DeadLettersArgs, clock: Clock) -> anyhow::Result<()> {
    let vars = config::load(Path::new(".env"))?;
    let session = Session { api: Api::new(args.url.as_deref(), &vars)?, json: args.json, clock };
    match args.command {
        DeadLettersCommand::List(args) => list::run(&session, &args).await,
        DeadLettersCommand::Groups => groups::run(&session).await,
        DeadLettersCommand::Show(args) => show::run(&session, &args).await,
        DeadLettersCommand::Redrive(args) => redrive::run(&session, args).await,
        DeadLettersCommand::Edit(args) => edit::run(&session, &args).await,
        DeadLettersCommand::Discard(args) => discard::run(&session, args).await,
        DeadLettersCommand::Jobs(args) => jobs::run(&session, args).await,
        DeadLettersCommand::Audit(args) => audit::run(&session, &args).await,
        DeadLettersCommand::Watch(args) => watch::run(&session, &args).await,
    }
}

impl Session {
    /// Prints the API's answer, or what `people` makes of it.
    fn print(
        &self,
        answer: &Value,
        people: impl FnOnce(&mut io::StdoutLock<'static>) -> io::Result<()>,
    ) -> anyhow::Result<()> {
        let mut out = io::stdout().lock();
        if self.json {
            writeln!(out, "{answer:#}")?;
        } else {
            people(&mut out)?;
        }
        Ok(out.flush()?)
    }

    /// Prints a line for people.
    fn say(&self, line: &str) -> anyhow::Result<()> {
        if self.json { Ok(()) } else { self.print(&Value::Null, |out| writeln!(out, "{line}")) }
    }
}

fn plural(count: u64, thing: &str) -> String {
    if count == 1 { format!("1 {thing}") } else { format!("{count} {thing}s") }
}

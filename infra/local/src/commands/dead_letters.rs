//! `joiner dead-letters`: a client of the API of dead letters, for people and for scripts.

mod audit;
mod discard;
mod dry_run;
mod edit;
mod groups;
mod job;
mod letter;
mod list;
mod many;
mod redrive;
mod show;
mod watch;

use dlq::Task;
use runtime::Clock;

use super::{
    api, jobs, progress,
    session::{Session, plural},
    time,
};
use crate::cli::dead_letters::{DeadLettersArgs, DeadLettersCommand};

pub(crate) async fn run(args: DeadLettersArgs, clock: Clock) -> anyhow::Result<()> {
    let session = Session::new(args.url.as_deref(), args.json, clock)?;
    match args.command {
        DeadLettersCommand::List(args) => list::run(&session, &args).await,
        DeadLettersCommand::Groups => groups::run(&session).await,
        DeadLettersCommand::Show(args) => show::run(&session, &args).await,
        DeadLettersCommand::Redrive(args) => redrive::run(&session, args).await,
        DeadLettersCommand::Edit(args) => edit::run(&session, &args).await,
        DeadLettersCommand::Discard(args) => discard::run(&session, args).await,
        DeadLettersCommand::Jobs(args) => jobs::run::<Task>(&session, args).await,
        DeadLettersCommand::Audit(args) => audit::run(&session, &args).await,
        DeadLettersCommand::Watch(args) => watch::run(&session, &args).await,
    }
}

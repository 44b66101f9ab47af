//! `joiner facts`: a client of the API of jobs on facts.

use facts::{Action, Subjects, Task};
use runtime::Clock;

use super::{
    jobs::{self, Kind},
    session::Session,
};
use crate::cli::facts::{FactsArgs, FactsCommand};

pub(crate) async fn run(args: FactsArgs, clock: Clock) -> anyhow::Result<()> {
    let session = Session::new(args.url.as_deref(), args.json, clock)?;
    match args.command {
        FactsCommand::Republish(args) => {
            let task =
                Task { action: Action::Republish, subjects: Subjects::User, per_second: args.per_second };
            jobs::start(&session, &task, !args.wait).await
        }
        FactsCommand::Jobs(args) => jobs::run::<Task>(&session, args).await,
    }
}

impl Kind for Task {
    const PATH: &'static str = "fact-jobs";
    const COMMAND: &'static str = "joiner facts jobs";
    const THING: &'static str = "user";

    fn does(&self) -> &'static str {
        let Action::Republish = self.action;
        "republishes"
    }

    fn done(&self) -> &'static str {
        let Action::Republish = self.action;
        "republished"
    }

    fn describe(&self) -> String {
        let (Action::Republish, Subjects::User) = (self.action, self.subjects);
        format!("republish users per_second={}", self.per_second)
    }
}

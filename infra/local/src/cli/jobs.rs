use clap::{Args, Subcommand, value_parser};

#[derive(Args)]
#[command(args_conflicts_with_subcommands = true)]
pub(crate) struct JobsArgs {
    #[command(subcommand)]
    pub(crate) command: Option<JobsCommand>,
    /// Follow this one to its end
    pub(crate) id: Option<String>,
    /// Only show where it stands
    #[arg(long, requires = "id")]
    pub(crate) no_wait: bool,
    #[command(flatten)]
    pub(crate) many: ManyArgs,
}

#[derive(Subcommand)]
pub(crate) enum JobsCommand {
    /// Stop a job, within a second; what it has done stays done
    Stop {
        /// The job's
        id: String,
    },
    /// Let a job go on where it was stopped, within a minute
    Resume {
        /// The job's
        id: String,
    },
}

#[derive(Args)]
pub(crate) struct ManyArgs {
    /// How many at the most
    #[arg(long, value_name = "N", default_value_t = 50, value_parser = value_parser!(u16).range(1..))]
    limit: u16,
    /// All of them
    #[arg(long, conflicts_with = "limit")]
    all: bool,
}

impl ManyArgs {
    pub(crate) fn most(&self) -> usize {
        if self.all { usize::MAX } else { self.limit.into() }
    }
}

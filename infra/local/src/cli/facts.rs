use clap::{Args, Subcommand, value_parser};

use super::jobs::JobsArgs;

#[derive(Args)]
pub(crate) struct FactsArgs {
    #[command(subcommand)]
    pub(crate) command: FactsCommand,
    /// Where Joiner runs; `JOINER_URL` where it isn't given, else <http://127.0.0.1:3000>
    #[arg(long, global = true)]
    pub(crate) url: Option<String>,
    /// Print what the API answers
    #[arg(long, global = true)]
    pub(crate) json: bool,
}

#[derive(Subcommand)]
pub(crate) enum FactsCommand {
    /// Tell everybody's present version once more, for whoever has just begun to read
    Republish(RepublishArgs),
    /// List jobs, or follow, stop or resume one
    Jobs(JobsArgs),
}

#[derive(Args)]
pub(crate) struct RepublishArgs {
    /// The most users a second
    #[arg(
        long,
        value_name = "N",
        default_value_t = facts::default_per_second(),
        value_parser = value_parser!(u32).range(1..=i64::from(facts::MAX_PER_SECOND)),
    )]
    pub(crate) per_second: u32,
    /// Follow it to its end; it begins within a minute
    #[arg(long)]
    pub(crate) wait: bool,
}

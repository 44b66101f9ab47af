use std::path::PathBuf;

use clap::{ArgGroup, Args, Subcommand, value_parser};
use contracts::{EmployeeId, Reason};
use dlq::{Filter, Fingerprint, LetterId, LetterState};
use jiff::{SignedDuration, Span, SpanRelativeTo, Timestamp};

use super::{
    jobs::{JobsArgs, ManyArgs},
    person::employee,
};

#[derive(Args)]
pub(crate) struct DeadLettersArgs {
    #[command(subcommand)]
    pub(crate) command: DeadLettersCommand,
    /// Where Joiner runs; `JOINER_URL` where it isn't given, else <http://127.0.0.1:3000>
    #[arg(long, global = true)]
    pub(crate) url: Option<String>,
    /// Print what the API answers
    #[arg(long, global = true)]
    pub(crate) json: bool,
}

#[derive(Subcommand)]
pub(crate) enum DeadLettersCommand {
    /// List letters, the newest first
    List(ListArgs),
    /// List the groups: letters of one cause
    Groups,
    /// Show a letter and its history
    Show(ShowArgs),
    /// Redrive letters, as they are
    Redrive(RedriveArgs),
    /// Correct a letter's payload and redrive it
    Edit(EditArgs),
    /// Discard letters; for 30 days a redrive takes that back
    Discard(DiscardArgs),
    /// List jobs, or follow, stop or resume one
    Jobs(JobsArgs),
    /// List what was done to letters, and by whom
    Audit(ManyArgs),
    /// Show new letters and what becomes of letters, as it happens
    Watch(WatchArgs),
}

#[derive(Args)]
pub(crate) struct FilterArgs {
    /// parked, scheduled, redriven, resolved, quarantined or discarded
    #[arg(long, value_parser = state)]
    state: Option<LetterState>,
    /// Such as `user_not_found`
    #[arg(long, value_parser = reason)]
    reason: Option<Reason>,
    /// The id of a group
    #[arg(long, value_name = "ID", value_parser = group)]
    group: Option<Fingerprint>,
    /// The id of an employee
    #[arg(long, value_name = "ID", value_parser = employee)]
    employee: Option<EmployeeId>,
    /// Parked longer ago than this, such as 2h or 7d
    #[arg(long, value_name = "DURATION", value_parser = age)]
    older_than: Option<SignedDuration>,
    /// Parked since this long ago, such as 30m
    #[arg(long, value_name = "DURATION", value_parser = age)]
    newer_than: Option<SignedDuration>,
}

#[derive(Args)]
pub(crate) struct ListArgs {
    #[command(flatten)]
    pub(crate) filter: FilterArgs,
    #[command(flatten)]
    pub(crate) many: ManyArgs,
}

#[derive(Args)]
pub(crate) struct ShowArgs {
    #[arg(value_parser = letter)]
    pub(crate) id: LetterId,
    /// Also its payload: personal data
    #[arg(long)]
    pub(crate) payload: bool,
}

/// Letters by their ids, or all that fit a filter.
#[derive(Args)]
#[command(group(
    ArgGroup::new("which")
        .args(["ids", "state", "reason", "group", "employee", "older_than", "newer_than", "all_waiting"])
        .required(true)
        .multiple(true),
))]
pub(crate) struct WhichArgs {
    /// Letters; with a filter instead, all that fit, as a job
    #[arg(
        value_name = "ID",
        value_parser = letter,
        conflicts_with_all = ["FilterArgs", "all_waiting"],
    )]
    pub(crate) ids: Vec<LetterId>,
    #[command(flatten)]
    pub(crate) filter: FilterArgs,
    /// All that wait
    #[arg(long = "all")]
    all_waiting: bool,
    /// Of a job: the most letters a second
    #[arg(
        long,
        value_name = "N",
        default_value_t = dlq::default_per_second(),
        value_parser = value_parser!(u32).range(1..=500),
        conflicts_with = "ids",
    )]
    pub(crate) rate: u32,
    /// Of a job: only start it
    #[arg(long, conflicts_with = "ids")]
    pub(crate) no_wait: bool,
}

#[derive(Args)]
pub(crate) struct RedriveArgs {
    #[command(flatten)]
    pub(crate) which: WhichArgs,
    /// Say what would happen to each, and do nothing
    #[arg(long)]
    pub(crate) dry_run: bool,
}

#[derive(Args)]
pub(crate) struct DiscardArgs {
    #[command(flatten)]
    pub(crate) which: WhichArgs,
    /// Why, for the next person
    #[arg(long, value_name = "REASON")]
    pub(crate) because: String,
    /// Say what would happen to each that fits the filter, and do nothing
    #[arg(long, conflicts_with = "ids")]
    pub(crate) dry_run: bool,
}

#[derive(Args)]
pub(crate) struct EditArgs {
    #[arg(value_parser = letter)]
    pub(crate) id: LetterId,
    /// What HR should have sent: the body of a webhook, as JSON
    pub(crate) file: PathBuf,
    /// Say what would happen, and do nothing
    #[arg(long)]
    pub(crate) dry_run: bool,
}

#[derive(Args)]
pub(crate) struct WatchArgs {
    #[command(flatten)]
    pub(crate) filter: FilterArgs,
}

impl FilterArgs {
    pub(crate) fn filter(&self, now: Timestamp) -> Filter {
        Filter {
            state: self.state,
            reason: self.reason,
            group: self.group.clone(),
            employee_id: self.employee.clone(),
            parked_after: self.newer_than.map(|age| now - age),
            parked_before: self.older_than.map(|age| now - age),
        }
    }
}

fn state(text: &str) -> Result<LetterState, String> {
    LetterState::parse(text).ok_or_else(|| one_of(LetterState::ALL, LetterState::name))
}

fn reason(text: &str) -> Result<Reason, String> {
    Reason::from_code(text).ok_or_else(|| one_of(Reason::ALL, Reason::code))
}

fn one_of<T: Copy>(all: &[T], name: impl Fn(T) -> &'static str) -> String {
    let names: Vec<_> = all.iter().copied().map(name).collect();
    format!("expected one of {}", names.join(", "))
}

fn group(text: &str) -> Result<Fingerprint, String> {
    Fingerprint::parse(text).ok_or_else(|| "expected the 16 hex digits that `groups` shows".to_owned())
}

fn letter(text: &str) -> Result<LetterId, String> {
    LetterId::parse(text).ok_or_else(|| "expected the 32 hex digits that `list` shows".to_owned())
}

fn age(text: &str) -> Result<SignedDuration, String> {
    let span = text.parse::<Span>().ok();
    let age = span.and_then(|span| span.to_duration(SpanRelativeTo::days_are_24_hours()).ok());
    // Longer than a century is a slip, and further back than a timestamp reaches.
    age.filter(|age| (0..=100 * 365 * 24).contains(&age.as_hours()) && !age.is_negative())
        .ok_or_else(|| "expected a duration such as 30m, 2h or 7d".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ages_are_read_as_people_write_them() {
        assert_eq!(age("30m"), Ok(SignedDuration::from_mins(30)));
        assert_eq!(age("2h 30m"), Ok(SignedDuration::from_mins(150)));
        assert_eq!(age("7d"), Ok(SignedDuration::from_hours(7 * 24)));
        for wrong in ["-2h", "2h ago", "soon", "", "9999999h"] {
            assert!(age(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn an_age_is_a_time_before_now() {
        let now: Timestamp = "2026-01-31T18:42:00Z".parse().unwrap();
        let hours = |hours| Some(SignedDuration::from_hours(hours));
        let args = FilterArgs {
            state: None,
            reason: None,
            group: None,
            employee: None,
            older_than: hours(2),
            newer_than: hours(3),
        };
        let filter = args.filter(now);
        assert_eq!(filter.parked_before.unwrap().to_string(), "2026-01-31T16:42:00Z");
        assert_eq!(filter.parked_after.unwrap().to_string(), "2026-01-31T15:42:00Z");
    }
}

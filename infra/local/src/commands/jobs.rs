//! Work on many things, of whichever feature: started here, done by Joiner, followed from here.

mod follow;

use std::io::{self, Write};

use console::Style;
use jiff::Timestamp;
use jobs::{Job, JobState};
use serde::{Serialize, de::DeserializeOwned};
use serde_json::{Value, json};

use super::{
    api::{Call, is_cut},
    progress,
    session::{Session, plural},
    time::age,
};
use crate::{
    cli::jobs::{JobsArgs, JobsCommand, ManyArgs},
    interrupt::interrupted,
    table::{Cell, Column, Columns},
};

/// What differs between the jobs of features. Their task says it.
pub(super) trait Kind: Serialize + DeserializeOwned {
    /// What follows `/v1`.
    const PATH: &'static str;
    /// That lists them.
    const COMMAND: &'static str;
    /// What it is done to.
    const THING: &'static str;

    /// As in "redrives".
    fn does(&self) -> &'static str;

    /// As in "redriven".
    fn done(&self) -> &'static str;

    /// What it does, and to which.
    fn describe(&self) -> String;
}

/// Starts one, and follows it if that is wanted.
pub(super) async fn start<T: Kind>(session: &Session, task: &T, no_wait: bool) -> anyhow::Result<()> {
    // From now on: a Ctrl-C before the answer must not hide that there is a job.
    let stop = interrupted()?;
    let spinner = progress::spinner("starting the job");
    let answer = session.api.call(&Call::post([T::PATH], serde_json::to_value(task)?)).await;
    spinner.finish_and_clear();
    let answer = answer?;
    let job: Job<T> = session.api.read(&answer)?;
    session.say(&format!("Job {} {} {}.", job.id, job.task.does(), things(&job)))?;
    if !no_wait {
        return follow::run(session, job, answer, stop).await;
    }
    end(session, &job, &answer)?;
    if job.state == JobState::Running {
        session.say(&format!("It goes on within a minute. `{} {}` follows it.", T::COMMAND, job.id))?;
    }
    Ok(())
}

/// Lists them, or follows, stops or resumes one.
pub(super) async fn run<T: Kind>(session: &Session, args: JobsArgs) -> anyhow::Result<()> {
    match (args.command, args.id) {
        (Some(JobsCommand::Stop { id }), _) => set::<T>(session, &id, "stop").await,
        (Some(JobsCommand::Resume { id }), _) => set::<T>(session, &id, "resume").await,
        (None, Some(id)) => one::<T>(session, &id, args.no_wait).await,
        (None, None) => all::<T>(session, &args.many).await,
    }
}

async fn set<T: Kind>(session: &Session, id: &str, verb: &str) -> anyhow::Result<()> {
    let answer = session.api.call(&Call::post([T::PATH, id, verb], json!({}))).await?;
    print::<T>(session, &answer, &[session.api.read(&answer)?])
}

async fn one<T: Kind>(session: &Session, id: &str, no_wait: bool) -> anyhow::Result<()> {
    let stop = interrupted()?;
    let answer = session.api.call(&Call::get([T::PATH, id])).await?;
    let job: Job<T> = session.api.read(&answer)?;
    if no_wait || job.state != JobState::Running {
        return print(session, &answer, &[job]);
    }
    follow::run(session, job, answer, stop).await
}

async fn all<T: Kind>(session: &Session, many: &ManyArgs) -> anyhow::Result<()> {
    let answer = session.api.pages(Call::get([T::PATH]), "jobs", many.most(), |_| {}).await?;
    let jobs: Vec<Job<T>> = session.api.read(&answer["jobs"])?;
    if jobs.is_empty() {
        return session.print(&answer, |out| writeln!(out, "No jobs."));
    }
    print(session, &answer, &jobs)
}

/// Where it stands, as the last line.
fn end<T: Kind>(session: &Session, job: &Job<T>, answer: &Value) -> anyhow::Result<()> {
    let (done, skipped, verb) = (job.progress.done, job.progress.skipped, job.task.done());
    let alone = if skipped > 0 { format!(", {skipped} left alone") } else { String::new() };
    let line = match job.state {
        JobState::Done => format!("Done: {done} {verb}{alone}."),
        JobState::Running => format!("Running: {done} of {} {verb}{alone}.", total(job)),
        JobState::Stopped => format!("Stopped: {done} of {} {verb}{alone}.", total(job)),
    };
    session.print(answer, |out| writeln!(out, "{line}"))
}

fn things<T: Kind>(job: &Job<T>) -> String {
    job.total.map_or_else(|| format!("{}s that are being counted", T::THING), |total| plural(total, T::THING))
}

/// How many there are, as far as that is known.
fn total<T>(job: &Job<T>) -> String {
    job.total.map_or_else(|| "?".to_owned(), |total| total.to_string())
}

fn print<T: Kind>(session: &Session, answer: &Value, jobs: &[Job<T>]) -> anyhow::Result<()> {
    session.print(answer, |out| {
        write_table(jobs, session.clock.now(), out)?;
        if is_cut(answer) { writeln!(out, "\nthere are more: --all") } else { Ok(()) }
    })
}

fn write_table<T: Kind>(jobs: &[Job<T>], now: Timestamp, out: &mut impl Write) -> io::Result<()> {
    let columns = Columns::new([
        Column::left("JOB", 0),
        Column::left("STATE", 0),
        Column::right("DONE", 0),
        Column::right("SKIPPED", 0),
        Column::right("OF", 0),
        Column::right("AGE", 0),
        Column::left("BY", 0),
        Column::left("TASK", 0),
    ]);
    let rows: Vec<[Cell; 8]> = jobs.iter().map(|job| row(job, now)).collect();
    columns.write(&rows, out)
}

fn row<T: Kind>(job: &Job<T>, now: Timestamp) -> [Cell; 8] {
    let state = match job.state {
        JobState::Running => Cell::styled("running", Style::new().cyan()),
        JobState::Stopped => Cell::styled("stopped", Style::new().yellow()),
        JobState::Done => Cell::styled("done", Style::new().green()),
    };
    [
        job.id.as_str().into(),
        state,
        job.progress.done.to_string().into(),
        job.progress.skipped.to_string().into(),
        total(job).into(),
        age(job.created_at, now).into(),
        job.by.to_string().into(),
        Cell::dim(job.task.describe()),
    ]
}

use std::io::{self, Write};

use console::Style;
use dlq::{Action, Filter, Job, JobState, Task};
use jiff::Timestamp;
use serde_json::{Value, json};

use super::{
    Session,
    api::Call,
    job,
    letter::is_cut,
    time::{age, exact},
};
use crate::{
    cli::dead_letters::{JobsArgs, JobsCommand, ManyArgs},
    interrupt::interrupted,
    table::{Cell, Column, Columns},
};

pub(super) async fn run(session: &Session, args: JobsArgs) -> anyhow::Result<()> {
    match (args.command, args.id) {
        (Some(JobsCommand::Stop { id }), _) => set(session, &id, "stop").await,
        (Some(JobsCommand::Resume { id }), _) => set(session, &id, "resume").await,
        (None, Some(id)) => one(session, &id, args.no_wait).await,
        (None, None) => all(session, &args.many).await,
    }
}

async fn set(session: &Session, id: &str, verb: &str) -> anyhow::Result<()> {
    let answer = session.api.call(&Call::post(["dead-letter-jobs", id, verb], json!({}))).await?;
    print(session, &answer, &[session.api.read(&answer)?])
}

async fn one(session: &Session, id: &str, no_wait: bool) -> anyhow::Result<()> {
    let stop = interrupted()?;
    let answer = session.api.call(&Call::get(["dead-letter-jobs", id])).await?;
    let job: Job = session.api.read(&answer)?;
    if no_wait || job.state != JobState::Running {
        return print(session, &answer, &[job]);
    }
    job::follow(session, job, answer, stop).await
}

async fn all(session: &Session, many: &ManyArgs) -> anyhow::Result<()> {
    let answer = session.api.pages(Call::get(["dead-letter-jobs"]), "jobs", many.most(), |_| {}).await?;
    let jobs: Vec<Job> = session.api.read(&answer["jobs"])?;
    if jobs.is_empty() {
        return session.print(&answer, |out| writeln!(out, "No jobs."));
    }
    print(session, &answer, &jobs)
}

fn print(session: &Session, answer: &Value, jobs: &[Job]) -> anyhow::Result<()> {
    session.print(answer, |out| {
        write_table(jobs, session.clock.now(), out)?;
        if is_cut(answer) { writeln!(out, "\nthere are more: --all") } else { Ok(()) }
    })
}

fn write_table(jobs: &[Job], now: Timestamp, out: &mut impl Write) -> io::Result<()> {
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

fn row(job: &Job, now: Timestamp) -> [Cell; 8] {
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
        job::total(job).into(),
        age(job.created_at, now).into(),
        job.by.to_string().into(),
        Cell::dim(describe(&job.task)),
    ]
}

/// What it does, and to which letters.
pub(super) fn describe(task: &Task) -> String {
    let (verb, because) = match &task.action {
        Action::Redrive => ("redrive", String::new()),
        Action::Discard { because } => ("discard", format!(": {because}")),
    };
    format!("{verb} {}{because}", fields(&task.filter))
}

fn fields(filter: &Filter) -> String {
    let field = |name, value: Option<String>| Some(format!("{name}={}", value?));
    let fields = [
        field("state", filter.state.map(|state| state.name().to_owned())),
        field("reason", filter.reason.map(|reason| reason.to_string())),
        field("group", filter.group.as_ref().map(|group| group.as_str().to_owned())),
        field("employee", filter.employee_id.as_ref().map(ToString::to_string)),
        field("parked_after", filter.parked_after.map(exact)),
        field("parked_before", filter.parked_before.map(exact)),
    ];
    fields.into_iter().flatten().collect::<Vec<_>>().join(" ")
}

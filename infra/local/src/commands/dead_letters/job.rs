//! Work on many letters: started here, done by Joiner, followed from here.

use std::{io::Write, pin::pin, time::Duration};

use anyhow::bail;
use dlq::{Action, Job, JobState, Task};
use serde_json::Value;
use tokio::time::sleep;

use super::{Session, api::Call, plural, progress};
use crate::interrupt::interrupted;

/// Between two looks at a job.
const PAUSE: Duration = Duration::from_secs(1);

/// Looks in a row without an answer, after which it is not waited for any longer.
const PATIENCE: u32 = 30;

pub(super) async fn run(session: &Session, task: &Task, no_wait: bool) -> anyhow::Result<()> {
    // From now on: a Ctrl-C before the answer must not hide that there is a job.
    let stop = interrupted()?;
    let spinner = progress::spinner("starting the job");
    let answer = session.api.call(&Call::post(["dead-letter-jobs"], serde_json::to_value(task)?)).await;
    spinner.finish_and_clear();
    let answer = answer?;
    let job: Job = session.api.read(&answer)?;
    let verb = match job.task.action {
        Action::Redrive => "redrives",
        Action::Discard { .. } => "discards",
    };
    session.say(&format!("Job {} {verb} {}.", job.id, letters(&job)))?;
    if no_wait { end(session, &job, &answer) } else { follow(session, job, answer, stop).await }
}

/// Until it has ended, or Ctrl-C.
pub(super) async fn follow(
    session: &Session,
    mut job: Job,
    mut answer: Value,
    stop: impl Future<Output = ()>,
) -> anyhow::Result<()> {
    let mut stop = pin!(stop);
    let bar = progress::bar(job.total);
    let mut silent = 0;
    while job.state == JobState::Running {
        bar.set_position(job.progress.done + job.progress.skipped);
        if let Some(total) = job.total {
            bar.set_length(total);
        }
        let id = job.id.clone();
        let look = async {
            sleep(PAUSE).await;
            session.api.call(&Call::get(["dead-letter-jobs", &id])).await
        };
        let looked = tokio::select! {
            looked = look => looked,
            () = &mut stop => {
                bar.finish_and_clear();
                bail!(
                    "job {id} goes on: `joiner dead-letters jobs {id}` follows it, \
                     `joiner dead-letters jobs stop {id}` stops it"
                )
            }
        };
        match looked {
            Err(error) if error.passes() && silent < PATIENCE => {
                silent += 1;
                bar.set_message("no answer");
            }
            looked => {
                answer = looked?;
                job = session.api.read(&answer)?;
                silent = 0;
                bar.set_message("");
            }
        }
    }
    bar.finish_and_clear();
    end(session, &job, &answer)?;
    if job.state == JobState::Stopped {
        bail!("job {0} was stopped: `joiner dead-letters jobs resume {0}` lets it go on", job.id);
    }
    Ok(())
}

fn letters(job: &Job) -> String {
    job.total.map_or_else(|| "letters that are being counted".to_owned(), |total| plural(total, "letter"))
}

/// How many letters there are, as far as that is known.
pub(super) fn total(job: &Job) -> String {
    job.total.map_or_else(|| "?".to_owned(), |total| total.to_string())
}

/// Where it stands, as the last line.
fn end(session: &Session, job: &Job, answer: &Value) -> anyhow::Result<()> {
    let (done, skipped) = (job.progress.done, job.progress.skipped);
    let verb = match job.task.action {
        Action::Redrive => "redriven",
        Action::Discard { .. } => "discarded",
    };
    let alone = if skipped > 0 { format!(", {skipped} left alone") } else { String::new() };
    let line = match job.state {
        JobState::Done => format!("Done: {done} {verb}{alone}."),
        JobState::Running => format!("Running: {done} of {} {verb}{alone}.", total(job)),
        JobState::Stopped => format!("Stopped: {done} of {} {verb}{alone}.", total(job)),
    };
    session.print(answer, |out| writeln!(out, "{line}"))
}

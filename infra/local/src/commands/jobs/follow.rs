use std::{pin::pin, time::Duration};

use anyhow::bail;
use jobs::{Job, JobState};
use serde_json::Value;
use tokio::time::sleep;

use super::{Kind, end};
use crate::commands::{api::Call, progress, session::Session};

/// Between two looks at a job.
const PAUSE: Duration = Duration::from_secs(1);

/// Looks in a row without an answer, after which it is not waited for any longer.
const PATIENCE: u32 = 30;

/// Until it has ended, or Ctrl-C.
pub(super) async fn run<T: Kind>(
    session: &Session,
    mut job: Job<T>,
    mut answer: Value,
    stop: impl Future<Output = ()>,
) -> anyhow::Result<()> {
    let mut stop = pin!(stop);
    let bar = progress::bar(job.total, T::THING);
    let mut silent = 0;
    while job.state == JobState::Running {
        bar.set_position(job.progress.done + job.progress.skipped);
        if let Some(total) = job.total {
            bar.set_length(total);
        }
        let id = job.id.clone();
        let look = async {
            sleep(PAUSE).await;
            session.api.call(&Call::get([T::PATH, &id])).await
        };
        let looked = tokio::select! {
            looked = look => looked,
            () = &mut stop => {
                bar.finish_and_clear();
                bail!("job {id} goes on: `{0} {id}` follows it, `{0} stop {id}` stops it", T::COMMAND)
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
        bail!("job {0} was stopped: `{1} resume {0}` lets it go on", job.id, T::COMMAND);
    }
    Ok(())
}

use dlq::{Action, Task};
use serde_json::json;

use super::{Session, dry_run, jobs, many};
use crate::cli::dead_letters::RedriveArgs;

pub(super) async fn run(session: &Session, args: RedriveArgs) -> anyhow::Result<()> {
    let RedriveArgs { which, dry_run } = args;
    let filter = which.filter.filter(session.clock.now());
    let task = Task { action: Action::Redrive, filter, per_second: which.rate };
    match (&which.ids[..], dry_run) {
        ([], true) => dry_run::job(session, &task).await,
        ([], false) => jobs::start(session, &task, which.no_wait).await,
        (ids, true) => dry_run::each(session, ids).await,
        (ids, false) => many::each(session, ids, "redrive", &json!({})).await,
    }
}

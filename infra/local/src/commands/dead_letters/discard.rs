use dlq::{Action, Task};
use serde_json::json;

use super::{Session, dry_run, jobs, many};
use crate::cli::dead_letters::DiscardArgs;

pub(super) async fn run(session: &Session, args: DiscardArgs) -> anyhow::Result<()> {
    let DiscardArgs { which, because, dry_run } = args;
    if !which.ids.is_empty() {
        return many::each(session, &which.ids, "discard", &json!({ "because": because })).await;
    }
    let filter = which.filter.filter(session.clock.now());
    let task = Task { action: Action::Discard { because }, filter, per_second: which.rate };
    if dry_run {
        dry_run::job(session, &task).await
    } else {
        jobs::start(session, &task, which.no_wait).await
    }
}

use std::fs;

use anyhow::Context;
use serde_json::Value;

use super::{Session, api::Call, dry_run, many};
use crate::cli::dead_letters::EditArgs;

pub(super) async fn run(session: &Session, args: &EditArgs) -> anyhow::Result<()> {
    let shown = args.file.display();
    let text = fs::read(&args.file).with_context(|| format!("{shown} can't be read"))?;
    let body: Value = serde_json::from_slice(&text).with_context(|| format!("{shown} is not JSON"))?;
    let call = Call::post(["dead-letters", args.id.as_str(), "edit"], body).dry_run(args.dry_run);
    let answer = session.api.call(&call).await.with_context(|| shown.to_string())?;
    if args.dry_run { dry_run::show(session, &[answer]) } else { many::show(session, &[answer]) }
}

//! One machine with every function on it, as a process of its own, so that it can be killed.

use std::{path::Path, sync::atomic::AtomicI64};

use jiff::SignedDuration;
use joiner::{Cloud, Options, Reading, template::Template};
use okta::fake::Directory;
use runtime::{Clock, Vars, telemetry};
use tokio::io::AsyncReadExt;
use tracing_subscriber::fmt::writer::BoxMakeWriter;

/// In a batch: those that live for seconds only should finish some, and be killed in the middle of others.
const MAX_RECORDS: usize = 50;

/// Runs until whoever started it ends it, or ends itself. Prints where it listens.
pub(crate) async fn run(ahead: SignedDuration, vars: Vars) -> anyhow::Result<()> {
    telemetry::init(telemetry::Config::from_vars(&vars)?, BoxMakeWriter::new(std::io::stderr), None);
    let ahead = i64::try_from(ahead.as_millis()).unwrap_or_default();
    let clock = Clock::ahead(Box::leak(Box::new(AtomicI64::new(ahead))));
    let mut template = Template::read(Path::new("template.yaml"))?;
    for trigger in template.functions.iter_mut().flat_map(|function| &mut function.triggers) {
        trigger.batch_size = trigger.batch_size.min(MAX_RECORDS);
    }
    let cloud = Cloud::start(Options {
        template,
        vars,
        port: 0,
        data_dir: None,
        directory: Directory::empty(clock),
        clock,
        reading: Reading::Shared,
    });
    let cloud = cloud.await?;
    println!("{}", cloud.url());
    // The pipe ends with the process that holds its other end.
    let mut nothing = Vec::new();
    tokio::io::stdin().read_to_end(&mut nothing).await?;
    Ok(())
}

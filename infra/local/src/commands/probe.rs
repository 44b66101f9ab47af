//! `joiner probe`: an event of a test employee, all the way.

use std::{
    io::{self, Write},
    path::Path,
    time::Duration,
};

use anyhow::Context;
use joiner::config;
use probe::{Probe, Settings};
use runtime::Clock;
use secrets::Secret;
use serde_json::json;

use super::target;
use crate::cli::ProbeArgs;

pub(crate) async fn run(args: ProbeArgs, clock: Clock) -> anyhow::Result<()> {
    let ProbeArgs { email, employee, url, within, json } = args;
    let vars = config::load(Path::new(".env"))?;
    let key = target::key(&vars, &["API_KEY"]).map(Secret::from);
    let settings =
        Settings { base: target::url(url.as_deref(), &vars)?, key, employee_id: employee, email, within };
    let probe = Probe::new(settings, clock).context("--url or JOINER_URL can't be probed")?;

    let accepted = probe.send().await?;
    let (id, accepted_ms) = (accepted.correlation_id.as_str(), accepted.accepted_ms);
    if !json {
        say(&format!("accepted in {accepted_ms} ms, as request {id}"))?;
    }
    let complete_ms = probe.follow(&accepted).await?;
    if json {
        let result = json!({"correlation_id": id, "accepted_ms": accepted_ms, "complete_ms": complete_ms});
        say(&format!("{result:#}"))
    } else {
        say(&format!("complete in {:.1} s", Duration::from_millis(complete_ms).as_secs_f64()))
    }
}

fn say(text: &str) -> anyhow::Result<()> {
    let mut out = io::stdout().lock();
    writeln!(out, "{text}")?;
    Ok(out.flush()?)
}

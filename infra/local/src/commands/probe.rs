//! `joiner probe`: an event of a test employee, all the way.

use std::{
    io::{self, Write},
    path::Path,
    time::Duration,
};

use anyhow::Context;
use joiner::config;
use probe::{Probe, Settings};
use runtime::{Clock, telemetry};
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

    if json {
        return for_a_script(&probe).await;
    }
    let accepted = probe.send().await?;
    let (id, accepted_ms) = (&accepted.correlation_id, accepted.accepted_ms);
    say(&format!("accepted in {accepted_ms} ms, as request {id}"))?;
    let complete_ms = probe.follow(&accepted).await?;
    say(&format!("complete in {:.1} s", Duration::from_millis(complete_ms).as_secs_f64()))
}

/// One document, which says how far it came where it fails.
async fn for_a_script(probe: &Probe) -> anyhow::Result<()> {
    let mut result = json!({});
    let outcome: Result<(), probe::Error> = async {
        let accepted = probe.send().await?;
        result["correlation_id"] = json!(accepted.correlation_id);
        result["accepted_ms"] = json!(accepted.accepted_ms);
        result["complete_ms"] = json!(probe.follow(&accepted).await?);
        Ok(())
    }
    .await;
    if let Err(error) = &outcome {
        result["error"] = json!(telemetry::chain(error));
    }
    say(&format!("{result:#}"))?;
    Ok(outcome?)
}

fn say(text: &str) -> anyhow::Result<()> {
    let mut out = io::stdout().lock();
    writeln!(out, "{text}")?;
    Ok(out.flush()?)
}

//! A run: start everything, deliver under faults, let it settle, read what is left, judge.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    sync::atomic::Ordering::SeqCst,
    time::{Duration, Instant},
};

use tokio::{sync::watch, task::spawn_blocking, time::sleep};

use crate::{
    api::Api,
    check::{Verdict, check},
    cli::RunArgs,
    evidence::{Content, Evidence, Write},
    plan::Plan,
    stage::{self, Stage},
    topics,
};

/// How long after its time a cached profile may still be read.
const GRACE: Duration = Duration::from_secs(3);

const TELLING: Duration = Duration::from_secs(15);

/// What a run has shown.
pub(crate) struct Outcome {
    pub(crate) verdict: Verdict,
    pub(crate) faults: Vec<(&'static str, usize)>,
    pub(crate) accepted: usize,
    pub(crate) stale_users: usize,
}

/// The same chaos for the same seed, as far as a machine that does many things at once repeats itself.
pub(crate) async fn run(args: &RunArgs, seed: u64, program: PathBuf, logs: &Path) -> anyhow::Result<Outcome> {
    let began = Instant::now();
    let say = |what: &str| eprintln!("{:>6.1} s  {what}", began.elapsed().as_secs_f64());
    let plan = Plan::new(seed, args.employees, args.events);
    let stage = Stage::start(&plan.people, args.bug, seed, program, logs).await?;
    say(&format!("everything is up; the workers' logs: {}", logs.display()));

    deliver(&stage, &plan, args.length(), seed, &say).await?;
    say("the faults have ended");
    stage.fleet.all_up().await?;
    stage.fleet.set_troubled(false);
    stage.backlog.settle(&stage.tables, &say).await?;
    say("settled");

    let Stage { fleet, tables, topic, events, servers, hr, tally, .. } = stage;
    let (posts, poison) = hr.into_log();
    let (log, told) = spawn_blocking(move || {
        anyhow::Ok((topics::log(&servers, &topic)?, topics::told(&servers, &events)?))
    })
    .await??;
    let (writes, entries) = (tables.writes(), tables.entries().await?);
    let api = Api::new(fleet.clone());
    let (users, stale_users) = api.users(&newest(&writes), stage::CACHE_TTL + GRACE).await?;
    let ids = log.iter().filter_map(|logged| match &logged.content {
        Content::Accepted(accepted) => Some(accepted.correlation_id.clone()),
        Content::Poison { .. } | Content::Unknown => None,
    });
    let requests = api.requests(ids).await?;
    let letters = api.letters().await?;
    fleet.report_crashes()?;
    say("read what is left");
    let accepted = posts.values().filter(|post| post.accepted).count();
    let strangers = plan.strangers;
    let evidence =
        Evidence { posts, log, poison, strangers, writes, entries, users, requests, letters, told };
    Ok(Outcome { verdict: check(&evidence), faults: tally.rows(), accepted, stale_users })
}

/// The last version of everybody.
fn newest(writes: &[Write]) -> BTreeMap<String, u64> {
    let mut newest = BTreeMap::new();
    for write in writes {
        let version = newest.entry(write.employee.clone()).or_insert(write.version);
        *version = write.version.max(*version);
    }
    newest
}

/// Until everything is accepted, every kind of fault has come, and most of it was processed under faults.
async fn deliver(
    stage: &Stage,
    plan: &Plan,
    length: Duration,
    seed: u64,
    say: &impl Fn(&str),
) -> anyhow::Result<()> {
    let Stage { hr, faults, backlog, .. } = stage;
    let (stop, stopped) = watch::channel(false);
    let all = plan.deliveries.len();
    let delivering = async {
        let began = Instant::now();
        hr.deliver(&plan.deliveries, length).await?;
        say("everything was delivered");
        // Not for ever: under faults, a slow machine may never get there.
        let deadline = Instant::now() + began.elapsed();
        loop {
            // The broker may be away.
            let waiting = backlog.records().await.ok().and_then(|waiting| usize::try_from(waiting).ok());
            let is_small = waiting.is_some_and(|waiting| waiting < all / 20);
            if faults.decks.load(SeqCst) > 0 && (is_small || Instant::now() > deadline) {
                break;
            }
            sleep(Duration::from_millis(500)).await;
        }
        stop.send_replace(true);
        anyhow::Ok(())
    };
    let telling = async {
        loop {
            sleep(TELLING).await;
            let (done, waiting) = (hr.done.load(SeqCst), backlog.records().await);
            let waiting =
                waiting.map_or_else(|_| "an unknown number".to_owned(), |waiting| waiting.to_string());
            say(&format!("{done} of {all} delivered, {waiting} of them to process"));
        }
    };
    tokio::select! {
        ended = async { tokio::try_join!(delivering, faults.inject(seed, stopped)) } => ended.map(drop),
        () = telling => Ok(()),
    }
}

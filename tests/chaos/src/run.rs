//! A run: start everything, deliver under faults, let it settle, read what is left, judge.

use std::{
    path::{Path, PathBuf},
    sync::atomic::Ordering::SeqCst,
    time::{Duration, Instant},
};

use tokio::{sync::watch, time::sleep};

use crate::{
    check::{Verdict, check},
    cli::RunArgs,
    plan::Plan,
    stage::Stage,
};

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
    let (evidence, stale_users) = stage.read_at_rest(&plan.strangers, &say).await?;
    stage.fleet.report_crashes()?;
    say("read what is left");
    let accepted = evidence.posts.values().filter(|post| post.accepted).count();
    Ok(Outcome { verdict: check(&evidence), faults: stage.tally.rows(), accepted, stale_users })
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

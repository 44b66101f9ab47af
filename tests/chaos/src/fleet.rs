//! The workers, as processes that are killed and started again.

use std::{
    fs::File,
    path::PathBuf,
    process::Stdio,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst},
    },
    time::Duration,
};

use anyhow::{Context, bail};
use fastrand::Rng;
use runtime::Vars;
use tokio::{
    io::{AsyncBufReadExt, BufReader},
    process::{Child, Command},
    sync::Notify,
    time::{Instant, sleep},
};

use crate::tally::Tally;

/// Clocks are wrong by so much at most, in either direction.
const WRONG_MILLIS: i64 = 240_000;

/// How long a start may take on a busy machine.
const START_LIMIT: Duration = Duration::from_mins(2);

#[derive(Clone)]
pub(crate) struct Fleet(Arc<Shared>);

struct Shared {
    workers: Vec<Worker>,
    /// This one.
    program: PathBuf,
    vars: Vars,
    logs: PathBuf,
    tally: Tally,
    next: AtomicUsize,
    crashes: Mutex<Vec<String>>,
    /// Whether a start may fail: it does without the broker.
    troubled: AtomicBool,
}

#[derive(Default)]
struct Worker {
    /// Where it listens, while it does.
    url: Mutex<Option<String>>,
    kill: Notify,
}

impl Fleet {
    pub(crate) fn start(
        count: usize,
        program: PathBuf,
        vars: Vars,
        logs: PathBuf,
        seed: u64,
        tally: Tally,
    ) -> Self {
        let workers = (0..count).map(|_| Worker::default()).collect();
        let shared = Shared {
            workers,
            program,
            vars,
            logs,
            tally,
            next: AtomicUsize::new(0),
            crashes: Mutex::default(),
            troubled: AtomicBool::new(false),
        };
        let fleet = Self(Arc::new(shared));
        let mut random = Rng::with_seed(seed);
        for number in 0..count {
            let (fleet, random) = (fleet.clone(), random.fork());
            tokio::spawn(async move { fleet.keep(number, random).await });
        }
        fleet
    }

    /// Waits until all of them listen.
    pub(crate) async fn all_up(&self) -> anyhow::Result<()> {
        let deadline = Instant::now() + START_LIMIT;
        while self.0.workers.iter().any(|worker| worker.url().is_none()) {
            self.report_crashes()?;
            if Instant::now() > deadline {
                bail!("the workers did not start within {START_LIMIT:?}: see {}", self.0.logs.display());
            }
            sleep(Duration::from_millis(50)).await;
        }
        Ok(())
    }

    /// The next of those that listen. `None`: nobody does.
    pub(crate) fn url(&self) -> Option<String> {
        let count = self.0.workers.len();
        let first = self.0.next.fetch_add(1, SeqCst);
        (0..count).find_map(|offset| self.0.workers[(first + offset) % count].url())
    }

    /// Ends one with SIGKILL, whatever it is doing.
    pub(crate) fn kill(&self, number: usize) {
        self.0.workers[number % self.0.workers.len()].kill.notify_one();
    }

    pub(crate) fn set_troubled(&self, troubled: bool) {
        self.0.troubled.store(troubled, SeqCst);
    }

    /// Nobody but us ends a worker.
    pub(crate) fn report_crashes(&self) -> anyhow::Result<()> {
        let crashes = self.0.crashes.lock().expect("no holder of this lock panics");
        if crashes.is_empty() {
            Ok(())
        } else {
            bail!("{}: see {}", crashes.join(", "), self.0.logs.display())
        }
    }

    async fn keep(&self, number: usize, mut random: Rng) {
        loop {
            if let Err(error) = self.live(number, &mut random).await {
                self.0.crashes.lock().expect("no holder of this lock panics").push(format!("{error:#}"));
            }
            *self.0.workers[number].url.lock().expect("no holder of this lock panics") = None;
            sleep(Duration::from_millis(random.u64(100..2000))).await;
        }
    }

    /// One life, to its violent end.
    async fn live(&self, number: usize, random: &mut Rng) -> anyhow::Result<()> {
        let worker = &self.0.workers[number];
        let (mut child, first_line) = self.spawn(number, random.i64(-WRONG_MILLIS..=WRONG_MILLIS))?;
        // Its end tells the worker that we are gone, and waiting for a child would close it.
        let _we_are_here = child.stdin.take();
        let url = tokio::select! {
            line = first_line => line,
            () = worker.kill.notified() => None,
        };
        let Some(url) = url else {
            child.kill().await?;
            if !self.0.troubled.load(SeqCst) {
                bail!("worker {number} did not start");
            }
            self.0.tally.count("functions: killed or failed while they started");
            return Ok(());
        };
        *worker.url.lock().expect("no holder of this lock panics") = Some(url);
        tokio::select! {
            status = child.wait() => bail!("worker {number} ended by itself with {}", status?),
            () = worker.kill.notified() => {}
        }
        child.kill().await?;
        self.0.tally.count("functions: killed");
        Ok(())
    }

    fn spawn(
        &self,
        number: usize,
        ahead: i64,
    ) -> anyhow::Result<(Child, impl Future<Output = Option<String>> + use<>)> {
        let log = File::options()
            .create(true)
            .append(true)
            .open(self.0.logs.join(format!("worker-{number}.log")))?;
        let mut child = Command::new(&self.0.program)
            .args(["worker", &format!("--ahead-millis={ahead}")])
            .envs(self.0.vars.iter())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(log)
            .kill_on_drop(true)
            .spawn()?;
        self.0.tally.count("clocks: wrong by up to four minutes");
        let stdout = child.stdout.take().context("its output is piped")?;
        let line = async move { BufReader::new(stdout).lines().next_line().await.ok().flatten() };
        Ok((child, line))
    }
}

impl Worker {
    fn url(&self) -> Option<String> {
        self.url.lock().expect("no holder of this lock panics").clone()
    }
}

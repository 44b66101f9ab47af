//! What is measured, on which machine, and beside which versions of what.

use std::{env, fs, process::Command, thread::available_parallelism};

use anyhow::Result;
use jiff::Timestamp;
use runtime::{Clock, Vars};
use serde::Serialize;

use crate::stage::root;

#[derive(Serialize)]
pub(crate) struct Setup {
    when: Timestamp,
    machine: String,
    /// The command line after the program's name.
    pub(super) arguments: String,
    /// Joiner's commit, and the versions of others. What doesn't say its version is left out.
    of: Vec<String>,
}

impl Setup {
    pub(crate) fn find() -> Result<Self> {
        let vars = Vars::from_process();
        let python = vars.get("PYTHON").unwrap_or("python3");
        let redis = says("redis-server", &["--version"]).or_else(|| says("valkey-server", &["--version"]));
        let of = [
            commit(),
            cfg!(debug_assertions).then(|| "a debug build, whose figures say nothing".to_owned()),
            says("rustc", &["--version"]),
            kafka(),
            redis.and_then(|redis| Some(redis.split(" sha=").next()?.to_owned())),
            says(python, &["--version"]),
        ];
        Ok(Self {
            when: Clock::system().now(),
            machine: machine(available_parallelism()?.get()),
            arguments: env::args().skip(1).collect::<Vec<_>>().join(" "),
            of: of.into_iter().flatten().collect(),
        })
    }

    pub(super) fn text(&self) -> String {
        let Self { when, machine, of, .. } = self;
        format!("{when:.0}, {machine}; {}", of.join("; "))
    }
}

/// What is checked out: `make bench` has just built it.
fn commit() -> Option<String> {
    let commit = says("git", &["rev-parse", "--short=12", "HEAD"])?;
    let is_clean = says("git", &["status", "--porcelain"])?.is_empty();
    Some(format!("Joiner {commit}{}", if is_clean { "" } else { " and what is not committed" }))
}

/// The one that `tests/real/install.sh` installs: the first that its list names.
fn kafka() -> Option<String> {
    let list = fs::read_to_string(root().join("tests/real/kafka.pom.xml")).ok()?;
    let (_, dependencies) = list.split_once("<dependency>")?;
    let (_, version) = dependencies.split_once("<version>")?;
    Some(format!("Kafka {}", version.split_once('<')?.0))
}

fn says(program: &str, arguments: &[&str]) -> Option<String> {
    let output = Command::new(program).args(arguments).current_dir(root()).output().ok()?;
    output.status.success().then(|| String::from_utf8_lossy(&output.stdout).trim().to_owned())
}

/// The processor's name and how many cores it has here.
fn machine(cores: usize) -> String {
    let info = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let name = info.lines().find_map(|line| line.strip_prefix("model name")?.split_once(": "));
    let name = name.map_or("an unknown processor", |(_, name)| name);
    format!("{cores} cores of {name}")
}

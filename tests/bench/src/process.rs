use std::{
    fs,
    process::{Child, Command},
    time::{Duration, Instant},
};

use anyhow::{Context, Result, bail};
use rustix::{
    param::clock_ticks_per_second,
    time::{ClockId, clock_gettime},
};

use crate::statistics::float;

/// A running program. Dropped, it is gone.
#[derive(Debug)]
pub(crate) struct Process {
    pub(crate) child: Child,
    pub(crate) began: Instant,
}

/// What a process has used.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Usage {
    /// In memory now, in bytes.
    pub(crate) resident: u64,
    /// On a CPU so far, by all of its threads that are left.
    pub(crate) cpu: Duration,
}

impl Process {
    pub(crate) fn start(mut command: Command) -> Result<Self> {
        let began = Instant::now();
        let started = command.spawn();
        let child = started.with_context(|| format!("{} can't be run", command.get_program().display()))?;
        Ok(Self { child, began })
    }

    /// An error once it has ended.
    pub(crate) fn check_running(&mut self) -> Result<()> {
        match self.child.try_wait()? {
            None => Ok(()),
            Some(status) => bail!("it ended with {status}"),
        }
    }

    pub(crate) fn usage(&self) -> Result<Usage> {
        let proc = format!("/proc/{}", self.child.id());
        let status = fs::read_to_string(format!("{proc}/status"))?;
        let resident = resident(&status).context("the kernel does not say how much memory a process has")?;
        let mut cpu = Duration::ZERO;
        for task in fs::read_dir(format!("{proc}/task"))? {
            // A thread may end meanwhile.
            let Ok(stat) = fs::read_to_string(task?.path().join("schedstat")) else { continue };
            cpu += on_cpu(&stat).context("the kernel does not say how long a thread has run")?;
        }
        Ok(Usage { resident, cpu })
    }
}

/// What this process has used of the CPUs so far.
pub(crate) fn own_cpu() -> Duration {
    let used = clock_gettime(ClockId::ProcessCPUTime);
    let (seconds, nanos) = (used.tv_sec.unsigned_abs(), used.tv_nsec.unsigned_abs());
    Duration::from_secs(seconds) + Duration::from_nanos(nanos)
}

/// What it has used of the CPUs so far, with its threads that have ended: in ticks of a hundredth of a second, mostly.
pub(crate) fn cpu_of(process: &Process) -> Result<Duration> {
    let stat = fs::read_to_string(format!("/proc/{}/stat", process.child.id()))?;
    let ticks = user_and_system(&stat).context("the kernel does not say how long a process has run")?;
    Ok(Duration::from_secs(ticks).div_f64(float(clock_ticks_per_second())))
}

impl Drop for Process {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

/// `VmRSS` of `/proc/<pid>/status`, which is in KiB.
fn resident(status: &str) -> Option<u64> {
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    Some(line.trim().strip_suffix(" kB")?.parse::<u64>().ok()? * 1024)
}

/// In ticks: of `/proc/<pid>/stat`, the 14th and the 15th field. The second may contain spaces and ends with the last parenthesis.
fn user_and_system(stat: &str) -> Option<u64> {
    let mut fields = stat.rsplit_once(')')?.1.split_whitespace().skip(11);
    Some(fields.next()?.parse::<u64>().ok()? + fields.next()?.parse::<u64>().ok()?)
}

/// The first number of a `schedstat`: nanoseconds on a CPU.
fn on_cpu(schedstat: &str) -> Option<Duration> {
    schedstat.split_whitespace().next()?.parse().ok().map(Duration::from_nanos)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_kernels_kibibytes_nanoseconds_and_ticks_are_read() {
        let status = "Name:\tbootstrap\nVmHWM:\t   20000 kB\nVmRSS:\t   10240 kB\nThreads:\t3\n";
        assert_eq!(resident(status), Some(10 << 20));
        assert_eq!(resident("Name:\tbootstrap\n"), None, "a zombie has no memory");
        assert_eq!(on_cpu("1500000 42 7\n"), Some(Duration::from_micros(1500)));
        assert_eq!(on_cpu(""), None);
        let stat = "42 (a (b) c) S 1 2 3 4 5 6 7 8 9 10 150 25 0 0";
        assert_eq!(user_and_system(stat), Some(175));
    }
}

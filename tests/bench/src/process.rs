use std::{
    fs,
    net::SocketAddr,
    path::Path,
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use anyhow::{Context, Result, bail};
use runtime::Vars;

/// A function's process. Dropped, it is gone.
pub(crate) struct Process {
    child: Child,
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
    /// With these variables, Lambda's, and nothing else. What it says of a start that fails goes to our stderr.
    pub(crate) fn start(bootstrap: &Path, vars: &Vars, runtime_api: SocketAddr) -> Result<Self> {
        let mut command = Command::new(bootstrap);
        command
            .env_clear()
            .envs(vars.iter())
            .env("AWS_LAMBDA_RUNTIME_API", runtime_api.to_string())
            .env("AWS_LAMBDA_FUNCTION_NAME", "bench")
            .env("AWS_LAMBDA_FUNCTION_VERSION", "$LATEST")
            .env("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "512")
            .env("AWS_LAMBDA_LOG_GROUP_NAME", "bench")
            .env("AWS_LAMBDA_LOG_STREAM_NAME", "bench")
            .stdin(Stdio::null())
            .stdout(Stdio::null());
        let began = Instant::now();
        let child = command.spawn().with_context(|| format!("{} can't be run", bootstrap.display()))?;
        Ok(Self { child, began })
    }

    /// An error once it has ended.
    pub(crate) fn is_running(&mut self) -> Result<()> {
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

/// The first number of a `schedstat`: nanoseconds on a CPU.
fn on_cpu(schedstat: &str) -> Option<Duration> {
    schedstat.split_whitespace().next()?.parse().ok().map(Duration::from_nanos)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_kernels_kibibytes_and_nanoseconds_are_read() {
        let status = "Name:\tbootstrap\nVmHWM:\t   20000 kB\nVmRSS:\t   10240 kB\nThreads:\t3\n";
        assert_eq!(resident(status), Some(10 << 20));
        assert_eq!(resident("Name:\tbootstrap\n"), None, "a zombie has no memory");
        assert_eq!(on_cpu("1500000 42 7\n"), Some(Duration::from_micros(1500)));
        assert_eq!(on_cpu(""), None);
    }
}

use std::{
    ffi::OsStr,
    fs::{self, File},
    io,
    os::unix::process::CommandExt,
    path::PathBuf,
    process::{Child, Command, ExitStatus, Stdio},
    sync::{
        OnceLock,
        mpsc::{self, Sender},
    },
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, anyhow, ensure};

use crate::port;

/// How long a part may take until it answers, on a busy machine.
const LIMIT: Duration = Duration::from_mins(1);
const LOG_LINES_SHOWN: usize = 30;

/// A running server. Dropped, it is gone.
#[derive(Debug)]
pub(crate) struct Process {
    name: &'static str,
    child: Child,
    log: PathBuf,
}

impl Process {
    /// What the command prints goes to the end of `log`.
    pub(crate) fn start(name: &'static str, mut command: Command, log: PathBuf) -> Result<Self> {
        let file = File::options().create(true).append(true).open(&log)?;
        command.stdin(Stdio::null()).stdout(file.try_clone()?).stderr(file);
        // Ctrl-C in a terminal goes to its whole process group: the parts stay until they are dropped.
        command.process_group(0);
        let child = spawn(command).with_context(|| format!("can't start {name}"))?;
        Ok(Self { name, child, log })
    }

    /// Asks until it is ready. An error shows the end of its log.
    pub(crate) fn wait_until(&mut self, mut ready: impl FnMut() -> io::Result<bool>) -> Result<()> {
        let deadline = Instant::now() + LIMIT;
        loop {
            let answer = ready();
            // Asked second: another program may have the port, and answer there.
            if let Some(status) = self.child.try_wait()? {
                return Err(self.ended(status));
            }
            if matches!(answer, Ok(true)) {
                return Ok(());
            }
            ensure!(
                Instant::now() < deadline,
                "{} is not ready after {LIMIT:?} ({answer:?}); its log ends with:\n{}",
                self.name,
                end(&self.log())
            );
            thread::sleep(Duration::from_millis(10));
        }
    }

    /// Waits for its end.
    pub(crate) fn finish(mut self) -> Result<()> {
        let status = self.child.wait()?;
        if status.success() { Ok(()) } else { Err(self.ended(status)) }
    }

    /// Ends it with SIGKILL.
    pub(crate) fn kill(&mut self) {
        // Both fail if it has ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }

    fn ended(&self, status: ExitStatus) -> anyhow::Error {
        let log = self.log();
        let error = anyhow!("{} ended with {status}; its log ends with:\n{}", self.name, end(&log));
        if log.contains("ddress already in use") { error.context(port::InUse) } else { error }
    }

    fn log(&self) -> String {
        String::from_utf8_lossy(&fs::read(&self.log).unwrap_or_default()).into_owned()
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.kill();
    }
}

fn end(log: &str) -> String {
    let lines: Vec<_> = log.lines().collect();
    lines[lines.len().saturating_sub(LOG_LINES_SHOWN)..].join("\n")
}

/// Has Linux kill the command when this process ends, however it ends.
pub fn bound_to_this_process(program: impl AsRef<OsStr>) -> Command {
    if cfg!(target_os = "linux") {
        let mut command = Command::new("setpriv");
        command.args(["--pdeathsig", "KILL", "--"]).arg(program);
        command
    } else {
        Command::new(program)
    }
}

type Request = (Command, Sender<io::Result<Child>>);

/// Linux takes the end of the thread that spawned for the end of the parent, so one thread that never ends spawns all.
pub(crate) fn spawn(command: Command) -> io::Result<Child> {
    static SPAWNER: OnceLock<Sender<Request>> = OnceLock::new();
    let spawner = SPAWNER.get_or_init(|| {
        let (requests, received) = mpsc::channel::<Request>();
        thread::spawn(move || {
            for (mut command, answer) in received {
                // Whoever asked may have panicked since.
                let _ = answer.send(command.spawn());
            }
        });
        requests
    });
    let (answer, child) = mpsc::channel();
    spawner.send((command, answer)).map_err(io::Error::other)?;
    child.recv().map_err(io::Error::other)?
}

use std::{
    ffi::OsString,
    io::{IsTerminal, stdin},
    os::unix::process::{CommandExt, ExitStatusExt},
    process::{Child, ExitStatus},
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context, Result};
use rustix::process::{Pid, Signal, kill_process, kill_process_group};
use signal_hook::{consts::SIGINT, iterator::Signals};

use crate::process::{bound_to_this_process, spawn};

/// What a command that was asked to end has left.
const GRACE: Duration = Duration::from_secs(5);

/// Runs a command to its end, or until one of `signals` comes: then the command is asked to end, and after five
/// seconds made to. Returns the exit code as a shell would.
pub fn run(command: &[OsString], vars: &[(&'static str, String)], signals: &mut Signals) -> Result<u8> {
    let (program, arguments) = command.split_first().context("there is no command to run")?;
    let mut command = bound_to_this_process(program);
    command.args(arguments).envs(vars.iter().map(|(name, value)| (name, value)));
    // In a group of its own its children hear the signals too; but a terminal reads from its foreground group only,
    // and sends Ctrl-C to the whole of it.
    let in_terminal = stdin().is_terminal();
    if !in_terminal {
        command.process_group(0);
    }
    let mut child = spawn(command).context("can't run the command")?;
    let mut deadline = None;
    loop {
        if let Some(status) = child.try_wait()? {
            return Ok(code(status));
        }
        for signal in signals.pending() {
            if !(in_terminal && signal == SIGINT) {
                tell(&child, in_terminal, Signal::TERM);
            }
            deadline = deadline.or(Some(Instant::now() + GRACE));
        }
        if deadline.is_some_and(|deadline| Instant::now() > deadline) {
            tell(&child, in_terminal, Signal::KILL);
        }
        thread::sleep(Duration::from_millis(20));
    }
}

fn tell(child: &Child, in_terminal: bool, signal: Signal) {
    let pid = Pid::from_child(child);
    // It may have ended a moment ago.
    let _ = if in_terminal { kill_process(pid, signal) } else { kill_process_group(pid, signal) };
}

fn code(status: ExitStatus) -> u8 {
    let code = status.code().or_else(|| Some(128 + status.signal()?));
    code.and_then(|code| u8::try_from(code).ok()).unwrap_or(1)
}

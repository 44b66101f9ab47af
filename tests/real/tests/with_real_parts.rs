//! The binary, as `make` and a terminal use it.

#![expect(clippy::unwrap_used, reason = "a test")]

use std::{
    fs,
    io::{BufRead, BufReader, Read},
    net::TcpStream,
    path::Path,
    process::{Child, ChildStdout, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use rustix::process::{Pid, Signal, kill_process};

const LIMIT: Duration = Duration::from_secs(30);

fn with_real_parts(script: &str, temp: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_with-real-parts"));
    command.args(["--only", "redis,dynamodb", "--", "sh", "-c", script]);
    command.env("TMPDIR", temp).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null());
    command
}

/// Starts a command that would last for minutes, and returns the parts' addresses.
fn busy(temp: &Path) -> (Child, BufReader<ChildStdout>, Vec<String>) {
    let script =
        "echo $TEST_REDIS_URL; echo $TEST_REDIS_TLS_CLUSTER_URL; echo $TEST_DYNAMODB_URL; sleep 600; true";
    let mut child = with_real_parts(script, temp).spawn().unwrap();
    let mut output = BufReader::new(child.stdout.take().unwrap());
    let addresses = std::iter::repeat_with(|| {
        let mut line = String::new();
        output.read_line(&mut line).unwrap();
        line.trim().rsplit('/').next().unwrap().to_owned()
    });
    let addresses: Vec<_> = addresses.take(3).collect();
    assert!(addresses.iter().all(|address| TcpStream::connect(address).is_ok()));
    (child, output, addresses)
}

fn until(what: &str, holds: impl Fn() -> bool) {
    let deadline = Instant::now() + LIMIT;
    while !holds() {
        assert!(Instant::now() < deadline, "{what} not within {LIMIT:?}");
        thread::sleep(Duration::from_millis(10));
    }
}

fn is_empty(folder: &Path) -> bool {
    fs::read_dir(folder).unwrap().next().is_none()
}

#[test]
#[ignore = "needs the real parts: make test-real"]
fn the_command_gets_the_addresses_and_gives_the_exit_code() {
    let temp = tempfile::tempdir().unwrap();
    let output = with_real_parts("env; exit 7", temp.path()).output().unwrap();
    assert_eq!(output.status.code(), Some(7));
    let vars = String::from_utf8(output.stdout).unwrap();
    let names =
        ["TEST_REDIS_URL=redis://", "TEST_REDIS_TLS_CLUSTER_URL=rediss://", "TEST_DYNAMODB_URL=http://"];
    assert!(names.iter().all(|name| vars.contains(name)), "{vars}");
    assert!(!vars.contains("TEST_KAFKA"), "{vars}");
    assert!(is_empty(temp.path()));
}

#[test]
#[ignore = "needs the real parts: make test-real"]
fn a_signal_ends_the_command_and_the_parts() {
    for (signal, name) in [(Signal::TERM, "TERM"), (Signal::INT, "INT"), (Signal::HUP, "HUP")] {
        let temp = tempfile::tempdir().unwrap();
        let (mut child, mut output, addresses) = busy(temp.path());
        kill_process(Pid::from_child(&child), signal).unwrap();
        assert_eq!(child.wait().unwrap().code(), Some(128 + 15), "{name}");
        assert!(addresses.iter().all(|address| TcpStream::connect(address).is_err()), "{name}");
        assert!(is_empty(temp.path()), "{name}");
        // Ends when nobody is left who could write to it, the command's own children included.
        output.read_to_string(&mut String::new()).unwrap();
    }
}

#[test]
#[ignore = "needs the real parts: make test-real"]
#[cfg(target_os = "linux")]
fn nothing_outlives_a_kill() {
    let temp = tempfile::tempdir().unwrap();
    let (mut child, _output, addresses) = busy(temp.path());
    child.kill().unwrap();
    child.wait().unwrap();
    until("the parts' end", || addresses.iter().all(|address| TcpStream::connect(address).is_err()));
}

//! A `joiner` process, with nothing of this process's environment, in a folder of its own.

use std::{
    fs,
    io::{BufRead, BufReader, Read},
    path::{Path, PathBuf},
    process::{Command, Stdio},
    sync::mpsc::{self, Receiver, RecvTimeoutError},
    thread,
    time::{Duration, Instant},
};

use tempfile::TempDir;

/// How long anything may take on a busy machine. No test waits for it to pass.
pub(crate) const LIMIT: Duration = Duration::from_mins(1);

/// A process that is about to start.
pub(crate) struct Start {
    command: Command,
    folder: TempDir,
}

/// A process. It doesn't outlive its test.
pub(crate) struct Child {
    process: std::process::Child,
    stdout: Lines,
    stderr: Lines,
    _folder: TempDir,
}

/// What is left of a process.
#[derive(Debug)]
pub(crate) struct Ended {
    /// `None`: a signal ended it.
    pub(crate) code: Option<i32>,
    pub(crate) stdout: Vec<String>,
    pub(crate) stderr: Vec<String>,
}

struct Lines {
    coming: Receiver<String>,
    seen: Vec<String>,
}

pub(crate) fn joiner(args: &[&str]) -> Start {
    let folder = tempfile::tempdir().expect("a folder can be made");
    let mut command = Command::new(env!("CARGO_BIN_EXE_joiner"));
    command.args(args).env_clear().current_dir(folder.path());
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    Start { command, folder }
}

/// A file of the repository.
pub(crate) fn repository(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").join(path)
}

impl Start {
    pub(crate) fn with(mut self, args: &[&str]) -> Self {
        self.command.args(args);
        self
    }

    pub(crate) fn var(mut self, name: &str, value: &str) -> Self {
        self.command.env(name, value);
        self
    }

    /// Puts a file into the folder where it starts.
    pub(crate) fn file(self, name: &str, content: impl AsRef<[u8]>) -> Self {
        let path = self.folder.path().join(name);
        fs::create_dir_all(path.parent().expect("it is in the folder"))
            .expect("the folder can be written to");
        fs::write(path, content).expect("the folder can be written to");
        self
    }

    pub(crate) fn starts(mut self) -> Child {
        let mut process = self.command.spawn().expect("the binary was built");
        let stdout = Lines::of(process.stdout.take().expect("it is piped"));
        let stderr = Lines::of(process.stderr.take().expect("it is piped"));
        Child { process, stdout, stderr, _folder: self.folder }
    }

    /// Runs it to its end.
    pub(crate) fn ends(self) -> Ended {
        self.starts().ends()
    }

    /// Runs it to its end, with its standard output closed.
    pub(crate) fn ends_unread(mut self) -> Ended {
        let (reader, writer) = std::io::pipe().expect("a pipe can be made");
        drop(reader);
        self.command.stdout(writer);
        let mut process = self.command.spawn().expect("the binary was built");
        let stderr = Lines::of(process.stderr.take().expect("it is piped"));
        Child { process, stdout: Lines::of(std::io::empty()), stderr, _folder: self.folder }.ends()
    }
}

impl Child {
    /// Waits for a line on standard output that starts so.
    pub(crate) fn says(&mut self, start: &str) -> String {
        let deadline = Instant::now() + LIMIT;
        loop {
            match self.stdout.next(deadline) {
                Ok(Some(line)) if line.starts_with(start) => return line,
                Ok(Some(_)) => {}
                Ok(None) => self.fail(&format!("it ended and never said {start:?}")),
                Err(_timeout) => self.fail(&format!("it did not say {start:?}")),
            }
        }
    }

    /// The lines up to the one that was waited for last.
    pub(crate) fn said(&self) -> &[String] {
        &self.stdout.seen
    }

    /// `signal` as `kill` names it, such as INT.
    pub(crate) fn signal(&self, signal: &str) {
        let pid = self.process.id().to_string();
        let sent = Command::new("kill").args([&format!("-{signal}"), &pid]).status();
        assert!(sent.expect("every Unix has kill").success(), "SIG{signal} was not sent");
    }

    /// Waits for its end.
    pub(crate) fn ends(mut self) -> Ended {
        let deadline = Instant::now() + LIMIT;
        // Its pipes close when it ends: that is a wait with a limit, which `wait` isn't.
        if self.stdout.read_to_end(deadline).is_err() || self.stderr.read_to_end(deadline).is_err() {
            self.fail("it did not end");
        }
        let status = self.process.wait().expect("it is our child");
        let (stdout, stderr) = (&mut self.stdout.seen, &mut self.stderr.seen);
        Ended { code: status.code(), stdout: std::mem::take(stdout), stderr: std::mem::take(stderr) }
    }

    fn fail(&mut self, what: &str) -> ! {
        self.stderr.seen.extend(self.stderr.coming.try_iter());
        let (stdout, stderr) = (self.stdout.seen.join("\n"), self.stderr.seen.join("\n"));
        panic!("{what}\n--- stdout\n{stdout}\n--- stderr\n{stderr}")
    }
}

impl Drop for Child {
    fn drop(&mut self) {
        // An error means that it has ended already.
        drop(self.process.kill());
        drop(self.process.wait());
    }
}

impl Ended {
    /// Passes it on if it exited with 0.
    pub(crate) fn well(self) -> Self {
        assert_eq!(self.code, Some(0), "{self:#?}");
        self
    }

    /// The one sentence that it failed with.
    pub(crate) fn complaint(&self) -> &str {
        assert!(self.code.is_some_and(|code| code != 0), "{self:#?}");
        let [sentence] = &self.stderr[..] else { panic!("not one line: {self:#?}") };
        sentence.strip_prefix("joiner: ").unwrap_or_else(|| panic!("{sentence}"))
    }
}

impl Lines {
    fn of(pipe: impl Read + Send + 'static) -> Self {
        let (found, coming) = mpsc::channel();
        // A pipe that nobody reads fills up and stops its writer.
        thread::spawn(move || {
            for line in BufReader::new(pipe).split(b'\n').map_while(Result::ok) {
                drop(found.send(String::from_utf8_lossy(&line).into_owned()));
            }
        });
        Self { coming, seen: Vec::new() }
    }

    /// `None` at the end.
    fn next(&mut self, deadline: Instant) -> Result<Option<String>, RecvTimeoutError> {
        match self.coming.recv_timeout(deadline.saturating_duration_since(Instant::now())) {
            Ok(line) => {
                self.seen.push(line.clone());
                Ok(Some(line))
            }
            Err(RecvTimeoutError::Disconnected) => Ok(None),
            Err(timeout) => Err(timeout),
        }
    }

    fn read_to_end(&mut self, deadline: Instant) -> Result<(), RecvTimeoutError> {
        while self.next(deadline)?.is_some() {}
        Ok(())
    }
}

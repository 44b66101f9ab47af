use std::process::Command;

use anyhow::Result;
use tempfile::TempDir;

use crate::{port, process::Process};

/// A server on a free port, in a folder of its own.
#[derive(Debug)]
pub(crate) struct HttpServer {
    port: u16,
    _process: Process,
    _folder: TempDir,
}

impl HttpServer {
    /// Returns once it answers. `command` gets the port.
    pub(crate) fn start(name: &'static str, command: impl Fn(u16) -> Command) -> Result<Self> {
        port::with_free(|[port]| {
            let folder = TempDir::with_prefix("joiner-")?;
            let mut command = command(port);
            command.current_dir(&folder);
            let mut process = Process::start(name, command, folder.path().join("log"))?;
            process.wait_until(|| port::speaks_http(port))?;
            Ok(Self { port, _process: process, _folder: folder })
        })
    }

    pub(crate) fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }
}

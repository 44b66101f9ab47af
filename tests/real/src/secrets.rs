use anyhow::Result;
use tempfile::TempDir;

use crate::{
    config::Installed,
    port,
    process::{Process, bound_to_this_process},
};

/// Secrets Manager as moto plays it, in memory. Takes any credentials.
#[derive(Debug)]
pub struct SecretsManager {
    port: u16,
    _process: Process,
    _folder: TempDir,
}

impl SecretsManager {
    /// Returns once it answers.
    pub fn start() -> Result<Self> {
        let installed = Installed::find()?;
        port::with_free(|[port]| Self::start_on(&installed, port))
    }

    fn start_on(installed: &Installed, port: u16) -> Result<Self> {
        let folder = TempDir::with_prefix("joiner-secrets-")?;
        let mut command = bound_to_this_process(installed.path("moto/bin/python"));
        command.args(["-m", "moto.server", "-H", "127.0.0.1", "-p", &port.to_string()]);
        command.current_dir(&folder);
        let mut process = Process::start("moto", command, folder.path().join("log"))?;
        process.wait_until(|| port::speaks_http(port))?;
        Ok(Self { port, _process: process, _folder: folder })
    }

    /// The endpoint for an SDK.
    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }
}

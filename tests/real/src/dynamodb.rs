use anyhow::Result;
use tempfile::TempDir;

use crate::{
    config::Installed,
    port,
    process::{Process, bound_to_this_process},
};

/// DynamoDB Local, in memory. Takes any credentials and region, and shows them the same tables.
#[derive(Debug)]
pub struct DynamoDbLocal {
    port: u16,
    _process: Process,
    _folder: TempDir,
}

impl DynamoDbLocal {
    /// Returns once it answers.
    pub fn start() -> Result<Self> {
        let installed = Installed::find()?;
        port::with_free(|[port]| Self::start_on(&installed, port))
    }

    fn start_on(installed: &Installed, port: u16) -> Result<Self> {
        let folder = TempDir::with_prefix("joiner-dynamodb-")?;
        let jars = installed.path("dynamodb");
        let mut command = bound_to_this_process("java");
        command.args(["-Xmx512m", "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC"]);
        command.arg(format!("-Djava.library.path={}", jars.display()));
        command.arg("-cp").arg(jars.join("*")).arg("LoopbackDynamoDb").arg(port.to_string());
        command.current_dir(&folder);
        let mut process = Process::start("DynamoDB Local", command, folder.path().join("log"))?;
        process.wait_until(|| port::speaks_http(port))?;
        Ok(Self { port, _process: process, _folder: folder })
    }

    /// The endpoint for an SDK.
    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }
}

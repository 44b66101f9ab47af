use anyhow::Result;

use crate::{config::Installed, http_server::HttpServer, process::bound_to_this_process};

/// DynamoDB Local, in memory. Takes any credentials and region, and shows them the same tables.
#[derive(Debug)]
pub struct DynamoDbLocal(HttpServer);

impl DynamoDbLocal {
    /// Returns once it answers.
    pub fn start() -> Result<Self> {
        let jars = Installed::find()?.path("dynamodb");
        let server = HttpServer::start("DynamoDB Local", |port| {
            let mut command = bound_to_this_process("java");
            command.args(["-Xmx512m", "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC"]);
            command.arg(format!("-Djava.library.path={}", jars.display()));
            command.arg("-cp").arg(jars.join("*")).arg("LoopbackDynamoDb").arg(port.to_string());
            command
        })?;
        Ok(Self(server))
    }

    /// The endpoint for an SDK.
    pub fn url(&self) -> String {
        self.0.url()
    }
}

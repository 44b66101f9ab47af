use anyhow::Result;

use crate::{config::Installed, http_server::HttpServer, process::bound_to_this_process};

/// Secrets Manager as moto plays it, in memory. Takes any credentials.
#[derive(Debug)]
pub struct SecretsManager(HttpServer);

impl SecretsManager {
    /// Returns once it answers.
    pub fn start() -> Result<Self> {
        let python = Installed::find()?.path("moto/bin/python");
        let server = HttpServer::start("moto", |port| {
            let mut command = bound_to_this_process(&python);
            command.args(["-m", "moto.server", "-H", "127.0.0.1", "-p", &port.to_string()]);
            command
        })?;
        Ok(Self(server))
    }

    /// The endpoint for an SDK.
    pub fn url(&self) -> String {
        self.0.url()
    }
}

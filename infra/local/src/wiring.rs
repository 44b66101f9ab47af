//! Which Kafka, tables and Okta the functions get: the embedded ones, or those that the variables name.

use std::path::Path;

use okta::fake::Directory;
use runtime::{Clock, Vars};
use tokio::{net::TcpListener, sync::watch, task::JoinHandle};

use crate::{
    broker::{self, Embedded},
    cloud::{Phase, until},
    tables,
};

/// What is being started: the variables by which the functions find each part, and what ends with the cloud.
pub(crate) struct Wiring {
    pub(crate) vars: Vars,
    pub(crate) servers: Vec<JoinHandle<()>>,
    pub(crate) phase: watch::Receiver<Phase>,
    pub(crate) clock: Clock,
}

/// Each returns what it is, for people.
impl Wiring {
    pub(crate) async fn kafka(&mut self, topics: &[&str]) -> anyhow::Result<(String, Option<Embedded>)> {
        if let Some(servers) = self.vars.get("KAFKA_BOOTSTRAP_SERVERS") {
            broker::prepare(servers, topics).await?;
            return Ok((servers.to_owned(), None));
        }
        let embedded = Embedded::start(topics)?;
        let servers = &embedded.bootstrap_servers;
        self.vars.extend([("KAFKA_BOOTSTRAP_SERVERS", servers.as_str())]);
        Ok((format!("embedded at {servers}, in memory, keeps the newest 5 MB a partition"), Some(embedded)))
    }

    pub(crate) async fn tables(&mut self, data_dir: Option<&Path>) -> anyhow::Result<String> {
        if let Some(endpoint) = self.vars.get("AWS_ENDPOINT_URL_DYNAMODB").map(str::to_owned) {
            // DynamoDB Local and LocalStack take any credentials, and insist on some.
            let vars = std::mem::take(&mut self.vars).or("AWS_REGION", "us-east-1");
            self.vars = vars.or("AWS_ACCESS_KEY_ID", "local").or("AWS_SECRET_ACCESS_KEY", "local");
            return Ok(endpoint);
        }
        let (endpoint, server) = tables::serve(data_dir, until(&self.phase, Phase::Stopped)).await?;
        self.servers.push(server);
        // The process may hold real credentials: the embedded tables must not be asked with them.
        self.vars.extend([
            ("AWS_ENDPOINT_URL_DYNAMODB", endpoint.as_str()),
            ("AWS_REGION", "local"),
            ("AWS_ACCESS_KEY_ID", "local"),
            ("AWS_SECRET_ACCESS_KEY", "local"),
            ("AWS_SESSION_TOKEN", ""),
        ]);
        let place =
            data_dir.map_or_else(|| "in memory".to_owned(), |folder| format!("in {}", folder.display()));
        Ok(format!("embedded at {endpoint}, {place}"))
    }

    pub(crate) async fn okta(&mut self, directory: Directory) -> anyhow::Result<String> {
        if let Some(url) = self.vars.get("OKTA_ORG_URL") {
            return Ok(url.to_owned());
        }
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let url = format!("http://{}", listener.local_addr()?);
        let token = self.clock.new_id().to_string();
        self.vars.extend([("OKTA_ORG_URL", url.as_str()), ("OKTA_API_TOKEN", token.as_str())]);
        let people = directory.people().len();
        let shutdown = until(&self.phase, Phase::Stopped);
        self.servers.push(tokio::spawn(async move {
            if let Err(error) = okta::fake::serve(listener, directory, token.into(), shutdown).await {
                tracing::error!(%error, "the fake Okta ended");
            }
        }));
        Ok(format!("fake at {url}, a company of {people}"))
    }
}

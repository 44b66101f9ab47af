//! Which Kafka, tables and Okta the functions get: the embedded ones, or those that the variables name.

use std::path::{Path, PathBuf};

use anyhow::Context;
use aws::Aws;
use dynamo::{TableSpec, embedded};
use okta::fake::Directory;
use runtime::{Clock, Vars};
use tokio::{net::TcpListener, sync::watch, task::JoinHandle};

use crate::{
    broker::{self, Embedded, KEPT_BYTES},
    cloud::{Phase, until},
};

/// The variables that close the HTTP functions.
const KEYS: [&str; 4] = ["API_KEY", "API_KEY_SECRET_ID", "ADMIN_KEY", "ADMIN_KEY_SECRET_ID"];

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
        Ok((
            format!("embedded at {servers}, in memory, keeps the newest {} MB a partition", KEPT_BYTES >> 20),
            Some(embedded),
        ))
    }

    pub(crate) async fn tables(&mut self, data_dir: Option<&Path>) -> anyhow::Result<String> {
        if let Some(endpoint) = self.vars.get("AWS_ENDPOINT_URL_DYNAMODB").map(str::to_owned) {
            // DynamoDB Local and LocalStack take any credentials, and insist on some.
            let vars = std::mem::take(&mut self.vars);
            self.vars = aws::EMULATED.iter().fold(vars, |vars, (name, value)| vars.or(name, *value));
            return Ok(endpoint);
        }
        let file = data_dir.map(tables_file).transpose()?;
        let (vars, server) = embedded::serve(file.as_deref(), until(&self.phase, Phase::Stopped))
            .await
            .with_context(|| format!("the tables in {} can't be used", file_name(file.as_deref())))?;
        self.servers.push(server);
        let endpoint = vars.get("AWS_ENDPOINT_URL_DYNAMODB").unwrap_or_default().to_owned();
        self.vars.replace(vars);
        Ok(format!("embedded at {endpoint}, in {}", file_name(file.as_deref())))
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

/// On one's own machine nobody has to think of a key first: where no variable has one, `AUTH` is `off`.
pub(crate) fn access(vars: Vars) -> (Vars, String) {
    let set: Vec<_> = KEYS.into_iter().filter(|name| vars.get(name).is_some()).collect();
    if !set.is_empty() {
        return (vars, format!("with a key of {}", set.join(" or ")));
    }
    let vars = vars.or("AUTH", "off");
    (vars, "open to everybody on this machine: AUTH=off; set API_KEY to close it".to_owned())
}

fn tables_file(folder: &Path) -> anyhow::Result<PathBuf> {
    std::fs::create_dir_all(folder)
        .with_context(|| format!("--data-dir {} can't be made", folder.display()))?;
    Ok(folder.join("tables.db"))
}

fn file_name(file: Option<&Path>) -> String {
    file.map_or_else(|| "memory".to_owned(), |file| file.display().to_string())
}

/// Makes the tables that are missing.
pub(crate) async fn ensure(vars: &Vars, aws: &Aws, tables: &[TableSpec]) -> anyhow::Result<()> {
    let client = dynamo::client(vars, aws)?;
    for table in tables {
        dynamo::ensure(&client, table)
            .await
            .with_context(|| format!("the table {} could not be made", table.name))?;
    }
    Ok(())
}

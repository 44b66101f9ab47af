//! Which Kafka, tables, cache and Okta the functions get: the embedded ones, or those that the variables name. Each of those
//! is asked once, so that what can't work is said before anybody counts on it.

use std::{
    path::{Path, PathBuf},
    time::Duration,
};

use anyhow::{Context, bail};
use aws::Aws;
use dynamo::{TableSpec, embedded};
use okta::fake::Directory;
use runtime::{Clock, Vars};
use tokio::{net::TcpListener, sync::watch, task::JoinHandle, time::timeout};
use url::{Position, Url};
use valkey::Connection;

use crate::{
    broker::{self, Embedded, KEPT_BYTES},
    phase::{Phase, until},
};

/// The variables that close the HTTP functions.
const KEYS: [&str; 4] = ["API_KEY", "API_KEY_SECRET_ID", "ADMIN_KEY", "ADMIN_KEY_SECRET_ID"];
/// How long a part may take to answer.
const LIMIT: Duration = Duration::from_secs(5);

/// What is being started: the variables by which the functions find each part, and what ends with the cloud.
pub(crate) struct Wiring {
    pub(crate) vars: Vars,
    pub(crate) servers: Vec<JoinHandle<()>>,
    /// What doesn't stop the start: it may come back, or is not needed.
    pub(crate) warnings: Vec<String>,
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
            return Ok(shown(&endpoint));
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

    /// Where users and requests are.
    pub(crate) async fn storage(&mut self, aws: &Aws) -> anyhow::Result<String> {
        let url = self.vars.get("STORAGE_URL").filter(|_| self.vars.get("STORAGE_BACKEND") == Some("redis"));
        let Some((url, connection)) = url.zip(Connection::from_vars(&self.vars, "STORAGE", LIMIT, aws)?)
        else {
            if self.vars.get("STORAGE_URL").is_some() {
                self.warnings.push("STORAGE_URL is not used: STORAGE_BACKEND is not redis".to_owned());
            }
            return Ok("the tables".to_owned());
        };
        let url = shown(url);
        if let Err(error) = usable(&connection).await {
            bail!("STORAGE_URL names no Redis that can be used: {url} ({})", error.root_cause());
        }
        Ok(url)
    }

    pub(crate) async fn cache(&mut self, aws: &Aws) -> anyhow::Result<String> {
        let Some(connection) = Connection::from_vars(&self.vars, "CACHE", LIMIT, aws)? else {
            let (vars, server) = cache::embedded::serve(until(&self.phase, Phase::Stopped)).await?;
            self.servers.push(server);
            self.vars.replace(vars);
            // A busy laptop takes its time, and after an invalidation that was given up an old profile is served.
            self.vars = std::mem::take(&mut self.vars).or("CACHE_TIMEOUT_MS", "5000");
            return Ok(format!("embedded at {}, in memory", self.shown("CACHE_URL")));
        };
        let url = self.shown("CACHE_URL");
        if let Err(error) = usable(&connection).await {
            let cause = error.root_cause();
            let warning =
                format!("CACHE_URL names no cache that can be used ({cause}); users come from the storage");
            self.warnings.push(warning);
        }
        Ok(url)
    }

    pub(crate) async fn okta(&mut self, directory: Directory, aws: &Aws) -> anyhow::Result<String> {
        if self.vars.get("OKTA_ORG_URL").is_none() && self.vars.get("OKTA_API_TOKEN").is_some() {
            self.warnings.push("OKTA_API_TOKEN is not used: without OKTA_ORG_URL Okta is a fake".to_owned());
        }
        if let Some(url) = self.vars.get("OKTA_ORG_URL") {
            let client = okta::Client::from_vars(&self.vars, aws, self.clock)?;
            let trouble = match timeout(LIMIT, client.check()).await {
                Ok(Ok(())) => None,
                Ok(Err(okta::Error::Unauthorized { status })) => {
                    Some(format!("OKTA_API_TOKEN is refused by Okta (status {status})"))
                }
                Ok(Err(error)) => Some(no_okta(&error.into())),
                Err(elapsed) => Some(no_okta(&elapsed.into())),
            };
            let url = shown(url);
            self.warnings.extend(trouble.map(|trouble| format!("{trouble}; hires become dead letters")));
            return Ok(url);
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

    /// The URL in this variable, as people may see it.
    fn shown(&self, name: &str) -> String {
        self.vars.get(name).map(shown).unwrap_or_default()
    }
}

/// On one's own machine nobody has to think of a key first: where no variable has one, `AUTH` is `off`.
pub(crate) fn access(vars: Vars) -> (Vars, String) {
    let set: Vec<_> = KEYS.into_iter().filter(|name| vars.get(name).is_some()).collect();
    if !set.is_empty() {
        let access = if set.iter().any(|name| name.starts_with("ADMIN_KEY")) {
            "with API_KEY for events and queries, with ADMIN_KEY for dead letters, fact jobs and forgetting"
        } else {
            "with a key of API_KEY"
        };
        return (vars, access.to_owned());
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
        let made = timeout(LIMIT, dynamo::ensure(&client, table)).await;
        if let Err(error) = made.map_err(anyhow::Error::from).and_then(|made| Ok(made?)) {
            let endpoint = shown(vars.get("AWS_ENDPOINT_URL_DYNAMODB").unwrap_or_default());
            let cause = error.root_cause();
            bail!("AWS_ENDPOINT_URL_DYNAMODB names no DynamoDB that can be used: {endpoint} ({cause})");
        }
    }
    Ok(())
}

fn no_okta(error: &anyhow::Error) -> String {
    format!("OKTA_ORG_URL names no Okta that can be used ({})", error.root_cause())
}

async fn usable(connection: &Connection) -> anyhow::Result<()> {
    Ok(timeout(LIMIT, connection.ping()).await??)
}

/// A URL as people may see it: without what stands for a password in it.
pub(crate) fn shown(url: &str) -> String {
    match Url::parse(url) {
        Ok(url) => {
            let place = &url[Position::BeforeHost..Position::AfterPath];
            format!("{}://{}", url.scheme(), place.trim_end_matches('/'))
        }
        Err(_) => "not a URL".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_is_shown_without_its_secrets() {
        for (url, expected) in [
            ("redis://localhost:6379", "redis://localhost:6379"),
            ("redis://:s3cret@localhost:6379/3", "redis://localhost:6379/3"),
            ("rediss://user:s3cret@[::1]:6379/#s3cret", "rediss://[::1]:6379"),
            ("redis+unix:///run/redis.sock?pass=s3cret", "redis+unix:///run/redis.sock"),
            ("https://s3cret@example.okta.com/", "https://example.okta.com"),
            ("s3cret", "not a URL"),
        ] {
            assert_eq!(shown(url), expected);
        }
    }
}

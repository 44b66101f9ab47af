//! Everything that runs, from its start to its end.

use std::{net::SocketAddr, path::PathBuf, time::Duration};

use anyhow::{Context, bail};
use cache::Cache;
use okta::fake::Directory;
use runtime::{Clock, Vars};
use tokio::{net::TcpListener, sync::watch, task::JoinHandle};

use crate::{
    broker::{self, Embedded},
    esm::EventSource,
    function::Function,
    gateway::{self, Routes},
    tables,
    template::Template,
};

pub struct Options {
    pub template: Template,
    /// What the functions get beside the template's variables. `config::load` reads it.
    pub vars: Vars,
    /// 0 takes a free one.
    pub port: u16,
    /// Where the embedded tables live; memory without it.
    pub data_dir: Option<PathBuf>,
    /// Serves as Okta, unless `OKTA_ORG_URL` names one.
    pub directory: Directory,
    pub clock: Clock,
}

/// A running Joiner.
pub struct Cloud {
    address: SocketAddr,
    parts: Parts,
    sources: Vec<EventSource>,
    broker: Option<Embedded>,
    phase: watch::Sender<Phase>,
    gateway: JoinHandle<()>,
    servers: Vec<JoinHandle<()>>,
}

/// What each part is, for people.
#[derive(Debug, Clone)]
pub struct Parts {
    pub kafka: String,
    pub tables: String,
    pub cache: String,
    pub okta: String,
    pub routes: Vec<(String, String)>,
    pub triggers: Vec<(String, String)>,
    /// The variables that the functions share, as they got them.
    pub vars: Vars,
}

/// How far the end has come: first no more requests, then no more records, then nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Phase {
    Running,
    Draining,
    Stopping,
    Stopped,
}

impl Cloud {
    /// Returns when a request that is sent now is worked on without further waiting.
    pub async fn start(options: Options) -> anyhow::Result<Self> {
        let Options { template, vars, port, data_dir, directory, clock } = options;
        // First, since it is what a person gets wrong most.
        let listener = TcpListener::bind(("127.0.0.1", port))
            .await
            .with_context(|| format!("port {port} can't be used: choose another with --port"))?;
        let address = listener.local_addr()?;
        let (phase_tx, phase) = watch::channel(Phase::Running);
        let mut servers = Vec::new();
        let topics = template.topics();

        let (broker, bootstrap_servers) = match vars.get("KAFKA_BOOTSTRAP_SERVERS") {
            Some(servers) => {
                broker::prepare(servers, &topics).await?;
                (None, servers.to_owned())
            }
            None => {
                let embedded = Embedded::start(&topics)?;
                let servers = embedded.bootstrap_servers.clone();
                (Some(embedded), servers)
            }
        };
        let mut kafka =
            format!("embedded at {bootstrap_servers}, in memory, keeps the newest 5 MB a partition");
        if broker.is_none() {
            kafka.clone_from(&bootstrap_servers);
        }
        let mut wired = vars.with("KAFKA_BOOTSTRAP_SERVERS", &bootstrap_servers);

        let tables = if let Some(endpoint) = wired.get("AWS_ENDPOINT_URL_DYNAMODB").map(str::to_owned) {
            wired = with_credentials(wired);
            endpoint
        } else {
            let (endpoint, server) =
                tables::serve(data_dir.as_deref(), until(&phase, Phase::Stopped)).await?;
            servers.push(server);
            let place =
                data_dir.as_ref().map_or_else(|| "in memory".to_owned(), |dir| dir.display().to_string());
            // The process may hold real credentials: the embedded tables must not be asked with them.
            wired.extend([
                ("AWS_ENDPOINT_URL_DYNAMODB", endpoint.as_str()),
                ("AWS_REGION", "local"),
                ("AWS_ACCESS_KEY_ID", "local"),
                ("AWS_SECRET_ACCESS_KEY", "local"),
                ("AWS_SESSION_TOKEN", ""),
            ]);
            format!("embedded at {endpoint}, {place}")
        };

        let okta = match wired.get("OKTA_ORG_URL") {
            Some(url) => url.to_owned(),
            None => {
                let listener = TcpListener::bind("127.0.0.1:0").await?;
                let url = format!("http://{}", listener.local_addr()?);
                let token = clock.new_id().to_string();
                wired.extend([("OKTA_ORG_URL", url.as_str()), ("OKTA_API_TOKEN", token.as_str())]);
                let people = directory.people().len();
                let server =
                    okta::fake::serve(listener, directory, token.into(), until(&phase, Phase::Stopped));
                servers.push(tokio::spawn(async move {
                    if let Err(error) = server.await {
                        tracing::error!(%error, "the fake Okta ended");
                    }
                }));
                format!("fake at {url}, a company of {people}")
            }
        };
        wired = wired.or("CURSOR_KEY", format!("{}{}", clock.new_id(), clock.new_id()));
        let cache = Cache::from_vars(&wired)?;
        let cache_name = wired.get("CACHE_URL").unwrap_or("in this process's memory").to_owned();

        tables::ensure(&wired, &template.tables).await?;
        let mut routes = Routes::default();
        let mut sources = Vec::new();
        let mut parts = Parts {
            kafka,
            tables,
            cache: cache_name,
            okta,
            routes: Vec::new(),
            triggers: Vec::new(),
            vars: wired.clone(),
        };
        for spec in &template.functions {
            let mut vars = Vars::from_iter(spec.variables.clone());
            vars.overlay(&wired);
            let function = Function::start(spec, &vars, &cache, clock)?;
            routes.add(&spec.routes, &function);
            parts.routes.extend(spec.routes.iter().map(|route| (route.key(), spec.name.clone())));
            for trigger in &spec.triggers {
                let (trigger, embedded) = (trigger.clone(), broker.is_some());
                let source =
                    EventSource::start(trigger, function.clone(), &bootstrap_servers, embedded, &phase);
                let source = source.await?;
                let read = format!("{} ({} partitions)", source.topic(), source.partitions());
                parts.triggers.push((read, spec.name.clone()));
                sources.push(source);
            }
        }
        let shutdown = until(&phase, Phase::Draining);
        let gateway = tokio::spawn(async move {
            if let Err(error) = gateway::serve(listener, routes, clock, shutdown).await {
                tracing::error!(%error, "the gateway ended");
            }
        });
        for source in &sources {
            source.ready().await;
        }
        Ok(Self { address, parts, sources, broker, phase: phase_tx, gateway, servers })
    }

    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    pub fn parts(&self) -> &Parts {
        &self.parts
    }

    /// The embedded broker, to cut it off. `None` with a real one.
    pub fn broker(&self) -> Option<&Embedded> {
        self.broker.as_ref()
    }

    /// Waits until every record on every topic has been processed, and those that they made.
    pub async fn settle(&self, limit: Duration) -> anyhow::Result<()> {
        let Ok(outcome) = tokio::time::timeout(limit, settled(&self.sources)).await else {
            bail!("records were still being processed after {limit:?}")
        };
        outcome
    }

    /// Takes no more requests, works off the records within `limit`, and ends. What is left stays on a real broker.
    pub async fn stop(self, limit: Duration) -> anyhow::Result<()> {
        self.phase.send_replace(Phase::Draining);
        // A client may keep its connection open; its requests have been answered.
        drop(tokio::time::timeout(Duration::from_secs(2), self.gateway).await);
        let drained = tokio::time::timeout(limit, settled(&self.sources)).await;
        self.phase.send_replace(Phase::Stopping);
        for source in self.sources {
            source.stop().await;
        }
        self.phase.send_replace(Phase::Stopped);
        for server in self.servers {
            drop(tokio::time::timeout(Duration::from_secs(2), server).await);
        }
        drained.context("some records were not processed before the end")?
    }
}

/// One pass may make records for a topic that it has passed already: only a pass that finds nothing is the end.
async fn settled(sources: &[EventSource]) -> anyhow::Result<()> {
    loop {
        let mut busy = false;
        for source in sources {
            busy |= source.settle().await?;
        }
        if !busy {
            return Ok(());
        }
    }
}

/// DynamoDB Local and LocalStack take any credentials, and insist on some.
fn with_credentials(vars: Vars) -> Vars {
    vars.or("AWS_REGION", "us-east-1").or("AWS_ACCESS_KEY_ID", "local").or("AWS_SECRET_ACCESS_KEY", "local")
}

fn until(phase: &watch::Receiver<Phase>, target: Phase) -> impl Future<Output = ()> + Send + 'static {
    let mut phase = phase.clone();
    async move {
        // An error means that the cloud was dropped: that is an end, too.
        drop(phase.wait_for(|phase| *phase >= target).await);
    }
}

impl std::fmt::Debug for Cloud {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Cloud").field("address", &self.address).finish_non_exhaustive()
    }
}

impl std::fmt::Debug for Options {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Options").field("port", &self.port).finish_non_exhaustive()
    }
}

//! Everything that runs, from its start to its end.

use std::{net::SocketAddr, path::PathBuf, sync::Arc, time::Duration};

use anyhow::{Context, bail};
use aws::Aws;
use contracts::topic;
use kafka::Producer;
use okta::fake::Directory;
use runtime::{Clock, Vars};
use tokio::{net::TcpListener, sync::watch, task::JoinHandle};

use crate::{
    broker::Embedded,
    esm::{Brokers, EventSource, PATIENCE, PATIENCE_AT_END, Reading},
    function::Function,
    gateway::{Cors, Gateway, Routes},
    phase::{Phase, until},
    schedule::{Schedules, Timer},
    template::{FunctionSpec, Template},
    wiring::{self, Wiring},
};

pub struct Options {
    pub template: Template,
    /// What the functions get beside the template's variables. `config::load` reads it; what `config::parameters` makes of
    /// it is the template's.
    pub vars: Vars,
    /// 0 takes a free one.
    pub port: u16,
    /// Where the embedded tables live; memory without it.
    pub data_dir: Option<PathBuf>,
    /// Serves as Okta, unless `OKTA_ORG_URL` names one.
    pub directory: Directory,
    pub clock: Clock,
    pub reading: Reading,
}

/// A running Joiner.
pub struct Cloud {
    address: SocketAddr,
    parts: Parts,
    sources: Vec<EventSource>,
    schedules: Schedules,
    broker: Option<Arc<Embedded>>,
    phase: watch::Sender<Phase>,
    gateway: JoinHandle<()>,
    longest_request: Duration,
    servers: Vec<JoinHandle<()>>,
}

/// What each part is, for people.
#[derive(Debug, Clone)]
pub struct Parts {
    pub access: String,
    pub kafka: String,
    pub tables: String,
    /// Of users and requests.
    pub storage: String,
    pub cache: String,
    pub okta: String,
    /// Where spans are sent to, if they are.
    pub traces: Option<String>,
    /// What doesn't work as it is, though it is not what a start needs.
    pub warnings: Vec<String>,
    pub routes: Vec<(String, String)>,
    pub triggers: Vec<(String, String)>,
    /// The topic of facts, which nobody here reads.
    pub facts: String,
    pub schedules: Vec<(String, String)>,
    /// The variables that the functions share, as they got them.
    pub vars: Vars,
}

impl Cloud {
    /// Returns when a request that is sent now is worked on without further waiting, and every real part has answered that
    /// has to.
    pub async fn start(options: Options) -> anyhow::Result<Self> {
        let Options { template, vars, port, data_dir, directory, clock, reading } = options;
        // The template has it for the functions, as it has the topics that it stands before.
        let vars = vars.with("KAFKA_TOPIC_PREFIX", "");
        // First, since it is what a person gets wrong most.
        let listener = TcpListener::bind(("127.0.0.1", port))
            .await
            .with_context(|| format!("port {port} can't be used: choose another with --port"))?;
        let address = listener.local_addr()?;
        let (phase_tx, phase) = watch::channel(Phase::Running);
        let phase_of_parts = phase.clone();
        let mut wiring =
            Wiring { vars, servers: Vec::new(), warnings: Vec::new(), phase: phase_of_parts, clock };
        let topics = template.topics();
        let topics: Vec<_> = topics.iter().map(String::as_str).collect();
        let (kafka, broker) = wiring.kafka(&topics).await?;
        let broker = broker.map(Arc::new);
        let tables = wiring.tables(data_dir.as_deref()).await?;
        let aws = Aws::from_vars(&wiring.vars)?;
        wiring::ensure(&wiring.vars, &aws, &template.tables).await?;
        let storage = wiring.storage(&aws).await?;
        let cache = wiring.cache(&aws).await?;
        let okta = wiring.okta(directory, &aws).await?;
        let Wiring { vars, servers, warnings, .. } = wiring;
        let (vars, access) = wiring::access(vars);
        let vars = vars.or("CURSOR_KEY", format!("{}{}", clock.new_id(), clock.new_id()));

        let mut routes = Routes::default();
        let mut sources = Vec::new();
        let mut schedules = Schedules::default();
        let mut parts = Parts {
            access,
            kafka,
            tables,
            storage,
            cache,
            okta,
            traces: vars.get("OTEL_EXPORTER_OTLP_ENDPOINT").map(wiring::shown),
            warnings,
            routes: Vec::new(),
            triggers: Vec::new(),
            facts: format!("{}{}", template.topic_prefix(), topic::EVENTS),
            schedules: Vec::new(),
            vars: vars.clone(),
        };
        let brokers = Brokers {
            bootstrap_servers: vars.require("KAFKA_BOOTSTRAP_SERVERS", "what was just set")?,
            embedded: broker.as_ref(),
            reading,
            producer: &Producer::from_vars(&vars, &aws, clock)?,
        };
        let here = |spec: &&FunctionSpec| spec.is_invoked() && Function::runs_here(spec);
        for spec in template.functions.iter().filter(here) {
            let mut own = Vars::from_iter(spec.variables.clone());
            own.overlay(&vars);
            let function = Function::start(spec, &own, clock)?;
            routes.add(&spec.routes, &function);
            // HEAD is answered where GET is.
            let shown = spec.routes.iter().filter(|route| route.method.as_deref() != Some("HEAD"));
            parts.routes.extend(shown.map(|route| (route.key(), spec.name.clone())));
            for trigger in &spec.triggers {
                let source = EventSource::start(trigger.clone(), function.clone(), brokers, &phase).await?;
                let read = format!("{} ({} partitions)", source.topic(), source.partitions());
                parts.triggers.push((read, spec.name.clone()));
                sources.push(source);
            }
            for schedule in &spec.schedules {
                parts.schedules.push((schedule.rate.to_string(), spec.name.clone()));
                let retries = spec.async_retries;
                let timer = Timer { schedule: schedule.clone(), function: function.clone(), retries, clock };
                schedules.start(timer, &phase);
            }
        }
        // A request may take as long as the slowest of the functions that answer one.
        let answering = template.functions.iter().filter(|spec| !spec.routes.is_empty());
        let longest_request = answering.map(|spec| spec.timeout).max().unwrap_or_default();
        let shutdown = until(&phase, Phase::Draining);
        let gateway = Gateway { routes, cors: template.cors.map(Cors::new).transpose()?, clock };
        let gateway = tokio::spawn(async move {
            if let Err(error) = gateway.serve(listener, shutdown).await {
                tracing::error!(%error, "the gateway ended");
            }
        });
        for source in &sources {
            source.ready().await;
        }
        Ok(Self {
            address,
            parts,
            sources,
            schedules,
            broker,
            phase: phase_tx,
            gateway,
            longest_request,
            servers,
        })
    }

    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    pub fn parts(&self) -> &Parts {
        &self.parts
    }

    /// The embedded broker, to cut it off. `None` with a real one.
    pub fn broker(&self) -> Option<&Embedded> {
        self.broker.as_deref()
    }

    /// Waits until every record on every topic has been processed, and those that they made.
    pub async fn settle(&self, limit: Duration) -> anyhow::Result<()> {
        let Ok(outcome) = tokio::time::timeout(limit, settled(&self.sources, PATIENCE)).await else {
            bail!("records were still being processed after {limit:?}")
        };
        outcome
    }

    /// Runs the function's schedules now, once each, and waits for the end. For tests.
    pub async fn tick(&self, function: &str) -> anyhow::Result<()> {
        self.schedules.tick(function).await
    }

    /// Takes no more requests, works off the records within `limit`, and ends. What is left stays on a real broker.
    ///
    /// # Errors
    /// When records are left, or the brokers don't say whether there are any. It has ended all the same.
    pub async fn stop(self, limit: Duration) -> anyhow::Result<()> {
        self.phase.send_replace(Phase::Draining);
        // What is still open after the longest request is a connection on which nothing happens.
        let abort = self.gateway.abort_handle();
        if tokio::time::timeout(self.longest_request, self.gateway).await.is_err() {
            abort.abort();
        }
        // Before the records are worked off: an invocation may still make some.
        self.schedules.stop().await;
        let drained = tokio::time::timeout(limit, settled(&self.sources, PATIENCE_AT_END)).await;
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
async fn settled(sources: &[EventSource], patience: Duration) -> anyhow::Result<()> {
    loop {
        let mut busy = false;
        for source in sources {
            busy |= source.settle(patience).await?;
        }
        if !busy {
            return Ok(());
        }
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

//! Kafka: embedded, or the one that `KAFKA_BOOTSTRAP_SERVERS` names.

use std::{
    sync::mpsc,
    thread::{self, JoinHandle},
    time::Duration,
};

use anyhow::{Context, bail};
use rdkafka::{
    ClientConfig,
    admin::{AdminClient, AdminOptions, NewTopic, TopicReplication},
    client::DefaultClientContext,
    consumer::{BaseConsumer, Consumer},
    mocking::MockCluster,
    types::RDKafkaErrorCode,
};

/// Enough for four employees' events to be worked on at once, few enough to watch.
const PARTITIONS: i32 = 4;

/// What the embedded broker keeps of a partition before it drops the oldest records.
pub const KEPT_BYTES: u64 = 5 * 1024 * 1024;

/// librdkafka's cluster for tests, on a thread of its own: its handle may not move between threads.
#[derive(Debug)]
pub struct Embedded {
    pub bootstrap_servers: String,
    commands: mpsc::Sender<Command>,
    thread: Option<JoinHandle<()>>,
}

enum Command {
    SetAway(bool, mpsc::Sender<()>),
    Stop,
}

impl Embedded {
    pub fn start(topics: &[&str]) -> anyhow::Result<Self> {
        let topics: Vec<String> = topics.iter().map(|&topic| topic.to_owned()).collect();
        let (commands, inbox) = mpsc::channel();
        let (report, started) = mpsc::channel();
        let thread = thread::Builder::new().name("embedded-kafka".to_owned()).spawn(move || {
            let made = cluster(&topics);
            let servers =
                made.as_ref().map(MockCluster::bootstrap_servers).map_err(std::string::ToString::to_string);
            if report.send(servers).is_ok()
                && let Ok(cluster) = made
            {
                serve(&cluster, &inbox);
            }
        })?;
        let servers = started.recv().context("the embedded broker's thread ended")?;
        match servers {
            Ok(bootstrap_servers) => Ok(Self { bootstrap_servers, commands, thread: Some(thread) }),
            Err(error) => bail!("the embedded broker did not start: {error}"),
        }
    }

    /// Cuts the broker off, or brings it back. For tests.
    pub fn set_away(&self, away: bool) {
        let (done, wait) = mpsc::channel();
        if self.commands.send(Command::SetAway(away, done)).is_ok() {
            let _switched = wait.recv();
        }
    }
}

impl Drop for Embedded {
    fn drop(&mut self) {
        drop(self.commands.send(Command::Stop));
        if let Some(thread) = self.thread.take() {
            drop(thread.join());
        }
    }
}

type Cluster = MockCluster<'static, rdkafka::producer::DefaultProducerContext>;

fn cluster(topics: &[String]) -> rdkafka::error::KafkaResult<Cluster> {
    let cluster = MockCluster::new(1)?;
    for topic in topics {
        cluster.create_topic(topic, PARTITIONS, 1)?;
    }
    Ok(cluster)
}

fn serve(cluster: &Cluster, inbox: &mpsc::Receiver<Command>) {
    const BROKER: i32 = 1;
    while let Ok(Command::SetAway(away, done)) = inbox.recv() {
        let changed = if away { cluster.broker_down(BROKER) } else { cluster.broker_up(BROKER) };
        if let Err(error) = changed {
            tracing::error!(%error, "the embedded broker could not be switched");
        }
        let _caller_waits = done.send(());
    }
}

/// Checks that a real broker answers, and makes the topics that it lacks.
pub(crate) async fn prepare(bootstrap_servers: &str, topics: &[&str]) -> anyhow::Result<()> {
    let mut config = ClientConfig::new();
    config.set("bootstrap.servers", bootstrap_servers);
    // librdkafka's own complaints would bury our one sentence.
    config.set_log_level(rdkafka::config::RDKafkaLogLevel::Emerg);
    let probe: BaseConsumer = config.create()?;
    let answers =
        tokio::task::spawn_blocking(move || probe.fetch_metadata(None, Duration::from_secs(5)).is_ok());
    if !answers.await? {
        bail!("KAFKA_BOOTSTRAP_SERVERS names no broker that answers: {bootstrap_servers}");
    }
    if topics.is_empty() {
        // An empty list is refused.
        return Ok(());
    }
    let admin: AdminClient<DefaultClientContext> = config.create()?;
    let new = |topic| NewTopic::new(topic, PARTITIONS, TopicReplication::Fixed(-1));
    let wanted: Vec<_> = topics.iter().map(|&topic| new(topic)).collect();
    for made in admin.create_topics(&wanted, &AdminOptions::new()).await? {
        match made {
            Ok(_) | Err((_, RDKafkaErrorCode::TopicAlreadyExists)) => {}
            Err((topic, code)) => bail!("the topic {topic} could not be made: {code}"),
        }
    }
    Ok(())
}

//! Everything that a run needs, started.

use std::{
    path::{Path, PathBuf},
    sync::{Arc, Mutex, atomic::AtomicUsize},
    time::Duration,
};

use anyhow::Context;
use joiner::template::Template;
use okta::fake::{Directory, Person};
use real_parts::{Part, Parts};
use runtime::{Clock, Vars};
use tokio::{net::TcpListener, task::spawn_blocking};

use crate::{
    backlog::Backlog,
    faults::Faults,
    fleet::Fleet,
    hr::Hr,
    tables::{Bug, Names, Tables},
    tally::Tally,
};

/// So many at once: partitions change hands, and who has lost one may still be writing.
const WORKERS: usize = 2;

pub(crate) const CACHE_TTL: Duration = Duration::from_secs(20);

const OKTA_TOKEN: &str = "chaos";

pub(crate) struct Stage {
    pub(crate) fleet: Fleet,
    pub(crate) tables: Tables,
    pub(crate) hr: Hr,
    pub(crate) faults: Faults,
    pub(crate) backlog: Backlog,
    /// Of accepted events.
    pub(crate) topic: String,
    /// Of facts.
    pub(crate) events: String,
    pub(crate) servers: String,
    pub(crate) tally: Tally,
    /// Ends with the stage.
    _parts: Parts,
}

impl Stage {
    /// Returns when every worker listens.
    pub(crate) async fn start(
        people: &[Person],
        bug: Option<Bug>,
        seed: u64,
        program: PathBuf,
        logs: &Path,
    ) -> anyhow::Result<Self> {
        let wanted = [Part::Kafka, Part::DynamoDb, Part::Redis];
        let mut parts = spawn_blocking(move || Parts::start(&wanted, |_, _, _| {})).await??;
        let kafka = parts.kafka.take().context("there is no Kafka")?;
        let redis = parts.redis.take().context("there is no Redis")?;
        let dynamodb = parts.dynamodb.as_ref().context("there is no DynamoDB Local")?;

        let template = Template::read(Path::new("template.yaml"))?;
        let enrichment = template.functions.iter().find(|function| function.name == "enrichment");
        let enrichment = enrichment.context("template.yaml has no enrichment")?;
        let topic = enrichment.triggers.first().context("the enrichment reads nothing")?.topic.clone();
        let events = format!("{}joiner.events", template.topic_prefix());
        let table =
            |name| enrichment.variables.get(name).cloned().with_context(|| format!("there is no {name}"));
        let names = Names {
            users: table("USERS_TABLE")?,
            history: table("HISTORY_TABLE")?,
            outbox: table("OUTBOX_TABLE")?,
        };
        let triggers = template.functions.iter().flat_map(|function| function.triggers.clone()).collect();

        let (tally, servers) = (Tally::default(), kafka.bootstrap_servers());
        let (tables, tables_url) = Tables::start(dynamodb.url(), names, seed, bug, tally.clone()).await?;
        let directory = Directory::empty(Clock::system());
        for person in people {
            directory.add(person.clone());
        }
        let vars = Vars::from_iter([
            ("KAFKA_BOOTSTRAP_SERVERS", servers.clone()),
            ("AWS_ENDPOINT_URL_DYNAMODB", tables_url),
            ("CACHE_URL", redis.url()),
            ("CACHE_TTL_SECONDS", CACHE_TTL.as_secs().to_string()),
            ("OKTA_ORG_URL", serve_okta(directory.clone()).await?),
            ("OKTA_API_TOKEN", OKTA_TOKEN.to_owned()),
            ("CURSOR_KEY", format!("{seed:032}")),
            // Nobody here takes long without having gone wrong.
            ("API_TIMEOUT_SECONDS", "1".to_owned()),
            ("DYNAMODB_TIMEOUT_SECONDS", "1".to_owned()),
            ("RETRY_BASE_SECONDS", "0.1".to_owned()),
            ("LOG_LEVEL", "warn".to_owned()),
            ("LOG_FORMAT", "text".to_owned()),
        ]);
        let fleet = Fleet::start(WORKERS, program, vars, logs.to_owned(), seed, tally.clone());
        fleet.all_up().await?;
        let faults = Faults {
            fleet: fleet.clone(),
            tables: tables.clone(),
            directory,
            kafka: Arc::new(Mutex::new(kafka)),
            redis: Arc::new(Mutex::new(redis)),
            tally: tally.clone(),
            decks: AtomicUsize::new(0),
        };
        Ok(Self {
            hr: Hr::new(fleet.clone(), &servers, topic.clone(), tally.clone())?,
            backlog: Backlog { servers: servers.clone(), triggers },
            fleet,
            tables,
            faults,
            topic,
            events,
            servers,
            tally,
            _parts: parts,
        })
    }
}

async fn serve_okta(directory: Directory) -> anyhow::Result<String> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let url = format!("http://{}", listener.local_addr()?);
    let token = OKTA_TOKEN.to_owned().into();
    tokio::spawn(okta::fake::serve(listener, directory, token, std::future::pending()));
    Ok(url)
}

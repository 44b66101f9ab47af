//! A run: start everything, deliver under faults, let it settle, read what is left, judge.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering::SeqCst},
    },
    time::{Duration, Instant},
};

use anyhow::{Context, bail};
use joiner::template::{Template, Trigger};
use okta::fake::Directory;
use real_parts::{Part, Parts};
use runtime::{Clock, Vars};
use tokio::{net::TcpListener, sync::watch, task::spawn_blocking, time::sleep};

use crate::{
    api::Api,
    check::{Verdict, check},
    cli::RunArgs,
    evidence::{Content, Evidence},
    faults::Faults,
    fleet::Fleet,
    hr::Hr,
    plan::Plan,
    tables::Tables,
    tally::Tally,
    topics,
};

/// So many at once: partitions change hands, and zombies write.
const WORKERS: usize = 2;

/// Once nothing is wrong any more, some record has to be finished within this time.
const STANDSTILL: Duration = Duration::from_mins(3);

const TELLING: Duration = Duration::from_secs(15);

/// For how long nobody may ask the tables for anything before it counts as settled.
const QUIET: Duration = Duration::from_secs(3);

const CACHE_TTL: Duration = Duration::from_secs(20);

/// What a run has shown.
pub(crate) struct Outcome {
    pub(crate) verdict: Verdict,
    pub(crate) faults: Vec<(&'static str, usize)>,
    pub(crate) accepted: usize,
    pub(crate) stale: usize,
}

/// The same chaos for the same seed, as far as a machine that does many things at once repeats itself.
pub(crate) async fn run(args: &RunArgs, seed: u64, program: PathBuf, logs: &Path) -> anyhow::Result<Outcome> {
    let began = Instant::now();
    let say = |what: &str| eprintln!("{:>6.1} s  {what}", began.elapsed().as_secs_f64());
    let plan = Plan::new(seed, args.employees, args.events);
    let parts =
        spawn_blocking(|| Parts::start(&[Part::Kafka, Part::DynamoDb, Part::Redis], |_, _, _| {})).await??;
    let (kafka, dynamodb) = (parts.kafka.context("no Kafka")?, parts.dynamodb.context("no DynamoDB")?);
    let redis = parts.redis.context("no Redis")?;
    say("Kafka, DynamoDB Local and Redis are up");

    let template = Template::read(Path::new("template.yaml"))?;
    let triggers = template.functions.iter().flat_map(|function| function.triggers.clone()).collect();
    let function = |name: &str| template.functions.iter().find(move |function| function.name == name);
    let enrichment = function("enrichment").context("no enrichment in template.yaml")?;
    let topic = enrichment.triggers.first().context("the enrichment reads nothing")?.topic.clone();
    let users_table = enrichment.variables["USERS_TABLE"].clone();

    let tally = Tally::default();
    let servers = kafka.bootstrap_servers();
    let (tables, tables_url) =
        Tables::start(dynamodb.url(), users_table, seed, args.bug, tally.clone()).await?;
    let directory = Directory::empty(Clock::system());
    plan.people.iter().for_each(|person| directory.add(person.clone()));
    let okta_url = serve_okta(directory.clone()).await?;
    let vars = Vars::from_iter([
        ("KAFKA_BOOTSTRAP_SERVERS", servers.clone()),
        ("AWS_ENDPOINT_URL_DYNAMODB", tables_url),
        ("CACHE_URL", redis.url()),
        ("CACHE_TTL_SECONDS", CACHE_TTL.as_secs().to_string()),
        ("OKTA_ORG_URL", okta_url),
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
    say(&format!("{WORKERS} workers are up; their logs: {}", logs.display()));

    let hr = Hr::new(fleet.clone(), &servers, topic.clone(), tally.clone())?;
    let faults = Faults {
        fleet: fleet.clone(),
        tables: tables.clone(),
        directory,
        kafka: Arc::new(Mutex::new(kafka)),
        redis: Arc::new(Mutex::new(redis)),
        tally: tally.clone(),
        decks: AtomicUsize::new(0),
    };
    let backlog = Backlog { servers: servers.clone(), triggers };
    deliver(&hr, &plan, &faults, &backlog, args, seed, &say).await?;
    say("the faults have ended");
    fleet.all_up().await?;
    fleet.set_troubled(false);
    settle(&backlog, &tables, &say).await?;
    say("settled");

    let (posts, poison) = hr.into_log();
    let log = spawn_blocking(move || topics::read(&servers, &topic)).await??;
    let writes = tables.writes();
    let mut written = BTreeMap::new();
    for write in &writes {
        let newest = written.entry(write.employee.clone()).or_insert(write.version);
        *newest = write.version.max(*newest);
    }
    let api = Api::new(fleet.clone());
    let (users, stale) = api.users(&written, CACHE_TTL + QUIET).await?;
    let ids = log.iter().filter_map(|logged| match &logged.content {
        Content::Accepted(accepted) => Some(accepted.correlation_id.clone()),
        Content::Poison { .. } | Content::Unknown => None,
    });
    let requests = api.requests(ids).await?;
    let letters = api.letters().await?;
    fleet.report_crashes()?;
    let accepted = posts.values().filter(|post| post.accepted).count();
    let evidence = Evidence { posts, log, poison, writes, users, requests, letters };
    say("read what is left");
    Ok(Outcome { verdict: check(&evidence), faults: tally.rows(), accepted, stale })
}

const OKTA_TOKEN: &str = "chaos";

async fn serve_okta(directory: Directory) -> anyhow::Result<String> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let url = format!("http://{}", listener.local_addr()?);
    let token = OKTA_TOKEN.to_owned().into();
    tokio::spawn(okta::fake::serve(listener, directory, token, std::future::pending()));
    Ok(url)
}

/// What is still to be read.
#[derive(Clone)]
struct Backlog {
    servers: String,
    triggers: Vec<Trigger>,
}

impl Backlog {
    async fn records(&self) -> anyhow::Result<i64> {
        let Self { servers, triggers } = self.clone();
        let lag = spawn_blocking(move || {
            let lags = triggers.iter().map(|trigger| topics::lag(&servers, &trigger.topic, &trigger.group));
            lags.sum()
        });
        lag.await?
    }
}

/// Until everything is accepted, every kind of fault has come, and most of it was processed under faults.
async fn deliver(
    hr: &Hr,
    plan: &Plan,
    faults: &Faults,
    backlog: &Backlog,
    args: &RunArgs,
    seed: u64,
    say: &impl Fn(&str),
) -> anyhow::Result<()> {
    let (stop, stopped) = watch::channel(false);
    let all = plan.deliveries.len();
    let delivering = async {
        let began = Instant::now();
        hr.deliver(&plan.deliveries, args.length()).await?;
        say("everything was delivered");
        // Not for ever: under faults, a slow machine may never get there.
        let deadline = Instant::now() + began.elapsed();
        loop {
            // The broker may be away.
            let waiting = backlog.records().await.ok().and_then(|waiting| usize::try_from(waiting).ok());
            let is_small = waiting.is_some_and(|waiting| waiting < all / 20);
            if faults.decks.load(SeqCst) > 0 && (is_small || Instant::now() > deadline) {
                break;
            }
            sleep(Duration::from_millis(500)).await;
        }
        stop.send_replace(true);
        anyhow::Ok(())
    };
    let telling = async {
        loop {
            sleep(TELLING).await;
            let (done, waiting) = (hr.done.load(SeqCst), backlog.records().await);
            let waiting =
                waiting.map_or_else(|_| "an unknown number".to_owned(), |waiting| waiting.to_string());
            say(&format!("{done} of {all} delivered, {waiting} of them to process"));
        }
    };
    tokio::select! {
        ended = async { tokio::try_join!(delivering, faults.inject(seed, stopped)) } => ended.map(drop),
        () = telling => Ok(()),
    }
}

/// Waits until every reader has come to its end, and nobody asks the tables for anything.
async fn settle(backlog: &Backlog, tables: &Tables, say: &impl Fn(&str)) -> anyhow::Result<()> {
    let (mut least, mut since, mut said) = (i64::MAX, Instant::now(), Instant::now());
    loop {
        let waiting = backlog.records().await?;
        if waiting == 0 && tables.idle() > QUIET {
            return Ok(());
        }
        if waiting < least {
            (least, since) = (waiting, Instant::now());
        }
        if since.elapsed() > STANDSTILL {
            bail!("{waiting} records are not processed, and none was within {STANDSTILL:?} without faults");
        }
        if said.elapsed() > TELLING {
            said = Instant::now();
            say(&format!("{waiting} records to process"));
        }
        sleep(Duration::from_millis(500)).await;
    }
}

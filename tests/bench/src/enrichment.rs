//! `bench enrichment`: from the topic to the stored user.

use std::{
    fmt::{self, Display, Formatter},
    time::{Duration, Instant},
};

use anyhow::{Context, Result, ensure};
use contracts::topic;
use runtime::{Clock, Vars};
use rustix::process::Signal;
use tokio::time::sleep;

use crate::{
    bootstrap::{self, Bootstrap},
    candidates::{Candidate, Candidates, Measured},
    hr::Hr,
    report::{Aim, Section},
    server::Server,
    stage::{Stage, okta},
    topics::{self, GROUP, Progress},
    users,
};

const FLOOR: &str = "floor";
const PIPELINE: &str = "local pipeline";
/// Named by its HTTP client.
const WORKERS: [(&str, &str); 2] =
    [("Python worker (httpx)", "httpx"), ("Python worker (aiohttp)", "aiohttp")];

const ABOUT: &str = "Each record is another new hire, and each of them is looked for in the store in the end. One function: the \
    bootstrap as it is deployed, which gets batches over a Runtime API, one after the other; `16 at once` is \
    ENRICHMENT_CONCURRENCY. A round is ten invocations or more; with Okta at 200 ms it is five where the batches are of 1 \
    or of 500. The local pipeline reads Apache Kafka and invokes the function for each partition, with 100 records and 16 \
    people at once, in one process. The Python worker does what the enrichment does (asyncio, aiokafka, httpx or aiohttp) \
    in a process for each core, where there are partitions, with as many records and people at once altogether. The floor, \
    on one thread of a process, consumes, decodes, and asks Okta for the user, where the enrichment has three requests to \
    Okta (six for the tenth whose login isn't their address) and seven to Redis. All of these have read and \
    committed some records of the topic before; then they are stopped (SIGSTOP), the topic is filled, and the time is from \
    when they may go on until the last record is committed. Who is faster gets more records. CPU is what one record costs \
    the measured processes; Okta, Kafka and Redis, on the same cores, are not in it.";

#[derive(Debug, Clone, Copy, clap::Args)]
#[group(skip)]
pub(crate) struct Args {
    /// How many records the pipeline gets, with Okta at 0 ms and 12 partitions; the others' are in proportion
    #[arg(long, default_value_t = 6_000)]
    records: usize,
}

/// How one function is invoked.
struct Shape {
    batch: usize,
    at_once: usize,
    /// How often in a round: for a second or more.
    invocations: usize,
}

impl Shape {
    const fn new(batch: usize, at_once: usize, invocations: usize) -> Self {
        Self { batch, at_once, invocations }
    }
}

/// The first is what the template deploys.
const SHAPES: [Shape; 8] = [
    Shape::new(BATCH, PEOPLE, 20),
    Shape::new(1, 16, 400),
    Shape::new(10, 16, 120),
    Shape::new(100, 1, 10),
    Shape::new(100, 4, 15),
    Shape::new(100, 64, 25),
    Shape::new(500, 16, 10),
    Shape::new(500, 64, 10),
];

/// With Okta at 200 ms, where a batch takes up to several seconds.
const SLOW_SHAPES: [Shape; 5] = [
    Shape::new(BATCH, PEOPLE, 10),
    Shape::new(1, 16, 5),
    Shape::new(10, 16, 10),
    Shape::new(100, 64, 10),
    Shape::new(500, 64, 5),
];

/// What the floor, the pipeline and the workers are measured on.
struct Case {
    /// Okta's, in milliseconds.
    latency: u64,
    partitions: usize,
    /// Percent of the records, so that each takes a second or more.
    floor: usize,
    pipeline: usize,
    workers: usize,
}

const CASES: [Case; 4] = [
    Case { latency: 0, partitions: 1, floor: 150, pipeline: 25, workers: 6 },
    Case { latency: 0, partitions: 12, floor: 200, pipeline: 100, workers: 25 },
    Case { latency: 200, partitions: 1, floor: 3, pipeline: 3, workers: 3 },
    Case { latency: 200, partitions: 12, floor: 30, pipeline: 25, workers: 13 },
];

/// How many people, and records, of a partition at once: the template's.
pub(crate) const PEOPLE: usize = 16;
pub(crate) const BATCH: usize = 100;

/// How long it may take, on a busy machine, until a topic is read or a group has its members.
const LIMIT: Duration = Duration::from_mins(5);

pub(crate) async fn run(rounds: usize, args: Args, stage: &Stage) -> Result<Section> {
    topics::ensure(&stage.kafka, "", 12).await?;
    let slow = okta(200)?;
    let vars = stage.vars();
    let slow_vars = vars.clone().with("OKTA_ORG_URL", format!("http://{}", slow.addresses[0]));
    let with_latency = |latency| if latency == 0 { &vars } else { &slow_vars };
    let mut bench = Bench { hr: Hr::new()?, stage, next: 0 };
    let (mut tables, mut aims) = (Vec::new(), Vec::new());
    for (latency, shapes) in [(0, &SHAPES[..]), (200, &SLOW_SHAPES)] {
        let mut candidates = Candidates::named(shapes);
        let measure = async |number: usize| bench.one_function(with_latency(latency), &shapes[number]).await;
        candidates.take_turns(1..=rounds, measure).await?;
        tables.push(candidates.table(format!("one function, Okta at {latency} ms"), "records per s"));
    }
    let http_clients = stage.peers.python().map_or(&[][..], |_| &WORKERS);
    for Case { latency, partitions, floor, pipeline, workers } in CASES {
        let vars = with_latency(latency);
        let names = [FLOOR, PIPELINE].into_iter().chain(http_clients.iter().map(|(name, _)| *name));
        let mut candidates = Candidates::named(names);
        // Whole batches: a part of one would be committed when it is the last.
        let records = |percent: usize| (args.records * percent / 100).next_multiple_of(BATCH);
        let measure = async |number| match number {
            0 => bench.floor(vars, partitions, records(floor)).await,
            1 => bench.pipeline(vars, partitions, records(pipeline)).await,
            _ => bench.worker(http_clients[number - 2].1, vars, partitions, records(workers)).await,
        };
        candidates.take_turns(1..=rounds, measure).await?;
        let title = format!("Okta at {latency} ms, partitions: {partitions}");
        if latency == 0 {
            aims.extend(aims_of(&title, &candidates));
        }
        tables.push(candidates.table(title, "records per s"));
    }
    Ok(Section { title: "Enrichment", about: ABOUT.to_owned() + &stage.peers.about(), tables, aims })
}

impl Display for Shape {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let Self { batch, at_once, .. } = self;
        write!(f, "batches of {batch}, {at_once} at once")
    }
}

fn aims_of(title: &str, candidates: &Candidates) -> Vec<Aim> {
    let Some(pipeline) = candidates.find(PIPELINE) else { return Vec::new() };
    let workers = WORKERS.iter().filter_map(|(name, _)| candidates.find(name));
    let aim = |worker: &Candidate| {
        let per_core = worker.ratio(pipeline, Measured::cpu_micros);
        let what = format!("{title}: CPU of {} over that of the {PIPELINE}", worker.name);
        Aim::at_least(what, per_core, 10.0, " ×")
    };
    workers.map(aim).collect()
}

struct Bench<'a> {
    hr: Hr,
    stage: &'a Stage,
    /// The number of the next new hire: nobody is hired twice.
    next: usize,
}

/// A topic of its own for each run.
struct Topic {
    prefix: String,
    name: String,
    failed: String,
    group: String,
    partitions: usize,
}

impl Bench<'_> {
    async fn one_function(&mut self, vars: &Vars, shape: &Shape) -> Result<Measured> {
        let Shape { batch, at_once, invocations } = *shape;
        let vars = vars.clone().with("ENRICHMENT_CONCURRENCY", at_once.to_string());
        let mut bootstrap = Bootstrap::start("enrichment", &vars).await?;
        let first = self.next;
        let mut next_batch = || {
            let numbers = self.next..self.next + batch;
            self.next = numbers.end;
            self.hr.batch(topic::ENRICHMENT_REQUESTED, numbers)
        };
        // The first connects to everything.
        bootstrap.invoke(next_batch()?, bootstrap::PROCESSED).await?;
        let batches = (0..invocations).map(|_| next_batch()).collect::<Result<Vec<_>>>()?;
        let (began, used) = (Instant::now(), bootstrap.process.usage()?.cpu);
        for event in batches {
            bootstrap.invoke(event, bootstrap::PROCESSED).await?;
        }
        // Threads that stay: the exact clock, for some of these runs are five small invocations.
        let (took, used) = (began.elapsed(), bootstrap.process.usage()?.cpu.saturating_sub(used));
        users::expect(&vars, first..self.next).await?;
        Ok(Measured::of_many(invocations * batch, took, used))
    }

    /// What reads the topic and invokes the function, as `joiner dev` does.
    async fn pipeline(&mut self, vars: &Vars, partitions: usize, records: usize) -> Result<Measured> {
        let topic = self.new_topic(partitions).await?;
        let server = Server::function("enrichment", &["--topic-prefix", &topic.prefix], vars)?;
        self.enrich(server, &topic, vars, records).await
    }

    async fn worker(
        &mut self,
        http_client: &str,
        vars: &Vars,
        partitions: usize,
        records: usize,
    ) -> Result<Measured> {
        let python = self.stage.peers.python().context("there is no Python for the peers")?;
        let topic = self.new_topic(partitions).await?;
        let processes = self.stage.cores.min(partitions);
        let vars = vars
            .clone()
            .with("HTTP_CLIENT", http_client)
            .with("KAFKA_TOPIC", &topic.name)
            .with("KAFKA_FAILED_TOPIC", &topic.failed)
            .with("KAFKA_GROUP", &topic.group)
            .with("CONCURRENCY", (PEOPLE * partitions / processes).to_string())
            .with("BATCH", (BATCH * partitions / processes).to_string());
        let server = Server::python(python, "worker.py", processes, &vars)?;
        topics::wait_for_members(&self.stage.kafka, &topic.group, processes, LIMIT).await?;
        self.enrich(server, &topic, &vars, records).await
    }

    async fn new_topic(&self, partitions: usize) -> Result<Topic> {
        let prefix = format!("bench-{}.", Clock::system().new_id().simple());
        let topic = Topic {
            name: format!("{prefix}{}", topic::ENRICHMENT_REQUESTED),
            failed: format!("{prefix}{}", topic::ENRICHMENT_FAILED),
            group: format!("{prefix}{GROUP}"),
            prefix,
            partitions,
        };
        let partitions = i32::try_from(partitions)?;
        topics::ensure(&self.stage.kafka, &topic.prefix, partitions).await?;
        Ok(topic)
    }

    async fn fill(&mut self, topic: &Topic, vars: &Vars, records: usize) -> Result<()> {
        let producer = topics::producer(vars)?;
        let hires = (self.next..self.next + records).map(|number| (number, 0));
        self.next += records;
        topics::fill(&producer, &topic.name, &self.hr, hires).await
    }

    async fn floor(&mut self, vars: &Vars, partitions: usize, records: usize) -> Result<Measured> {
        let topic = self.new_topic(partitions).await?;
        let server = Server::ourselves(&["floor", &topic.name, &topic.group, &partitions.to_string()], vars)?;
        self.measure(server, &topic, vars, records).await
    }

    /// By what stores those whom it has read of.
    async fn enrich(
        &mut self,
        server: Server,
        topic: &Topic,
        vars: &Vars,
        records: usize,
    ) -> Result<Measured> {
        let first = self.next;
        let measured = self.measure(server, topic, vars, records).await?;
        users::expect(vars, first..self.next).await?;
        Ok(measured)
    }

    /// Until the last of the records is committed, by a reader that is warm, from when it may begin. All of them are on the
    /// topic then, so that nobody waits for the bench.
    async fn measure(
        &mut self,
        mut server: Server,
        topic: &Topic,
        vars: &Vars,
        records: usize,
    ) -> Result<Measured> {
        let warm = (20 * topic.partitions).next_multiple_of(BATCH);
        let progress = Progress::of(&self.stage.kafka, &topic.name, &topic.group)?;
        self.fill(topic, vars, warm).await?;
        wait_for(&progress, warm, &mut server).await?;
        server.signal(Signal::STOP)?;
        self.fill(topic, vars, records).await?;
        let (began, used) = (Instant::now(), server.cpu()?);
        server.signal(Signal::CONT)?;
        wait_for(&progress, warm + records, &mut server).await?;
        let (took, used) = (began.elapsed(), server.cpu()?.saturating_sub(used));
        Ok(Measured::of_many(records, took, used))
    }
}

async fn wait_for(progress: &Progress, records: usize, server: &mut Server) -> Result<()> {
    let deadline = Instant::now() + LIMIT;
    loop {
        let done = progress.committed().await?;
        if done >= records {
            return Ok(());
        }
        server.check_running()?;
        ensure!(Instant::now() < deadline, "{done} of {records} records were processed within {LIMIT:?}");
        sleep(Duration::from_millis(5)).await;
    }
}

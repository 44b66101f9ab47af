//! `bench enrichment`: from the topic to the stored user.

use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use contracts::{EnrichmentRequestedV1, topic};
use futures_util::{StreamExt, TryStreamExt};
use rdkafka::{
    Message, Offset, TopicPartitionList,
    consumer::{Consumer, StreamConsumer},
};
use reqwest::header;
use runtime::{Clock, Vars};
use tokio::time::{sleep, timeout};

use crate::{
    bootstrap::{self, Bootstrap},
    candidates::{Candidate, Candidates, Measured},
    hr::Hr,
    process::own_cpu,
    report::{Aim, Section},
    server::Server,
    stage::{OKTA_TOKEN, Stage, okta},
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
    ENRICHMENT_CONCURRENCY. The local pipeline reads Apache Kafka and invokes the function for each partition, with 100 \
    records and 16 people at once, in one process. The Python worker does what the enrichment does (asyncio, aiokafka, \
    httpx or aiohttp) in a process for each core, where there are partitions, with as many records and people at once \
    altogether. Both have read a few records of each partition before; then all are put onto the topic, and the time \
    is until the last of them is committed. The floor, on one thread of this process, consumes, decodes, and asks \
    Okta for the user, where the enrichment has three requests to Okta and five to Redis. CPU is what one record \
    costs the measured processes; Okta, Kafka and Redis, on the same cores, are not in it.";

#[derive(Debug, Clone, Copy, clap::Args)]
#[group(skip)]
pub(crate) struct Args {
    /// How many records the pipeline gets, with Okta at 0 ms and 12 partitions
    #[arg(long, default_value_t = 6_000)]
    records: usize,
}

/// Batch size and concurrency of the invocations of one function.
const INVOCATIONS: [(usize, usize); 7] =
    [(1, 16), (10, 16), (100, 1), (100, 4), (100, 16), (100, 64), (500, 16)];

/// And where each takes half a second.
const SLOW_INVOCATIONS: [(usize, usize); 4] = [(1, 16), (10, 16), (100, 16), (100, 64)];

/// What the pipelines are measured on. Parts of the records: enough to take seconds.
struct Case {
    /// Okta's, in milliseconds.
    latency: u64,
    partitions: usize,
    part: usize,
    /// Of Python, which takes longer for each.
    workers_part: usize,
}

const CASES: [Case; 4] = [
    Case { latency: 0, partitions: 1, part: 4, workers_part: 16 },
    Case { latency: 0, partitions: 12, part: 1, workers_part: 4 },
    Case { latency: 200, partitions: 1, part: 30, workers_part: 30 },
    Case { latency: 200, partitions: 12, part: 4, workers_part: 8 },
];

/// How many people, and records, of a partition at once: the template's, and the function's own.
const PEOPLE: usize = 16;
const BATCH: usize = 100;

/// How long one run may take on a busy machine.
const LIMIT: Duration = Duration::from_mins(5);

pub(crate) async fn run(rounds: usize, args: Args, stage: &Stage) -> Result<Section> {
    let slow = okta(200)?;
    let vars = stage.vars();
    let slow_vars = vars.clone().with("OKTA_ORG_URL", format!("http://{}", slow.addresses[0]));
    let with_latency = |latency| if latency == 0 { &vars } else { &slow_vars };
    let mut bench = Bench { hr: Hr::new()?, stage, next: 0 };
    let (mut tables, mut aims) = (Vec::new(), Vec::new());
    for (latency, shapes) in [(0, &INVOCATIONS[..]), (200, &SLOW_INVOCATIONS)] {
        let shape = |(batch, at_once): &(usize, usize)| format!("batches of {batch}, {at_once} at once");
        let mut candidates = Candidates::named(shapes.iter().map(shape));
        let measure = async |number: usize| {
            let (batch, at_once) = shapes[number];
            let records = if latency == 0 { args.records / 6 } else { 2 * batch };
            bench.one_function(with_latency(latency), batch, at_once, records).await
        };
        candidates.take_turns(1..=rounds, measure).await?;
        tables.push(candidates.table(format!("one function, Okta at {latency} ms"), "records per s"));
    }
    let workers = stage.peers.python().map_or(&[][..], |_| &WORKERS);
    for Case { latency, partitions, part, workers_part } in CASES {
        let vars = with_latency(latency);
        let names = [FLOOR, PIPELINE].into_iter().chain(workers.iter().map(|(name, _)| *name));
        let mut candidates = Candidates::named(names);
        let (records, fewer) = (args.records / part, args.records / workers_part);
        let measure = async |number| match number {
            0 => bench.floor(vars, partitions, records).await,
            1 => bench.pipeline(vars, partitions, records).await,
            _ => bench.worker(workers[number - 2].1, vars, partitions, fewer).await,
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
    async fn one_function(
        &mut self,
        vars: &Vars,
        batch: usize,
        at_once: usize,
        records: usize,
    ) -> Result<Measured> {
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
        let batches = (0..records.div_ceil(batch)).map(|_| next_batch()).collect::<Result<Vec<_>>>()?;
        let done = batches.len() * batch;
        let (began, used) = (Instant::now(), bootstrap.process.usage()?.cpu);
        for event in batches {
            bootstrap.invoke(event, bootstrap::PROCESSED).await?;
        }
        // Threads that stay: the exact clock, for some of these runs are two invocations.
        let (took, used) = (began.elapsed(), bootstrap.process.usage()?.cpu.saturating_sub(used));
        users::expect(&vars, first..self.next).await?;
        Ok(Measured::of_many(done, took, used))
    }

    /// What reads the topic and invokes the function, as `joiner dev` does.
    async fn pipeline(&mut self, vars: &Vars, partitions: usize, records: usize) -> Result<Measured> {
        let topic = self.new_topic(partitions).await?;
        let server = Server::function("enrichment", &["--topic-prefix", &topic.prefix], vars)?;
        self.measure(server, &topic, vars, records).await
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
        self.measure(server, &topic, &vars, records).await
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
        topics::ensure(&self.stage.kafka, &[&topic.name, &topic.failed], partitions).await?;
        Ok(topic)
    }

    async fn fill(&mut self, topic: &Topic, vars: &Vars, records: usize) -> Result<()> {
        let producer = topics::producer(vars)?;
        let hires = (self.next..self.next + records).map(|number| (number, 0));
        self.next += records;
        topics::fill(&producer, &topic.name, &self.hr, hires).await
    }

    /// From the first record on the topic until the last is committed, by readers that have read some before.
    async fn measure(
        &mut self,
        mut server: Server,
        topic: &Topic,
        vars: &Vars,
        records: usize,
    ) -> Result<Measured> {
        let (first, warm) = (self.next, 20 * topic.partitions);
        let progress = Progress::of(&self.stage.kafka, &topic.name, &topic.group)?;
        self.fill(topic, vars, warm).await?;
        wait_for(&progress, warm, &mut server).await?;
        let (began, used) = (Instant::now(), server.cpu()?);
        self.fill(topic, vars, records).await?;
        wait_for(&progress, warm + records, &mut server).await?;
        let (took, used) = (began.elapsed(), server.cpu()?.saturating_sub(used));
        users::expect(vars, first..self.next).await?;
        Ok(Measured::of_many(records, took, used))
    }

    async fn floor(&mut self, vars: &Vars, partitions: usize, records: usize) -> Result<Measured> {
        let topic = self.new_topic(partitions).await?;
        self.fill(&topic, vars, records).await?;
        let mut config = topics::config(&self.stage.kafka);
        config.set("group.id", &topic.group).set("enable.auto.commit", "false");
        let consumer: StreamConsumer = config.create()?;
        let mut assignment = TopicPartitionList::new();
        for partition in 0..i32::try_from(partitions)? {
            assignment.add_partition_offset(&topic.name, partition, Offset::Beginning)?;
        }
        consumer.assign(&assignment)?;
        let okta = vars.require("OKTA_ORG_URL", "the fake Okta's")?;
        let http = okta::http_client(Duration::from_secs(10));
        let asking = consumer.stream().take(records).map(async |message| {
            let message = message?;
            let event = EnrichmentRequestedV1::decode(message.payload().context("a record is empty")?)?;
            let url = format!("{okta}/api/v1/users/{}", event.employee.email.as_str());
            let request = http.get(url).header(header::AUTHORIZATION, format!("SSWS {OKTA_TOKEN}"));
            let _user = request.send().await?.bytes().await?;
            anyhow::Ok(())
        });
        let mut answers = asking.buffer_unordered(PEOPLE * partitions);
        // The connections are made before the time begins.
        let (skipped, mut start, mut done) = (records / 10, None, 0);
        while let Some(()) = timeout(LIMIT, answers.try_next()).await.context("the floor stands still")?? {
            done += 1;
            if done == skipped {
                start = Some((Instant::now(), own_cpu()));
            }
        }
        let (began, used) = start.context("there were too few records")?;
        Ok(Measured::of_many(done - skipped, began.elapsed(), own_cpu().saturating_sub(used)))
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

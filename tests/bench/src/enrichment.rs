//! `bench enrichment`: from the topic to the stored user.

use std::{
    path::Path,
    sync::Arc,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, bail};
use contracts::{EnrichmentRequestedV1, topic};
use futures_util::{StreamExt, TryStreamExt};
use rdkafka::{
    Message, Offset, TopicPartitionList,
    consumer::{Consumer, StreamConsumer},
};
use reqwest::header;
use runtime::Vars;
use tokio::time::sleep;

use crate::{
    bootstrap::Bootstrap,
    hr::Hr,
    load::{Candidate, Measured, collect, find, throughput},
    process::own_cpu,
    report::{Aim, Section},
    server::Server,
    stage::{OKTA_TOKEN, Stage, okta},
    statistics::micros,
    topics::{self, Progress},
};

const FLOOR: &str = "floor";
const PIPELINE: &str = "local pipeline";
/// Named by its HTTP client.
const WORKERS: [(&str, &str); 2] =
    [("Python worker (httpx)", "httpx"), ("Python worker (aiohttp)", "aiohttp")];

const ABOUT: &str = "Each record is another new hire. One function: the bootstrap as it is deployed, which gets batches over a \
    Runtime API, one after the other; `16 at once` is ENRICHMENT_CONCURRENCY. The local pipeline reads Apache Kafka and \
    invokes the function once a partition, in one process. The floor, in this process, consumes, decodes, and asks Okta \
    for the user, where the enrichment has three requests to Okta and five to Redis. The Python worker does what the \
    enrichment does (asyncio, aiokafka, httpx or aiohttp; a process for each core where there are partitions). Timed from the tenth \
    part of the records on to the last. CPU is what one record costs the measured processes; Okta, Kafka and Redis, on \
    the same cores, are not in it.";

#[derive(Debug, Clone, Copy, clap::Args)]
#[group(skip)]
pub(crate) struct Args {
    /// How many records the pipeline gets, with Okta at 0 ms
    #[arg(long, default_value_t = 6_000)]
    records: usize,
}

/// Batch size and concurrency of the invocations of one function.
const INVOCATIONS: [(usize, usize); 7] =
    [(1, 16), (10, 16), (100, 1), (100, 4), (100, 16), (100, 64), (500, 16)];

/// And where each takes half a second.
const SLOW_INVOCATIONS: [(usize, usize); 4] = [(1, 16), (10, 16), (100, 16), (100, 64)];

/// Milliseconds of Okta's, partitions, and which part of the records is enough to see how fast it is.
const PIPELINES: [(u64, i32, usize); 4] = [(0, 1, 2), (0, 12, 1), (200, 1, 60), (200, 12, 6)];

/// How long one run may take on a busy machine.
const LIMIT: Duration = Duration::from_mins(5);

/// Python's share of the records: it takes longer for each.
const WORKERS_SHARE: usize = 4;

pub(crate) async fn run(rounds: usize, args: Args, stage: &Stage) -> Result<Section> {
    let mut bench = Bench { hr: Hr::new()?, stage, next: 0 };
    let (mut tables, mut aims) = (Vec::new(), Vec::new());
    let slow = okta(200)?;
    let slow_vars = stage.vars().with("OKTA_ORG_URL", format!("http://{}", slow.addresses[0]));
    let invocations: [(_, _, &[_]); 2] =
        [(0, stage.vars(), &INVOCATIONS), (200, slow_vars.clone(), &SLOW_INVOCATIONS)];
    for (latency, vars, shapes) in invocations {
        let mut candidates = Vec::new();
        for _ in 0..rounds {
            for &(batch, at_once) in shapes {
                let records = if latency == 0 { args.records / 6 } else { 2 * batch };
                let measured = bench.one_function(&vars, batch, at_once, records).await?;
                collect(&mut candidates, format_args!("batches of {batch}, {at_once} at once"), measured);
            }
        }
        tables.push(throughput(format!("one function, Okta at {latency} ms"), &candidates));
    }
    for (latency, partitions, divisor) in PIPELINES {
        let vars = if latency == 0 { stage.vars() } else { slow_vars.clone() };
        let records = args.records / divisor;
        let mut candidates = Vec::new();
        for _ in 0..rounds {
            collect(&mut candidates, FLOOR, bench.floor(&vars, partitions, records).await?);
            collect(&mut candidates, PIPELINE, bench.pipeline(&vars, partitions, records).await?);
            for (name, client) in WORKERS {
                let Some(python) = stage.peers.python() else { continue };
                let vars = vars.clone().with("HTTP_CLIENT", client);
                let measured =
                    bench.worker(python, &vars, partitions, records.div_ceil(WORKERS_SHARE)).await?;
                collect(&mut candidates, name, measured);
            }
        }
        let title = format!("Okta at {latency} ms, partitions: {partitions}");
        if latency == 0 {
            aims.extend(aims_of(&title, &candidates));
        }
        tables.push(throughput(title, &candidates));
    }
    Ok(Section { title: "Enrichment", about: ABOUT.to_owned() + &stage.peers.about(), tables, aims })
}

fn aims_of(title: &str, candidates: &[Candidate]) -> Vec<Aim> {
    let Some(pipeline) = find(candidates, PIPELINE) else { return Vec::new() };
    let workers = WORKERS.iter().filter_map(|(name, _)| find(candidates, name));
    let aim = |worker: &Candidate| {
        let per_core = worker.ratio(pipeline, |measured| micros(measured.cpu)).median;
        let what = format!("{title}: records a second and core over the {}'s", worker.name);
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
        // The first connects to everything.
        let batches: Vec<_> = (0..=records.div_ceil(batch))
            .map(|_| {
                let numbers = self.next..self.next + batch;
                self.next = numbers.end;
                self.hr.batch(topic::ENRICHMENT_REQUESTED, numbers)
            })
            .collect::<Result<_>>()?;
        let mut batches = batches.into_iter();
        bootstrap.invoke(batches.next().context("there is a first one")?).await?;
        let (began, used) = (Instant::now(), bootstrap.process.usage()?.cpu);
        let mut done = 0;
        for event in batches {
            let answer = bootstrap.invoke(event).await?;
            if &*answer.body != br#"{"batchItemFailures":[]}"# {
                bail!("records were reported back: {}", String::from_utf8_lossy(&answer.body));
            }
            done += batch;
        }
        let used = bootstrap.process.usage()?.cpu.saturating_sub(used);
        Ok(Measured::of_many(done, began.elapsed(), used))
    }

    /// What reads the topic and invokes the function, as `joiner dev` does.
    async fn pipeline(&mut self, vars: &Vars, partitions: i32, records: usize) -> Result<Measured> {
        let topic = self.fill(partitions, records).await?;
        let server = Server::function("enrichment", &["--topic-prefix", &topic.prefix], vars)?;
        self.watch(server, topic, records).await
    }

    async fn worker(
        &mut self,
        python: &Path,
        vars: &Vars,
        partitions: i32,
        records: usize,
    ) -> Result<Measured> {
        let topic = self.fill(partitions, records).await?;
        let vars = vars
            .clone()
            .with("KAFKA_TOPIC", &topic.name)
            .with("KAFKA_FAILED_TOPIC", &topic.failed)
            .with("KAFKA_GROUP", &topic.group)
            .with("CONCURRENCY", "16")
            .with("BATCH", "100");
        let processes = self.stage.cores.min(usize::try_from(partitions)?);
        let server = Server::python(python, "worker.py", processes, &vars)?;
        self.watch(server, topic, records).await
    }

    async fn fill(&mut self, partitions: i32, records: usize) -> Result<Topic> {
        let prefix = format!("bench-{}.", self.next);
        let topic = Topic {
            name: format!("{prefix}{}", topic::ENRICHMENT_REQUESTED),
            failed: format!("{prefix}{}", topic::ENRICHMENT_FAILED),
            group: format!("{prefix}joiner-enrichment"),
            prefix,
        };
        let servers = &self.stage.kafka;
        topics::ensure(servers, &[&topic.name, &topic.failed], partitions).await?;
        let hires = (self.next..self.next + records).map(|number| (number, 0));
        topics::fill(&topics::producer(servers)?, &topic.name, &self.hr, hires).await?;
        self.next += records;
        Ok(topic)
    }

    /// From the tenth part of the records on to the last, by what the readers have committed.
    async fn watch(&self, mut server: Server, topic: Topic, records: usize) -> Result<Measured> {
        let progress = Arc::new(Progress::of(&self.stage.kafka, &topic.name, &topic.group)?);
        let (mut start, deadline) = (None, Instant::now() + LIMIT);
        loop {
            let done = progress.committed().await?;
            let now = Instant::now();
            let (began, before, used) = match start {
                Some(start) => start,
                None if done >= records / 10 => *start.insert((now, done, server.cpu()?)),
                None => (now, done, Duration::ZERO),
            };
            if done >= records {
                return Ok(Measured::of_many(done - before, now - began, server.cpu()?.saturating_sub(used)));
            }
            server.is_running()?;
            if now > deadline {
                bail!("{done} of {records} records were processed within {LIMIT:?}");
            }
            sleep(Duration::from_millis(5)).await;
        }
    }

    async fn floor(&mut self, vars: &Vars, partitions: i32, records: usize) -> Result<Measured> {
        let topic = self.fill(partitions, records).await?;
        let mut config = topics::config(&self.stage.kafka);
        config.set("group.id", &topic.group).set("enable.auto.commit", "false");
        let consumer: StreamConsumer = config.create()?;
        let mut assignment = TopicPartitionList::new();
        for partition in 0..partitions {
            assignment.add_partition_offset(&topic.name, partition, Offset::Beginning)?;
        }
        consumer.assign(&assignment)?;
        let okta = vars.require("OKTA_ORG_URL", "the fake Okta's")?;
        let http = okta::http_client(Duration::from_secs(10));
        let at_once = 16 * usize::try_from(partitions)?;
        let (skipped, mut start, mut done) = (records / 10, None, 0);
        let mut answers = consumer
            .stream()
            .take(records)
            .map(async |message| {
                let message = message?;
                let event = EnrichmentRequestedV1::decode(message.payload().context("a record is empty")?)?;
                let url = format!("{okta}/api/v1/users/{}", event.employee.email.as_str());
                let request = http.get(url).header(header::AUTHORIZATION, format!("SSWS {OKTA_TOKEN}"));
                let _user = request.send().await?.bytes().await?;
                anyhow::Ok(())
            })
            .buffer_unordered(at_once);
        while let Some(()) = answers.try_next().await? {
            done += 1;
            if done == skipped {
                start = Some((Instant::now(), own_cpu()));
            }
        }
        let (began, used) = start.context("there were too few records")?;
        Ok(Measured::of_many(done - skipped, began.elapsed(), own_cpu().saturating_sub(used)))
    }
}

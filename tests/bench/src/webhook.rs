//! `bench webhook`: from the request to its 202, which is given when the brokers have the event.

use std::{sync::Arc, time::Duration};

use anyhow::Result;
use hyper::{Method, StatusCode};
use rdkafka::producer::{FutureProducer, FutureRecord};

use crate::{
    bootstrap::ACCEPTED,
    candidates::{Candidates, Measured},
    handler::Handler,
    hr::{self, Hr},
    http::Requests,
    load::{Client, Plan},
    process::own_cpu,
    report::{Aim, Section},
    server::Server,
    stage::Stage,
    topics,
};

const CONNECTIONS: [usize; 3] = [1, 16, 128];

/// How many different events are sent in turns.
const EVENTS: usize = 1_000;

const BARE: &str = "bare produce";
const HANDLER: &str = "handler";
const GATEWAY: &str = "local gateway";
/// By what they publish with.
const PEERS: [(&str, &str); 2] =
    [("FastAPI, confluent-kafka", "confluent"), ("FastAPI, aiokafka", "aiokafka")];

const ABOUT: &str = "From an event to the brokers' acknowledgement, on Apache Kafka. The base is a bare rdkafka \
    producer with the same settings, which sends the same events, encoded beforehand, and awaits each acknowledgement. \
    The handler is the function, from API Gateway's event to its answer, both as JSON. Both are in this process, on one \
    thread with whoever calls them, whose part is in their CPU. The local gateway is the handler behind HTTP, in a process \
    of its own; FastAPI has the same validation and settings, and a process for each core. CPU is what one event costs \
    the measured processes, without the broker. Loops are closed: at 16 and 128 connections the latencies are those of \
    a machine that is full, and say nothing of a steady stream. A sandbox of Lambda's has one request at a time.";

pub(crate) async fn run(plan: Plan, stage: &Stage) -> Result<Section> {
    let (hr, topic) = (Hr::new()?, contracts::topic::ENRICHMENT_REQUESTED);
    topics::ensure(&stage.kafka, "", 12).await?;
    let vars = stage.vars().with("KAFKA_TOPIC", topic);
    let bare = Bare::new(topics::producer(&vars)?, topic, &hr)?;
    let events = (0..EVENTS).map(|number| hr.request(number)).collect();
    let handler = Handler::start("hr-webhook", &vars, events, ACCEPTED)?;
    let mut servers = vec![(GATEWAY, Server::function("hr-webhook", &[], &vars)?)];
    for (name, client) in PEERS {
        let Some(python) = stage.peers.python() else { continue };
        let vars = vars.clone().with("KAFKA_CLIENT", client);
        servers.push((name, Server::uvicorn(python, "webhook:app", stage.cores, &vars)?));
    }
    let requests = Requests { method: Method::POST, expected: StatusCode::ACCEPTED, each: hr.bodies(EVENTS) };
    let names = || [BARE, HANDLER].into_iter().chain(servers.iter().map(|(name, _)| *name));

    let (mut tables, mut aims) = (Vec::new(), Vec::new());
    for connections in CONNECTIONS {
        let mut candidates = Candidates::named(names());
        let measure = async |number| {
            let cpu = || Ok(own_cpu());
            match number {
                0 => plan.drive(&mut bare.callers(connections), cpu).await,
                1 => plan.drive(&mut handler.callers(connections), cpu).await,
                _ => servers[number - 2].1.drive(plan, &requests, connections).await,
            }
        };
        candidates.take_turns(0..=plan.rounds, measure).await?;
        aims.extend(aims_of(connections, &candidates));
        tables.push(candidates.table(format!("connections: {connections}"), "per s"));
    }
    Ok(Section { title: "Webhook", about: ABOUT.to_owned() + &stage.peers.about(), tables, aims })
}

/// The local gateway is what `FastAPI` is to a client; the handler is all that is deployed.
fn aims_of(connections: usize, candidates: &Candidates) -> Vec<Aim> {
    let at = format!("at {connections}");
    let mut aims = Vec::new();
    if let (Some(bare), Some(handler)) = (candidates.find(BARE), candidates.find(HANDLER)) {
        let over = handler.over(bare, Measured::cpu_micros);
        aims.push(Aim::at_most(
            format!("the handler's CPU less the bare produce's, {at}"),
            over,
            100.0,
            " µs",
        ));
        let p99 = handler.ratio(bare, Measured::p99_millis);
        aims.push(Aim::at_most(format!("its p99 over the bare produce's, {at}"), p99, 1.3, " ×"));
    }
    for peer in PEERS.iter().filter_map(|(name, _)| candidates.find(name)) {
        for ours in [GATEWAY, HANDLER].iter().filter_map(|name| candidates.find(name)) {
            let per_core = peer.ratio(ours, Measured::cpu_micros);
            let what = format!("CPU of {} over that of the {}, {at}", peer.name, ours.name);
            aims.push(Aim::at_least(what, per_core, 10.0, " ×"));
        }
    }
    aims
}

/// The least that anybody has to do.
#[derive(Clone)]
struct Bare {
    producer: FutureProducer,
    topic: &'static str,
    events: Arc<[Encoded]>,
    next: usize,
}

struct Encoded {
    key: String,
    value: Vec<u8>,
    headers: Vec<(&'static str, Vec<u8>)>,
}

impl Bare {
    fn new(producer: FutureProducer, topic: &'static str, hr: &Hr) -> Result<Self> {
        let encoded = |number| {
            let event = hr.event(number, 0)?;
            let (key, headers) = (event.employee_id.as_str().to_owned(), hr::headers(&event));
            anyhow::Ok(Encoded { key, value: event.encode(), headers })
        };
        Ok(Self { producer, topic, events: (0..EVENTS).map(encoded).collect::<Result<_>>()?, next: 0 })
    }

    /// They begin with different events.
    fn callers(&self, count: usize) -> Vec<Self> {
        (0..count).map(|number| Self { next: number * EVENTS / count, ..self.clone() }).collect()
    }
}

impl Client for Bare {
    async fn call(&mut self) -> Result<()> {
        let Encoded { key, value, headers } = &self.events[self.next % self.events.len()];
        self.next += 1;
        let record = FutureRecord::to(self.topic).key(key).payload(value).headers(topics::headers(headers));
        self.producer.send(record, Duration::ZERO).await.map_err(|(error, _)| error)?;
        Ok(())
    }
}

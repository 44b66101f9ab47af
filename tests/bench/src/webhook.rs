//! `bench webhook`: from the request to its 202, which is given when the brokers have the event.

use std::{sync::Arc, time::Duration};

use anyhow::Result;
use hyper::{Method, StatusCode};
use rdkafka::{
    message::{Header, OwnedHeaders},
    producer::{FutureProducer, FutureRecord},
};

use crate::{
    handler::Handler,
    hr::{self, Hr},
    http::{Connection, Requests},
    load::{Candidate, Client, Plan, collect, compare, find},
    process::own_cpu,
    report::{Aim, Section},
    server::Server,
    stage::Stage,
    statistics::{micros, millis},
    topics,
};

const CONNECTIONS: [usize; 3] = [1, 16, 128];

/// How many different events are sent in turns.
const EVENTS: usize = 1_000;

const BARE: &str = "bare produce";
const HANDLER: &str = "handler";
const GATEWAY: &str = "local gateway";
const FASTAPI: &str = "FastAPI";

const ABOUT: &str = "From an event to the brokers' acknowledgement, on Apache Kafka. The base is a bare rdkafka \
    producer with the same settings, which sends the same record and awaits its acknowledgement. The handler is the \
    function in this process, from API Gateway's event to its answer, both as JSON. The local gateway is the same behind \
    HTTP, in a process of its own; FastAPI has the same validation and settings, and a process for each core. CPU is \
    what one event costs the measured processes, without the broker; in this process the sender's part is in it.";

pub(crate) async fn run(plan: Plan, stage: &Stage) -> Result<Section> {
    let (hr, topic) = (Hr::new()?, contracts::topic::ENRICHMENT_REQUESTED);
    topics::ensure(&stage.kafka, &[topic], 12).await?;
    let vars = stage.vars().with("KAFKA_TOPIC", topic);
    let bare = Bare::new(topics::producer(&stage.kafka)?, topic, &hr)?;
    let events = (0..EVENTS).map(|number| hr.request(number)).collect();
    let handler = Handler::start("hr-webhook", &vars, events, 202)?;
    let gateway = Server::function("hr-webhook", &[], &vars)?;
    let python = stage.peers.python();
    let fastapi =
        python.map(|python| Server::uvicorn(python, "webhook:app", stage.cores, &vars)).transpose()?;
    let requests = Requests { method: Method::POST, expected: StatusCode::ACCEPTED, each: hr.bodies(EVENTS) };

    let (mut tables, mut aims) = (Vec::new(), Vec::new());
    for connections in CONNECTIONS {
        let mut candidates = Vec::new();
        for _ in 0..plan.rounds {
            let cpu = || Ok(own_cpu());
            collect(&mut candidates, BARE, plan.drive(&mut vec![bare.clone(); connections], cpu).await?);
            collect(&mut candidates, HANDLER, plan.drive(&mut handler.callers(connections), cpu).await?);
            for (name, server) in [(GATEWAY, Some(&gateway)), (FASTAPI, fastapi.as_ref())] {
                let Some(server) = server else { continue };
                let mut senders = Connection::open_all(&server.addresses, &requests, connections).await?;
                collect(&mut candidates, name, plan.drive(&mut senders, || server.cpu()).await?);
            }
        }
        aims.extend(aims_of(connections, &candidates));
        tables.push(compare(format!("connections: {connections}"), &candidates));
    }
    Ok(Section { title: "Webhook", about: ABOUT.to_owned() + &stage.peers.about(), tables, aims })
}

fn aims_of(connections: usize, candidates: &[Candidate]) -> Vec<Aim> {
    let [bare, handler, gateway, fastapi] =
        [BARE, HANDLER, GATEWAY, FASTAPI].map(|name| find(candidates, name));
    let mut aims = Vec::new();
    if let (Some(bare), Some(handler)) = (bare, handler) {
        let over = handler.over(bare, |measured| micros(measured.cpu)).median;
        let p99 = handler.ratio(bare, |measured| millis(measured.p99)).median;
        let at = format!("at {connections}");
        aims.push(Aim::at_most(
            format!("the handler's CPU over the bare produce's, {at}"),
            over,
            100.0,
            " µs",
        ));
        aims.push(Aim::at_most(format!("its p99 over the bare produce's, {at}"), p99, 1.3, " ×"));
    }
    if let (Some(gateway), Some(fastapi)) = (gateway, fastapi) {
        let per_core = fastapi.ratio(gateway, |measured| micros(measured.cpu)).median;
        let what = format!("requests a second and core over FastAPI's, at {connections}");
        aims.push(Aim::at_least(what, per_core, 10.0, " ×"));
    }
    aims
}

/// The least that anybody has to do.
#[derive(Clone)]
struct Bare {
    producer: FutureProducer,
    topic: &'static str,
    key: String,
    value: Arc<[u8]>,
    headers: Arc<[(&'static str, Vec<u8>)]>,
}

impl Bare {
    fn new(producer: FutureProducer, topic: &'static str, hr: &Hr) -> Result<Self> {
        let event = hr.event(0, 0)?;
        let headers = hr::headers(&event).into();
        let key = event.employee.id.as_str().to_owned();
        Ok(Self { producer, topic, key, value: event.encode().into(), headers })
    }
}

impl Client for Bare {
    async fn call(&mut self) -> Result<()> {
        let headers = self
            .headers
            .iter()
            .fold(OwnedHeaders::new(), |all, (key, value)| all.insert(Header { key, value: Some(value) }));
        let record = FutureRecord::to(self.topic).key(&self.key).payload(&*self.value).headers(headers);
        self.producer.send(record, Duration::ZERO).await.map_err(|(error, _)| error)?;
        Ok(())
    }
}

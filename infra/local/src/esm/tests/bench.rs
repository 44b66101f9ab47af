//! A topic, what reads it, and a function that does as told.

use std::{sync::Arc, time::Duration};

use anyhow::bail;
use aws::Aws;
use futures_util::FutureExt;
use rdkafka::{
    message::{Header, OwnedHeaders},
    producer::{FutureProducer, FutureRecord},
};
use runtime::{Clock, Vars, event::KafkaEvent, record::Record};

use super::super::*;
use crate::{
    broker::{self, Embedded},
    template::Start,
};

/// How long anything may take on a busy machine. No test waits for it to pass.
const LIMIT: Duration = Duration::from_mins(1);

pub(super) struct Bench {
    pub(super) topic: String,
    failed: String,
    pub(super) servers: String,
    producer: FutureProducer,
    embedded: Option<Arc<Embedded>>,
}

/// An event source mapping at work.
pub(super) struct Running {
    source: EventSource,
    phase: watch::Sender<Phase>,
}

/// How an invocation ends.
pub(super) enum Reply {
    Says(String),
    Crashes,
    Hangs,
}

/// What a function was invoked with so far.
pub(super) struct Invocations(watch::Receiver<Vec<KafkaEvent>>);

impl Bench {
    pub(super) async fn new() -> Self {
        #[expect(clippy::disallowed_methods, reason = "a test has no main that could read it")]
        let real = std::env::var("TEST_KAFKA_BOOTSTRAP_SERVERS").ok();
        Self::on(real).await
    }

    /// For what a real broker doesn't take.
    pub(super) async fn embedded() -> Self {
        Self::on(None).await
    }

    async fn on(real: Option<String>) -> Self {
        let topic = format!("test-{}", Clock::system().new_id().simple());
        let failed = format!("{topic}.failed");
        let topics = [topic.as_str(), failed.as_str()];
        let (servers, embedded) = match real {
            Some(servers) => {
                broker::prepare(&servers, &topics).await.unwrap();
                (servers, None)
            }
            None => {
                let embedded = Embedded::start(&topics).unwrap();
                (embedded.bootstrap_servers.clone(), Some(Arc::new(embedded)))
            }
        };
        let mut config = ClientConfig::new();
        config.set("bootstrap.servers", &servers).set("message.max.bytes", "4000000");
        let producer = config.create().unwrap();
        Self { topic, failed, servers, producer, embedded }
    }

    /// Without retries, and with a window so long that only `batch_size` ends it.
    pub(super) fn rules(&self, batch_size: usize) -> Trigger {
        Trigger {
            topic: self.topic.clone(),
            group: format!("{}.group", self.topic),
            batch_size,
            window: LIMIT,
            retries: Some(0),
            bisect: false,
            max_age: None,
            on_failure: Some(self.failed.clone()),
            reports_failures: true,
            start: Start::TrimHorizon,
        }
    }

    /// To the first partition.
    pub(super) async fn send(&self, values: &[&str]) {
        self.send_to(0, values).await;
    }

    /// Each record has its value for a key and for an event id, too.
    pub(super) async fn send_to(&self, partition: i32, values: &[&str]) {
        for value in values {
            self.publish(partition, value, ("event-id", value.as_bytes()), Clock::system().now()).await;
        }
    }

    pub(super) async fn publish(
        &self,
        partition: i32,
        value: &str,
        (name, header): (&str, &[u8]),
        at: jiff::Timestamp,
    ) {
        let headers = OwnedHeaders::new().insert(Header { key: name, value: Some(header) });
        let record = FutureRecord::to(&self.topic)
            .partition(partition)
            .key(value)
            .payload(value)
            .headers(headers)
            .timestamp(at.as_millisecond());
        self.producer.send(record, LIMIT).await.unwrap();
    }

    pub(super) fn producer(&self) -> Producer {
        let vars = Vars::from_iter(aws::EMULATED).with("KAFKA_BOOTSTRAP_SERVERS", self.servers.as_str());
        Producer::from_vars(&vars, &Aws::from_vars(&vars).unwrap(), Clock::system()).unwrap()
    }

    pub(super) async fn start(&self, trigger: Trigger, function: &Function) -> Running {
        let producer = self.producer();
        let brokers = Brokers {
            bootstrap_servers: &self.servers,
            embedded: self.embedded.as_ref(),
            reading: Reading::Alone,
            producer: &producer,
        };
        let (phase, phases) = watch::channel(Phase::Running);
        let source = EventSource::start(trigger, function.clone(), brokers, &phases).await.unwrap();
        Running { source, phase }
    }

    /// Works off what is on the topic, and ends.
    pub(super) async fn run(&self, trigger: Trigger, function: &Function) {
        self.start(trigger, function).await.settles().await;
    }

    /// What is on the on-failure topic.
    pub(super) async fn given_up(&self) -> Vec<Record> {
        let (servers, failed) = (self.servers.clone(), self.failed.clone());
        tokio::task::spawn_blocking(move || read_all(&servers, &failed)).await.unwrap()
    }
}

impl Running {
    /// Waits until everything is processed, and ends as Ctrl-C does.
    pub(super) async fn settles(self) {
        tokio::time::timeout(LIMIT, self.source.settle(PATIENCE)).await.unwrap().unwrap();
        self.stops().await;
    }

    pub(super) async fn stops(self) {
        self.phase.send_replace(Phase::Stopping);
        self.source.stop().await;
    }

    /// As `kill -9` does: nothing is finished, and nothing committed.
    pub(super) fn crashes(self) {
        drop(self.source);
    }
}

impl Reply {
    pub(super) fn success() -> Self {
        Self::Says(r#"{"batchItemFailures": []}"#.to_owned())
    }

    /// Reports the records with these values.
    pub(super) fn failed(records: &[Record], values: &[&str]) -> Self {
        let of_these =
            |record: &&Record| values.iter().any(|value| record.value.as_deref() == Some(value.as_bytes()));
        let failures = records.iter().filter(of_these);
        let failures: Vec<_> =
            failures.map(|record| serde_json::json!({"itemIdentifier": record.identifier()})).collect();
        Self::Says(serde_json::json!({"batchItemFailures": failures}).to_string())
    }
}

impl Invocations {
    /// The values that it was invoked with so far.
    pub(super) fn values(&self) -> Vec<Vec<String>> {
        self.0.borrow().iter().map(|event| values(&event.clone().into_records())).collect()
    }

    pub(super) fn events(&self) -> Vec<KafkaEvent> {
        self.0.borrow().clone()
    }

    /// Waits for the first `count`.
    pub(super) async fn until(&mut self, count: usize) {
        tokio::time::timeout(LIMIT, self.0.wait_for(|all| all.len() >= count)).await.unwrap().unwrap();
    }
}

pub(super) fn values(records: &[Record]) -> Vec<String> {
    let text = |record: &Record| String::from_utf8(record.value.clone().unwrap()).unwrap();
    records.iter().map(text).collect()
}

/// `play` gets the number of the invocation, from 0, and its records.
pub(super) fn function<P, F>(play: P) -> (Function, Invocations)
where
    P: Fn(usize, Vec<Record>) -> F + Send + Sync + 'static,
    F: Future<Output = Reply> + Send + 'static,
{
    let (invocations, seen) = watch::channel(Vec::new());
    let (play, invocations) = (Arc::new(play), Arc::new(invocations));
    let handler = move |payload: Vec<u8>, _context| {
        let (play, invocations) = (Arc::clone(&play), Arc::clone(&invocations));
        async move {
            let event: KafkaEvent = serde_json::from_slice(&payload)?;
            let mut number = 0;
            invocations.send_modify(|all: &mut Vec<KafkaEvent>| {
                number = all.len();
                all.push(event.clone());
            });
            match play(number, event.into_records()).await {
                Reply::Says(answer) => Ok(answer.into_bytes()),
                Reply::Crashes => bail!("the plan says so"),
                Reply::Hangs => std::future::pending().await,
            }
        }
        .boxed()
    };
    let timeout = Duration::from_millis(500);
    let function = Function::new("played".to_owned(), timeout, Clock::system(), Arc::new(handler));
    (function, Invocations(seen))
}

fn read_all(servers: &str, topic: &str) -> Vec<Record> {
    let mut config = ClientConfig::new();
    config.set("bootstrap.servers", servers).set("group.id", format!("{topic}.test"));
    let consumer: BaseConsumer = config.create().unwrap();
    let (mut assignment, mut expected) = (TopicPartitionList::new(), 0);
    for partition in partitions(&consumer, topic).unwrap() {
        let (low, high) = consumer.fetch_watermarks(topic, partition, LIMIT).unwrap();
        expected += usize::try_from(high - low).unwrap();
        assignment.add_partition_offset(topic, partition, Offset::Beginning).unwrap();
    }
    consumer.assign(&assignment).unwrap();
    let mut records = Vec::with_capacity(expected);
    while records.len() < expected {
        let message = consumer.poll(LIMIT).expect("the broker has more").unwrap();
        records.push(event::record(&message));
    }
    records
}

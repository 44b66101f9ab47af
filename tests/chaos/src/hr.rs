//! The HR system: posts every event until it is accepted, and remembers what it was answered.

use std::{
    collections::BTreeMap,
    sync::{
        Mutex,
        atomic::{AtomicUsize, Ordering::Relaxed},
    },
    time::Duration,
};

use anyhow::{Context, bail};
use futures_util::future::try_join_all;
use jiff::Timestamp;
use rdkafka::{
    ClientConfig,
    message::{Header, OwnedHeaders},
    producer::{FutureProducer, FutureRecord},
};
use reqwest::StatusCode;
use runtime::Clock;
use tokio::time::{Instant, sleep, sleep_until};

use crate::{
    evidence::{Event, Post},
    fleet::Fleet,
    plan::{Delivery, Poison, Posting, When},
    tally::Tally,
};

/// Employees whose events are under way at once.
const LANES: usize = 24;

/// One in so many accepted events is followed by a look at the profile, so that caches are full of what gets old.
const LOOKS: usize = 4;

/// The header by which poison is told from everything else, and its reason.
pub(crate) const POISON: &str = "chaos-poison";

/// For how long nobody may accept an event before something is wrong.
const PATIENCE: Duration = Duration::from_mins(3);

pub(crate) struct Hr {
    fleet: Fleet,
    http: reqwest::Client,
    broker: FutureProducer,
    topic: String,
    tally: Tally,
    posts: Mutex<BTreeMap<String, Post>>,
    /// By event, what a clock that is ahead said when it was posted first.
    ahead: Mutex<BTreeMap<String, Timestamp>>,
    poison: Mutex<u32>,
    pub(crate) done: AtomicUsize,
}

impl Hr {
    pub(crate) fn new(fleet: Fleet, servers: &str, topic: String, tally: Tally) -> anyhow::Result<Self> {
        let mut config = ClientConfig::new();
        config.set("bootstrap.servers", servers).set("enable.idempotence", "true");
        // Its own retries outlast a broker's restart.
        config.set("message.timeout.ms", PATIENCE.as_millis().to_string());
        config.set_log_level(rdkafka::config::RDKafkaLogLevel::Emerg);
        Ok(Self {
            fleet,
            http: okta::http_client(Duration::from_secs(5)),
            broker: config.create()?,
            topic,
            tally,
            posts: Mutex::default(),
            ahead: Mutex::default(),
            poison: Mutex::default(),
            done: AtomicUsize::new(0),
        })
    }

    /// Delivers everything, evenly over `length` where the machine is fast enough.
    pub(crate) async fn deliver(&self, deliveries: &[Delivery], length: Duration) -> anyhow::Result<()> {
        let mut lanes = vec![Vec::new(); LANES];
        let mut due = Instant::now();
        for (number, delivery) in deliveries.iter().enumerate() {
            due += length / u32::try_from(deliveries.len())?;
            lanes[lane(delivery, number)].push((due, number, delivery));
        }
        let lanes = lanes.into_iter().map(|lane| async move {
            for (due, number, delivery) in lane {
                sleep_until(due).await;
                match delivery {
                    Delivery::Post(posting) => self.post(number, posting).await?,
                    Delivery::Poison(poison) => self.poison(poison).await?,
                }
                self.done.fetch_add(1, Relaxed);
            }
            anyhow::Ok(())
        });
        try_join_all(lanes).await.map(drop)
    }

    /// Every attempt by correlation id, and how many records of poison there are.
    pub(crate) fn log(&self) -> (BTreeMap<String, Post>, u32) {
        (self.posts().clone(), *self.poison.lock().expect("no holder of this lock panics"))
    }

    async fn post(&self, number: usize, posting: &Posting) -> anyhow::Result<()> {
        let event = Event { occurred_at: self.occurred_at(posting), ..posting.event.clone() };
        let (body, deadline) = (posting.body(event.occurred_at), Instant::now() + PATIENCE);
        for attempt in 0.. {
            let id = format!("c-{number}-{attempt}");
            // Before it is sent: it may be accepted without an answer.
            self.posts().insert(id.clone(), Post { event: event.clone(), accepted: false });
            match self.attempt(&id, &body).await {
                Some(StatusCode::ACCEPTED) => {
                    self.posts().entry(id).and_modify(|post| post.accepted = true);
                    if number.is_multiple_of(LOOKS) {
                        self.look_at(&posting.event.employee).await;
                    }
                    return Ok(());
                }
                Some(status) if status.is_client_error() => bail!("the webhook answered {status} to {id}"),
                Some(_) => self.tally.count("webhook: answered 5xx, sent again"),
                None => self.tally.count("webhook: nobody there or no answer, sent again"),
            }
            if Instant::now() > deadline {
                bail!("nobody accepted an event for {PATIENCE:?}");
            }
            sleep(Duration::from_millis(200)).await;
        }
        Ok(())
    }

    /// An event occurs once, however often it is told.
    fn occurred_at(&self, posting: &Posting) -> Option<Timestamp> {
        match posting.when {
            When::At(at) => Some(at),
            When::Unsaid => None,
            When::Ahead(ahead) => {
                let mut known = self.ahead.lock().expect("no holder of this lock panics");
                let at = known.entry(posting.event.id.clone());
                Some(*at.or_insert_with(|| Clock::system().now() + ahead))
            }
        }
    }

    async fn attempt(&self, id: &str, body: &str) -> Option<StatusCode> {
        let url = self.fleet.url()?;
        let request = self.http.post(format!("{url}/v1/hr/webhook")).body(body.to_owned());
        let request = request.header("content-type", "application/json").header("x-correlation-id", id);
        Some(request.send().await.ok()?.status())
    }

    async fn look_at(&self, employee: &str) {
        let Some(url) = self.fleet.url() else { return };
        // Whether there is an answer, and which, is the checker's question.
        drop(self.http.get(format!("{url}/v1/users/{employee}")).send().await);
    }

    async fn poison(&self, poison: &Poison) -> anyhow::Result<()> {
        let reason = Header { key: POISON, value: Some(poison.reason) };
        let mut record =
            FutureRecord::<str, [u8]>::to(&self.topic).headers(OwnedHeaders::new().insert(reason));
        record.key = poison.key.as_deref();
        record.payload = poison.value.as_deref();
        let sent = self.broker.send(record, Duration::ZERO).await;
        sent.map_err(|(error, _)| error).context("poison could not be put onto the topic")?;
        *self.poison.lock().expect("no holder of this lock panics") += 1;
        Ok(())
    }

    fn posts(&self) -> std::sync::MutexGuard<'_, BTreeMap<String, Post>> {
        self.posts.lock().expect("no holder of this lock panics")
    }
}

/// One employee's are in one.
fn lane(delivery: &Delivery, number: usize) -> usize {
    match delivery {
        Delivery::Post(posting) => {
            posting.event.employee.bytes().fold(0, |sum, byte| sum * 31 + usize::from(byte)) % LANES
        }
        Delivery::Poison(_) => number % LANES,
    }
}

use std::{
    borrow::Cow,
    collections::{HashMap, HashSet},
    mem,
    sync::{
        Arc, Mutex, MutexGuard,
        atomic::{AtomicBool, Ordering::Relaxed},
    },
    time::Duration,
};

use contracts::{Facts, Subject, topic};
use futures_util::future::join_all;
use kafka::{Outgoing, Producer};
use runtime::telemetry;
use tokio::time::{Instant, sleep, timeout_at};
use tracing::{Instrument, Span};

use crate::{
    Error,
    outbox::{Key, Next, Outbox, Page},
};

/// Publishes what an invocation writes, beside its work. What it can't publish now is left to the sweep.
#[derive(Debug, Clone)]
pub struct Publisher {
    outbox: Outbox,
    producer: Producer,
    invocation: Arc<Invocation>,
}

#[derive(Debug, Default)]
struct Invocation {
    /// Waits for the next wave.
    written: Mutex<Vec<Written>>,
    /// Held during a wave: one at a time, so that each subject's facts stay in their order.
    wave: tokio::sync::Mutex<()>,
    /// On the topic, and still in the outbox.
    published: Mutex<HashSet<Key>>,
    /// Nobody waits for the brokers, or for the outbox, twice in an invocation.
    are_away: AtomicBool,
}

#[derive(Debug)]
struct Written {
    facts: Facts,
    backlog: Backlog,
    /// In which they were written.
    span: Span,
}

/// What there may be of a subject in the outbox beside what was just written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Backlog {
    /// Nothing: before this write there was no such subject.
    None,
    /// What an earlier process has left. It goes first.
    Possible,
}

/// How long facts wait for others to go with: records that go together cost a fraction.
const LINGER: Duration = Duration::from_millis(100);

/// What taking them out of the outbox may take of an invocation's end.
const CLEARING: Duration = Duration::from_secs(1);

impl Publisher {
    pub fn new(outbox: Outbox, producer: Producer) -> Self {
        Self { outbox, producer, invocation: Arc::default() }
    }

    /// Publishes facts that were written, after those of the same subject that were left before them. Returns at once:
    /// the invocation waits for all of them when it [ends](Self::end_invocation).
    pub fn publish(&self, facts: Facts, backlog: Backlog) {
        let mut written = self.written();
        written.push(Written { facts, backlog, span: Span::current() });
        // The first of a wave.
        if written.len() == 1 {
            let publisher = self.clone();
            tokio::spawn(async move {
                sleep(LINGER).await;
                publisher.publish_wave().await;
            });
        }
    }

    /// All that is written, together.
    async fn publish_wave(&self) {
        let _wave = self.invocation.wave.lock().await;
        let mut by_subject = HashMap::<Subject, Vec<Written>>::new();
        for written in mem::take(&mut *self.written()) {
            by_subject.entry(written.facts.subject.clone()).or_default().push(written);
        }
        join_all(by_subject.into_values().map(|written| self.publish_written(written))).await;
    }

    /// All of one subject, in their order.
    async fn publish_written(&self, written: Vec<Written>) {
        for Written { facts, backlog, span } in written {
            self.publish_now(facts, backlog).instrument(span).await;
        }
    }

    async fn publish_now(&self, facts: Facts, backlog: Backlog) {
        if self.invocation.are_away.load(Relaxed) || self.is_published(&Key::of(&facts)) {
            return;
        }
        let waiting = match backlog {
            Backlog::None => Ok(vec![facts]),
            Backlog::Possible => self.outbox.backlog(&facts.subject).await,
        };
        let are_away = match waiting {
            Ok(waiting) => self.publish_all(&waiting, None).await.inspect_err(|error| left(error)).is_err(),
            Err(error) => {
                left(&error);
                error.is_outage()
            }
        };
        if are_away {
            self.invocation.are_away.store(true, Relaxed);
        }
    }

    /// In their order, each once it is known that the one before is on the topic. Says whether that came to its end before
    /// it was to `stop`.
    pub(crate) async fn publish_all(
        &self,
        waiting: &[Facts],
        stop: Option<Instant>,
    ) -> Result<bool, kafka::Error> {
        for facts in waiting {
            if stop.is_some_and(|stop| Instant::now() >= stop) {
                return Ok(false);
            }
            let key = Key::of(facts);
            if self.is_published(&key) {
                continue;
            }
            publish(&self.producer, facts).await?;
            self.published().insert(key);
        }
        Ok(true)
    }

    /// Waits `until` then for what was written, and takes out of the outbox what is on the topic. Whatever stays is
    /// published by the sweep, for a second time if need be.
    pub async fn end_invocation(&self, until: Instant) {
        let publisher = self.clone();
        // A task of its own: one that crashes leaves its facts to the sweep.
        let wave = tokio::spawn(async move { publisher.publish_wave().await });
        if timeout_at(until.checked_sub(CLEARING).unwrap_or(until), wave).await.is_err() {
            tracing::warn!("facts are left to the next sweep: the invocation's time is over");
        }
        self.invocation.are_away.store(false, Relaxed);
        if timeout_at(until, self.clear()).await.is_err() {
            tracing::warn!("published facts stay in the outbox: the invocation's time is over");
        }
    }

    pub(crate) async fn clear(&self) {
        let done: Vec<Key> = self.published().drain().collect();
        if done.is_empty() {
            return;
        }
        if let Err(error) = self.outbox.clear(&done).await {
            tracing::warn!(
                error = telemetry::chain(&error),
                "facts stay in the outbox, and are published again"
            );
        }
    }

    pub(crate) async fn waiting(&self, start: Option<Next>) -> Result<Page, Error> {
        self.outbox.waiting(start).await
    }

    pub(crate) async fn backlog(&self, subject: &Subject) -> Result<Vec<Facts>, Error> {
        self.outbox.backlog(subject).await
    }

    fn is_published(&self, key: &Key) -> bool {
        self.published().contains(key)
    }

    fn written(&self) -> MutexGuard<'_, Vec<Written>> {
        self.invocation.written.lock().expect("nobody panics with it")
    }

    fn published(&self) -> MutexGuard<'_, HashSet<Key>> {
        self.invocation.published.lock().expect("nobody panics with it")
    }
}

/// In their order. What is on its topic after an error may be any of the first.
///
/// # Errors
/// When one was not acknowledged; those after it are not published.
pub async fn publish(producer: &Producer, facts: &Facts) -> Result<(), kafka::Error> {
    for fact in &facts.types {
        let message = Outgoing {
            topic: topic::EVENTS,
            key: Some(facts.subject.id.as_bytes()),
            value: Some(facts.data.as_bytes()),
        };
        let headers: Vec<_> = facts.headers(*fact).map(bytes).collect();
        producer.publish(message, headers).await?;
    }
    Ok(())
}

fn bytes<'f>((name, text): (&'static str, Cow<'f, str>)) -> (&'static str, Cow<'f, [u8]>) {
    match text {
        Cow::Borrowed(text) => (name, Cow::Borrowed(text.as_bytes())),
        Cow::Owned(text) => (name, Cow::Owned(text.into_bytes())),
    }
}

fn left(error: &(dyn std::error::Error + 'static)) {
    tracing::warn!(error = telemetry::chain(error), "facts are left to the next sweep");
}

#[cfg(test)]
mod tests;

use std::collections::HashSet;

use contracts::Subject;
use futures_util::{StreamExt, stream};
use jiff::SignedDuration;
use runtime::{Clock, telemetry};
use tokio::time::Instant;

use crate::{Error, outbox::Outbox, publisher::Publisher};

/// Publishes what processes have left in the outboxes.
#[derive(Debug, Clone)]
pub struct Sweep {
    publishers: Vec<Publisher>,
    clock: Clock,
}

/// What a sweep found.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Swept {
    /// Subjects whose facts are on the topic now.
    pub published: u64,
    /// Subjects whose facts still wait.
    pub left: u64,
    /// How long the oldest that was found has waited.
    pub oldest_seconds: i64,
}

/// Who has written them is about to publish them.
const FRESH: SignedDuration = SignedDuration::from_secs(20);

/// Subjects at once: each waits for the brokers.
const CONCURRENCY: usize = 32;

impl Sweep {
    pub fn new(outboxes: impl IntoIterator<Item = Outbox>, producer: &kafka::Producer, clock: Clock) -> Self {
        let publishers = outboxes.into_iter().map(|outbox| Publisher::new(outbox, producer.clone()));
        Self { publishers: publishers.collect(), clock }
    }

    /// Starts nothing after `stop_starting`.
    ///
    /// # Errors
    /// When an outbox can't be read.
    pub async fn run(&self, stop_starting: Instant) -> Result<Swept, Error> {
        let mut swept = Swept::default();
        for publisher in &self.publishers {
            self.sweep(publisher, stop_starting, &mut swept).await?;
        }
        let Swept { published, left, oldest_seconds } = swept;
        tracing::info!(published, left, oldest_seconds, "swept the outbox");
        Ok(swept)
    }

    async fn sweep(
        &self,
        publisher: &Publisher,
        stop_starting: Instant,
        swept: &mut Swept,
    ) -> Result<(), Error> {
        let mut next = None;
        loop {
            let page = publisher.waiting(next).await?;
            let mut subjects = HashSet::<Subject>::new();
            for facts in page.facts {
                let age = self.clock.now().duration_since(facts.time);
                // A time to come is another clock's.
                if age >= FRESH || age.is_negative() {
                    swept.oldest_seconds = swept.oldest_seconds.max(age.as_secs());
                    subjects.insert(facts.subject);
                }
            }
            let outcomes: Vec<bool> = stream::iter(subjects)
                .map(|subject| publish(publisher, subject, stop_starting))
                .buffer_unordered(CONCURRENCY)
                .collect()
                .await;
            for is_published in outcomes {
                if is_published { swept.published += 1 } else { swept.left += 1 }
            }
            publisher.clear().await;
            next = page.next;
            if next.is_none() || Instant::now() >= stop_starting {
                return Ok(());
            }
        }
    }
}

/// Whether all that the subject had is on the topic. Its backlog is read anew: in order, and without what was left out as
/// fresh.
async fn publish(publisher: &Publisher, subject: Subject, stop_starting: Instant) -> bool {
    if Instant::now() >= stop_starting {
        return false;
    }
    let ended = match publisher.backlog(&subject).await {
        Ok(backlog) => {
            let ended = publisher.publish_all(&backlog, Some(stop_starting)).await;
            ended.map_err(|error| telemetry::chain(&error))
        }
        Err(error) => Err(telemetry::chain(&error)),
    };
    ended.unwrap_or_else(|error| {
        tracing::warn!(error, "facts stay in the outbox");
        false
    })
}

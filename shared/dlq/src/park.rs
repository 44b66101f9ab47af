use runtime::{
    Clock,
    record::{Record, Retry},
    telemetry,
};

use crate::{
    Error,
    letter::{DeadLetter, LetterId},
    read::{self, FailedRecord},
    store::{Saved, Store},
    write::ROUNDS,
};

/// Stores dead letters.
#[derive(Debug, Clone)]
pub struct Park {
    store: Store,
    clock: Clock,
}

impl Park {
    pub fn new(store: Store, clock: Clock) -> Self {
        Self { store, clock }
    }

    /// Stores the record's letter, unless that is done already, and returns it; or each of those whose records Lambda has
    /// put into one. A record that was redriven goes back to its letter.
    ///
    /// # Errors
    /// When the table is away: the record is still on its topic, and Lambda delivers it again.
    pub async fn park(&self, record: Record) -> Result<Vec<DeadLetter>, Retry> {
        let mut letters = Vec::new();
        for failed in read::failed_records(record) {
            // What is parked already when one can't be stays so: the next delivery finds it.
            letters.push(self.one(failed).await.map_err(|error| {
                let error = telemetry::chain(&error);
                tracing::error!(error, "the dead letter could not be parked; the record is reported back");
                Retry
            })?);
        }
        Ok(letters)
    }

    async fn one(&self, mut failed: FailedRecord) -> Result<DeadLetter, Error> {
        match failed.redrive.take() {
            Some((id, redrive)) => self.returned(&id, redrive, failed).await,
            None => self.insert(failed).await,
        }
    }

    async fn insert(&self, failed: FailedRecord) -> Result<DeadLetter, Error> {
        let letter = DeadLetter::new(&failed, self.clock.now());
        let new = match self.store.insert(&letter, &failed.payload).await {
            // Whatever it is, it must not hold up the others: it is still on its topic.
            Err(dynamo::Error::Refused(_)) => {
                self.store.insert(&letter, &failed.payload.without_content()).await?
            }
            inserted => inserted?,
        };
        // Also for one that is there: its first delivery may have ended before this line.
        self.store.note_group(&letter).await?;
        let (dead_letter_id, reason) = (letter.id.as_str(), letter.reason.code());
        let (state, fingerprint) = (letter.life.state.name(), letter.fingerprint.as_str());
        tracing::warn!(dead_letter_id, reason, state, fingerprint, new, "parked a dead letter");
        Ok(letter)
    }

    async fn returned(&self, id: &LetterId, redrive: u32, failed: FailedRecord) -> Result<DeadLetter, Error> {
        for _ in 0..ROUNDS {
            let Some(mut letter) = self.store.get(id).await? else {
                // Its letter was deleted by hand. What is here now must be seen all the same.
                return self.insert(failed).await;
            };
            if redrive > letter.life.redrives {
                // Anybody may write a topic: it says that it is a redrive which nobody has made.
                return self.insert(failed).await;
            }
            let cause = letter.fingerprint.clone();
            let retriable = failed.is_retriable();
            if !letter.returned(redrive, failed.failure.clone(), retriable, self.clock.now()) {
                // Its first delivery may have ended before this line.
                self.store.note_group(&letter).await?;
                return Ok(letter);
            }
            if self.store.save(&mut letter).await? == Saved::Yes {
                if letter.fingerprint != cause {
                    self.store.note_group(&letter).await?;
                }
                let (dead_letter_id, reason) = (letter.id.as_str(), letter.reason.code());
                let state = letter.life.state.name();
                tracing::warn!(dead_letter_id, reason, state, redrive, "a redriven record failed again");
                return Ok(letter);
            }
        }
        Err(Error::Contended)
    }
}

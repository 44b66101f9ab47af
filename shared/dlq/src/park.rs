use runtime::{Clock, batch::Retry, event::Record, telemetry};

use crate::{letter::DeadLetter, read, store::Store};

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

    /// Stores the record's letter, unless it is stored already, and returns it.
    ///
    /// # Errors
    /// When the table is away: the record is still on its topic, and Lambda delivers it again.
    pub async fn park(&self, record: Record) -> Result<DeadLetter, Retry> {
        let letter = read::letter(record, self.clock.now());
        let new = self.store.insert(&letter).await.map_err(|error| {
            let error = telemetry::chain(&error);
            tracing::error!(error, "the dead letter could not be parked; the record is reported back");
            Retry
        })?;
        let (id, reason) = (letter.id.as_str(), letter.reason.code());
        tracing::warn!(
            dead_letter_id = id,
            reason,
            fingerprint = letter.fingerprint,
            new,
            "parked a dead letter"
        );
        Ok(letter)
    }
}

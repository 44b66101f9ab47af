use contracts::Actor;
use runtime::{Clock, telemetry};

use crate::{
    Error,
    audit::Deed,
    letter::{DeadLetter, LetterId},
    life::{LetterState, Step},
    store::{Saved, Store},
    write::{ROUNDS, Writer},
};

/// Discards letters. For a month a redrive takes that back.
#[derive(Debug, Clone)]
pub struct Discard {
    writer: Writer,
}

impl Discard {
    pub fn new(store: Store, clock: Clock) -> Self {
        Self { writer: Writer { store, clock } }
    }

    pub async fn discard(&self, id: &LetterId, because: &str, by: &Actor) -> Result<DeadLetter, Error> {
        let deed = Deed::Discard { letter: id.clone(), because: because.to_owned() };
        self.writer.record_of(id, by, deed).await?;
        self.by_hand(id, because, by, |_state| true).await
    }

    /// If its state is one that is `wanted`.
    pub(crate) async fn by_hand(
        &self,
        id: &LetterId,
        because: &str,
        by: &Actor,
        wanted: impl Fn(LetterState) -> bool,
    ) -> Result<DeadLetter, Error> {
        let Writer { store, clock } = &self.writer;
        for _ in 0..ROUNDS {
            let mut letter = store.get(id).await?.ok_or(Error::Unknown)?;
            if !wanted(letter.life.state) {
                return Err(Error::Overtaken);
            }
            let was_to_go_on = letter.life.due_at.is_some();
            letter.step(Step::Discard, by, clock.now(), Some(because.to_owned()))?;
            if store.save(&mut letter).await? == Saved::Yes {
                tracing::info!(dead_letter_id = id.as_str(), %by, "discarded a dead letter");
                // Else the next sweep does so, which tells whoever waits for it.
                if !was_to_go_on && let Err(error) = self.writer.expire(&mut letter).await {
                    let (dead_letter_id, error) = (id.as_str(), telemetry::chain(&error));
                    tracing::warn!(
                        dead_letter_id,
                        error,
                        "its payload is made to expire with the next sweep"
                    );
                }
                return Ok(letter);
            }
        }
        Err(Error::Contended)
    }
}

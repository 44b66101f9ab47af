use runtime::Clock;

use crate::{
    Error,
    actor::Actor,
    audit::Deed,
    letter::{DeadLetter, LetterId},
    life::Step,
    store::{Saved, Store},
    write::{ROUNDS, Writer},
};

/// Gives letters up. For a month that can be regretted, by a redrive.
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
        self.writer.record(by, deed).await?;
        self.by_hand(id, because, by).await
    }

    pub(crate) async fn by_hand(
        &self,
        id: &LetterId,
        because: &str,
        by: &Actor,
    ) -> Result<DeadLetter, Error> {
        let Writer { store, clock } = &self.writer;
        for _ in 0..ROUNDS {
            let mut letter = store.get(id).await?.ok_or(Error::Unknown)?;
            letter.step(Step::Discard, by, clock.now(), Some(because.to_owned()))?;
            if store.save(&mut letter).await? == Saved::Yes {
                store.expire_payload(&letter, clock.now()).await?;
                tracing::info!(dead_letter_id = id.as_str(), %by, "discarded a dead letter");
                return Ok(letter);
            }
        }
        Err(Error::Contended)
    }
}

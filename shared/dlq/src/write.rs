use contracts::Actor;
use runtime::Clock;

use crate::{
    Error,
    audit::{AuditRecord, Deed},
    letter::{DeadLetter, LetterId},
    life::Step,
    store::{Saved, Store},
};

/// Reads, decisions and writes, where somebody else wrote in between: they do so only by chance or by hand.
pub(crate) const ROUNDS: usize = 5;

/// What every change by a person needs.
#[derive(Debug, Clone)]
pub(crate) struct Writer {
    pub(crate) store: Store,
    pub(crate) clock: Clock,
}

impl Writer {
    /// Makes the payload of a letter that is over expire. Until that is noted the letter stays due for it.
    pub(crate) async fn expire(&self, letter: &mut DeadLetter) -> Result<(), Error> {
        let now = self.clock.now();
        self.store.expire_payload(letter, now).await?;
        letter.step(Step::Expired, &Actor::schedule(), now, None)?;
        if self.store.save(letter).await? == Saved::Conflict
            && let Some(current) = self.store.get(&letter.id).await?
            && !current.life.state.is_over()
        {
            // A person has taken it up again meanwhile.
            self.store.expire_payload(&current, now).await?;
        }
        Ok(())
    }

    /// What a person is about to do to a letter that is there.
    pub(crate) async fn record_of(&self, letter: &LetterId, by: &Actor, deed: Deed) -> Result<(), Error> {
        self.store.get(letter).await?.ok_or(Error::Unknown)?;
        self.record(by, deed).await
    }

    pub(crate) async fn record(&self, by: &Actor, deed: Deed) -> Result<(), Error> {
        let id = self.clock.new_id().to_string();
        let record = AuditRecord { id, at: self.clock.now(), by: by.clone(), deed };
        Ok(self.store.record(record).await?)
    }
}

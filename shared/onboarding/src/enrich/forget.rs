//! The command to forget a person, in its place among the person's events.

use contracts::{EnrichmentRequestedV2, Outcome};

use super::{
    Enrich, ROUNDS,
    failure::{Away, Stopped},
};
use crate::{converge, entry::Entry, store::Saved};

impl Enrich {
    /// First the tombstone, so that nothing older comes back; then what the entries hold. A delivery that was killed in
    /// between is repeated, and finds what is left.
    pub(super) async fn forget(&self, event: &EnrichmentRequestedV2) -> Result<Outcome, Stopped> {
        let outcome = self.bury(event).await?;
        for entry in self.store.entries(&event.employee_id).await? {
            if entry.received_at <= event.received_at && !entry.is_forgotten() {
                self.store.replace_entry(&Entry::forgotten(entry)).await?;
            }
        }
        Ok(outcome)
    }

    async fn bury(&self, event: &EnrichmentRequestedV2) -> Result<Outcome, Stopped> {
        for _ in 0..ROUNDS {
            let (person, all) = tokio::try_join!(
                self.store.person(&event.employee_id),
                self.store.entries(&event.employee_id),
            )?;
            let read = person.clone();
            let Some(written) = converge::forget(event, person, &all, self.clock.now()) else {
                return Ok(Outcome::NothingNew);
            };
            if self.commit(&written, read.as_ref(), None).await? == Saved::Yes {
                return Ok(written.outcome);
            }
        }
        Err(Stopped::Retry(Away::Contended))
    }
}

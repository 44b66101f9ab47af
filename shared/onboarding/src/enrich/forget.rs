//! The command to forget a person, in its place among the person's events.

use contracts::{EmployeeId, EnrichmentRequestedV2, Outcome};
use jiff::Timestamp;
use runtime::{record::Retry, telemetry};

use super::{
    Delivery, Enrich, ROUNDS, Taken,
    failure::{Away, Stopped},
};
use crate::{converge, entry::Entry, find_users::cache_key, store::Saved, timeline::Timeline};

/// A command that was carried out as far as people, entries and the cache go.
#[derive(Debug, Clone, PartialEq)]
pub struct Forgotten {
    event: EnrichmentRequestedV2,
    outcome: Outcome,
    delivery: Delivery,
    traceparent: Option<String>,
    is_repeat: bool,
    timeline: Timeline,
}

impl Forgotten {
    pub fn employee_id(&self) -> &EmployeeId {
        &self.event.employee_id
    }

    /// What was received later stays.
    pub fn received_at(&self) -> Timestamp {
        self.event.received_at
    }

    fn taken(&self) -> Taken<'_> {
        let Self { event, delivery, traceparent, is_repeat, timeline, .. } = self;
        let traceparent = traceparent.as_deref();
        Taken { event, delivery: *delivery, traceparent, is_repeat: *is_repeat, timeline: *timeline }
    }
}

impl Enrich {
    /// First the tombstone, so that nothing older comes back; then what the entries hold. A delivery that was killed in
    /// between is repeated, and finds what is left.
    pub(super) async fn forget(&self, taken: Taken<'_>) -> Result<Forgotten, Stopped> {
        let event = taken.event;
        let Taken { is_repeat, mut timeline, .. } = self.accept(taken).await?;
        let outcome = self.bury(taken).await?;
        if outcome != Outcome::NothingNew {
            timeline.stored = Some(self.clock.now());
        }
        for entry in self.store.entries(&event.employee_id).await? {
            if entry.received_at <= event.received_at && !entry.is_forgotten() {
                self.store.replace_entry(&Entry::forgotten(entry)).await?;
            }
        }
        self.cache.invalidate(&cache_key(&event.employee_id)).await;
        Ok(Forgotten {
            event: event.clone(),
            outcome,
            delivery: taken.delivery,
            traceparent: taken.traceparent.map(str::to_owned),
            is_repeat,
            timeline,
        })
    }

    /// Tells whoever asks that nothing of the person is left anywhere.
    ///
    /// # Errors
    /// When it can't be told now: Lambda has to deliver the record again.
    pub async fn end_forgetting(&self, forgotten: &Forgotten) -> Result<(), Retry> {
        self.end(forgotten.taken(), &forgotten.outcome, None).await.map_err(|error| {
            tracing::warn!(error = telemetry::chain(&error), "the record is reported back");
            Retry
        })
    }

    async fn bury(&self, taken: Taken<'_>) -> Result<Outcome, Stopped> {
        let event = taken.event;
        for _ in 0..ROUNDS {
            let (person, all) = tokio::try_join!(
                self.store.person(&event.employee_id),
                self.store.entries(&event.employee_id),
            )?;
            let read = person.clone();
            let Some(mut written) = converge::forget(event, person, &all, self.clock.now()) else {
                return Ok(Outcome::NothingNew);
            };
            if let (Saved::Yes, unpublished) = self.commit(taken, &mut written, read.as_ref(), None).await? {
                self.publish(unpublished);
                return Ok(written.outcome);
            }
        }
        Err(Stopped::Retry(Away::Contended))
    }
}

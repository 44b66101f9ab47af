use std::sync::Arc;

use recovery::{FailedEvent, Features, Follow};
use runtime::{
    Clock,
    record::{Record, Retry},
    telemetry,
};
use tokio::time::Instant;

use crate::{Forget, Park, Store, letter::DeadLetter};

/// Parks records that failed, and tells their features.
#[derive(Debug, Clone)]
pub struct Reprocess {
    park: Park,
    forget: Forget,
    features: Arc<Features<dyn Follow>>,
}

impl Reprocess {
    pub fn new(store: Store, features: Arc<Features<dyn Follow>>, clock: Clock) -> Self {
        Self { park: Park::new(store.clone(), clock), forget: Forget::new(store, clock), features }
    }

    /// The letters first: what a person needs must not wait for what a program asks.
    ///
    /// # Errors
    /// When a table is away: Lambda delivers the record again.
    pub async fn reprocess(&self, record: Record) -> Result<(), Retry> {
        for letter in self.park.park(record).await? {
            let feature = self.features.of(letter.topic);
            self.forget_with_person(&letter, feature).await?;
            tell(letter, feature).await?;
        }
        Ok(())
    }

    /// To be called when the records of an invocation are processed. It takes `until` then at the most.
    pub async fn end_invocation(&self, until: Instant) {
        for feature in self.features.iter() {
            feature.end_invocation(until).await;
        }
    }

    /// A record may come here after the command to forget its person was carried out.
    async fn forget_with_person(&self, letter: &DeadLetter, feature: &dyn Follow) -> Result<(), Retry> {
        let Some(employee_id) = &letter.employee_id else { return Ok(()) };
        let until = feature.forgotten_until(employee_id).await.map_err(|error| {
            report(&error, "it is not known whether a letter is to be forgotten; the record is reported back")
        })?;
        let Some(until) = until else { return Ok(()) };
        let done = self.forget.letter(letter, until).await;
        done.map_err(|error| report(&error, "a letter could not be forgotten; the record is reported back"))
    }
}

async fn tell(letter: DeadLetter, feature: &dyn Follow) -> Result<(), Retry> {
    // Nobody waits for a record that says nothing of itself.
    let Some(ids) = letter.event_ids() else { return Ok(()) };
    let (failure, next_attempt) = (letter.failure(), letter.life.next_attempt());
    let DeadLetter { reason, message, .. } = letter;
    let told = feature.failed(FailedEvent { ids, reason, message, failure, next_attempt }).await;
    told.map_err(|error| {
        report(&error, "the request could not be marked as failed; the record is reported back")
    })
}

fn report(error: &(dyn std::error::Error + 'static), what: &'static str) -> Retry {
    tracing::error!(error = telemetry::chain(error), "{what}");
    Retry
}

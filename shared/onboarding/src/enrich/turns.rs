use std::{num::NonZeroU16, sync::Arc};

use runtime::{ConfigError, Vars};
use tokio::{
    sync::{Semaphore, SemaphorePermit},
    time::{Instant, timeout_at},
};

/// Bounds how many people Okta is asked for at once, whatever else of them goes on meanwhile. First come, first served.
#[derive(Debug, Clone)]
pub struct Turns {
    at_once: NonZeroU16,
    free: Arc<Semaphore>,
}

/// Until when Okta is asked for the person of a record.
#[derive(Debug, Clone, Copy)]
pub struct AskUntil {
    /// Whoever still waits for a turn then is not asked for: what is begun has time for more than a glance.
    pub stop_starting: Instant,
    /// Whoever is still asked for then isn't waited for any longer.
    pub give_up: Instant,
}

impl Turns {
    /// `ENRICHMENT_CONCURRENCY` (16): how many people of a batch are asked for at once; Okta limits it too.
    pub fn from_vars(vars: &Vars) -> Result<Self, ConfigError> {
        const AT_ONCE: NonZeroU16 = NonZeroU16::new(16).expect("16 is not 0");
        let at_once = vars.parse_or("ENRICHMENT_CONCURRENCY", AT_ONCE, "a number of people from 1")?;
        Ok(Self::new(at_once))
    }

    fn new(at_once: NonZeroU16) -> Self {
        Self { at_once, free: Arc::new(Semaphore::new(at_once.get().into())) }
    }

    /// As many, of which none is taken.
    pub(super) fn others(&self) -> Self {
        Self::new(self.at_once)
    }

    /// A turn, which lasts until it is dropped; `None` if it would have come too late.
    pub(super) async fn next(&self, until: Instant) -> Option<SemaphorePermit<'_>> {
        let turn = timeout_at(until, self.free.acquire()).await.ok()?;
        Some(turn.expect("nobody closes the semaphore"))
    }
}

use runtime::Clock;

use crate::{
    Error,
    actor::Actor,
    audit::{AuditRecord, Deed},
    store::Store,
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
    pub(crate) async fn record(&self, by: &Actor, deed: Deed) -> Result<(), Error> {
        let id = self.clock.new_id().to_string();
        let record = AuditRecord { id, at: self.clock.now(), by: by.clone(), deed };
        Ok(self.store.record(record).await?)
    }
}

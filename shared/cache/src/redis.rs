use std::time::Duration;

use redis::{AsyncCommands, ExistenceCheck, SetExpiry, SetOptions};
use valkey::{Connection, Error};

/// An empty value marks a key that was written to a moment ago; no cached value is empty.
const TOMBSTONE: &str = "";

#[derive(Clone)]
pub(crate) struct Redis(pub(crate) Connection);

impl Redis {
    pub(crate) async fn get(&self, key: &str) -> Result<Option<String>, Error> {
        let value: Option<String> = self.0.run(async |mut redis| redis.get(key).await).await?;
        Ok(value.filter(|value| value != TOMBSTONE))
    }

    /// Says whether there was no value before; not so if the answer was lost and the command came twice.
    pub(crate) async fn fill(&self, key: &str, value: &str, ttl: Duration) -> Result<bool, Error> {
        let unless_present = SetOptions::default()
            .conditional_set(ExistenceCheck::NX)
            .with_expiration(SetExpiry::PX(millis(ttl)));
        let done: Option<String> =
            self.0.run(async |mut redis| redis.set_options(key, value, unless_present.clone()).await).await?;
        Ok(done.is_some())
    }

    pub(crate) async fn put(&self, key: &str, value: &str, ttl: Duration) -> Result<(), Error> {
        self.0.run(async |mut redis| redis.pset_ex(key, value, millis(ttl)).await).await
    }

    pub(crate) async fn remove(&self, key: &str) -> Result<(), Error> {
        self.0.run(async |mut redis| redis.del(key).await).await
    }

    pub(crate) async fn invalidate(&self, key: &str, tombstone: Duration) -> Result<(), Error> {
        self.0.run(async |mut redis| redis.pset_ex(key, TOMBSTONE, millis(tombstone)).await).await
    }

    pub(crate) async fn ping(&self) -> Result<(), Error> {
        self.0.ping().await
    }
}

/// As Redis takes them: one at the least, and no more than fit its own clock.
fn millis(ttl: Duration) -> u64 {
    const CENTURY: u64 = 100 * 366 * 24 * 60 * 60 * 1000;
    u64::try_from(ttl.as_millis()).unwrap_or(CENTURY).clamp(1, CENTURY)
}

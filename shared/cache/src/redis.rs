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

    pub(crate) async fn fill(&self, key: &str, value: &str, ttl: Duration) -> Result<(), Error> {
        let unless_present = SetOptions::default()
            .conditional_set(ExistenceCheck::NX)
            .with_expiration(SetExpiry::EX(ttl.as_secs().max(1)));
        self.0.run(async |mut redis| redis.set_options(key, value, unless_present.clone()).await).await
    }

    pub(crate) async fn put(&self, key: &str, value: &str, ttl: Duration) -> Result<(), Error> {
        self.0.run(async |mut redis| redis.set_ex(key, value, ttl.as_secs().max(1)).await).await
    }

    pub(crate) async fn invalidate(&self, key: &str, tombstone: Duration) -> Result<(), Error> {
        self.0.run(async |mut redis| redis.set_ex(key, TOMBSTONE, tombstone.as_secs()).await).await
    }

    pub(crate) async fn ping(&self) -> Result<(), Error> {
        self.0.ping().await
    }
}

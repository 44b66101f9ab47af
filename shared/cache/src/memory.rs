use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use moka::{Expiry, future};
use tokio::time;

/// Weighs a value by its bytes, so that the cache is bounded in memory and not in entries.
const MAX_BYTES: u64 = 64 * 1024 * 1024;

#[derive(Clone)]
pub(crate) struct Memory(future::Cache<String, Entry>);

#[derive(Clone)]
struct Entry {
    /// `None` marks a key that was written to a moment ago.
    value: Option<Arc<str>>,
    ttl: Duration,
    /// By tokio's clock, which tests move; moka's own only makes room. `None` is a time that no clock knows.
    until: Option<time::Instant>,
}

impl Entry {
    fn new(value: Option<Arc<str>>, ttl: Duration) -> Self {
        Self { value, ttl, until: time::Instant::now().checked_add(ttl) }
    }

    fn is_over(&self) -> bool {
        self.until.is_some_and(|until| until <= time::Instant::now())
    }
}

struct PerEntry;

impl Expiry<String, Entry> for PerEntry {
    fn expire_after_create(&self, _key: &String, entry: &Entry, _now: Instant) -> Option<Duration> {
        Some(entry.ttl)
    }

    fn expire_after_update(
        &self,
        _key: &String,
        entry: &Entry,
        _now: Instant,
        _left: Option<Duration>,
    ) -> Option<Duration> {
        Some(entry.ttl)
    }
}

impl Memory {
    pub(crate) fn new() -> Self {
        let cache = future::Cache::builder()
            .max_capacity(MAX_BYTES)
            .weigher(|key: &String, entry: &Entry| {
                let bytes = key.len() + entry.value.as_ref().map_or(0, |value| value.len());
                u32::try_from(bytes).unwrap_or(u32::MAX)
            })
            .expire_after(PerEntry)
            .build();
        Self(cache)
    }

    pub(crate) async fn get(&self, key: &str) -> Option<String> {
        let entry = self.0.get(key).await.filter(|entry| !entry.is_over())?;
        entry.value.map(|value| value.to_string())
    }

    /// Says whether there was no value before.
    pub(crate) async fn fill(&self, key: &str, value: &str, ttl: Duration) -> bool {
        let entry = Entry::new(Some(value.into()), ttl);
        self.0.entry_by_ref(key).or_insert_with_if(async { entry }, Entry::is_over).await.is_fresh()
    }

    pub(crate) async fn put(&self, key: &str, value: &str, ttl: Duration) {
        self.0.insert(key.to_owned(), Entry::new(Some(value.into()), ttl)).await;
    }

    #[cfg(feature = "embedded")]
    pub(crate) fn keys(&self) -> impl Iterator<Item = Arc<String>> {
        self.0.iter().filter(|(_, entry)| !entry.is_over()).map(|(key, _)| key)
    }

    pub(crate) async fn invalidate(&self, key: &str, tombstone: Duration) {
        self.0.insert(key.to_owned(), Entry::new(None, tombstone)).await;
    }

    pub(crate) async fn remove(&self, key: &str) {
        self.0.invalidate(key).await;
    }
}

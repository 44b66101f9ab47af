//! What one sandbox sees and others show, in the cache: it is worth nothing a few minutes later, so no table has it.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use cache::Cache;
use jiff::{SignedDuration, Timestamp};
use runtime::Clock;
use serde::{Deserialize, Serialize, de::DeserializeOwned};

/// What was older says nothing about now.
pub(crate) const KEPT: Duration = Duration::from_mins(5);

/// How often a process notes what is no news.
const EVERY: SignedDuration = SignedDuration::from_mins(1);

/// A note that all sandboxes share. Cheap to clone.
#[derive(Debug, Clone)]
pub(crate) struct Noted<T> {
    key: &'static str,
    cache: Cache,
    clock: Clock,
    /// By this process.
    last: Arc<Mutex<Option<Note<T>>>>,
}

#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub(crate) struct Note<T> {
    #[serde(flatten)]
    pub(crate) seen: T,
    pub(crate) at: Timestamp,
}

impl<T: Copy + Serialize + DeserializeOwned> Noted<T> {
    pub(crate) fn new(key: &'static str, cache: Cache, clock: Clock) -> Self {
        Self { key, cache, clock, last: Arc::default() }
    }

    /// Costs a write to the cache when it is news beside what this process has noted last, or a minute has passed.
    pub(crate) async fn note(&self, seen: T, is_news: impl FnOnce(&T) -> bool) {
        let note = Note { seen, at: self.clock.now() };
        if self.takes(note, is_news) {
            let json = serde_json::to_string(&note).expect("a struct's JSON has string keys");
            self.cache.put(self.key, &json, KEPT).await;
        }
    }

    /// `None` where nothing was noted lately, and where the cache that would know is away.
    pub(crate) async fn last(&self) -> Option<Note<T>> {
        let json = self.cache.get(self.key).await?;
        let oldest = self.clock.now() - KEPT;
        serde_json::from_str::<Note<T>>(&json).ok().filter(|note| note.at > oldest)
    }

    fn takes(&self, note: Note<T>, is_news: impl FnOnce(&T) -> bool) -> bool {
        let mut last = self.last.lock().expect("no holder of this lock panics");
        let takes = last.is_none_or(|last| is_news(&last.seen) || note.at.duration_since(last.at) >= EVERY);
        if takes {
            *last = Some(note);
        }
        takes
    }
}

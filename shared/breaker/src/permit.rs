use std::{
    fmt::Display,
    hash::{DefaultHasher, Hash, Hasher},
    sync::atomic::{AtomicBool, Ordering::Relaxed},
};

use jiff::Timestamp;

use crate::{Breaker, stored::Opened};

/// A call that may be made.
#[derive(Debug)]
pub struct Permit {
    breaker: Breaker,
    /// What the call is the probe of.
    probes: Option<Opened>,
    /// A hash of whom it is about.
    about: Option<u64>,
    has_failed: AtomicBool,
    has_ended: AtomicBool,
}

/// The breaker is open: the call must not be made.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{cause}")]
pub struct Refused {
    /// Of the failure that opened it.
    pub cause: String,
    pub since: Timestamp,
}

impl Permit {
    pub(crate) fn new(breaker: Breaker, probes: Option<Opened>) -> Self {
        let [has_failed, has_ended] = [(); 2].map(|()| AtomicBool::new(false));
        Self { breaker, probes, about: None, has_failed, has_ended }
    }

    /// The call is about this one, whose failures in a row count once.
    #[must_use]
    pub fn about(mut self, whom: impl Hash) -> Self {
        let mut hasher = DefaultHasher::new();
        whom.hash(&mut hasher);
        self.about = Some(hasher.finish());
        self
    }

    /// Whether it is the call that finds out how things are. It is made once.
    pub fn is_probe(&self) -> bool {
        self.probes.is_some()
    }

    /// The call failed in a way that others will, too. `cause` is what they are told, and is logged: nothing personal.
    pub async fn failed(&self, cause: &(dyn Display + Sync)) {
        if self.has_ended.load(Relaxed) || self.has_failed.swap(true, Relaxed) {
            return;
        }
        match &self.probes {
            Some(Opened { since, times, .. }) => {
                let opened =
                    Opened { since: *since, cause: cause.to_string(), times: times.saturating_add(1) };
                self.breaker.open_again(opened).await;
            }
            None => {
                if let Some(opened) = self.breaker.count(cause, self.about) {
                    self.breaker.trip(opened).await;
                }
            }
        }
    }

    /// Whoever was called does its work. A call that failed before, and was made again, counts as one that didn't.
    pub async fn succeeded(&self) {
        if self.has_ended.swap(true, Relaxed) {
            return;
        }
        match &self.probes {
            Some(opened) if !self.has_failed.load(Relaxed) => self.breaker.close(opened).await,
            Some(_) => {}
            None => self.breaker.here().failures = 0,
        }
    }

    /// Whether the call is not to be made again: the breaker has opened meanwhile.
    pub fn is_over(&self) -> bool {
        match self.probes {
            Some(_) => self.has_failed.load(Relaxed),
            None => self.breaker.here().opened.is_some(),
        }
    }
}

impl From<&Opened> for Refused {
    fn from(opened: &Opened) -> Self {
        Self { cause: opened.cause.clone(), since: opened.since }
    }
}

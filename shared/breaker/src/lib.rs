#![doc = include_str!("../README.md")]

mod permit;
mod policy;
mod standing;
mod stored;

use std::{
    fmt::{self, Display},
    mem,
    sync::{Arc, Mutex, MutexGuard},
    time::Duration,
};

use cache::Cache;
use jiff::{SignedDuration, Timestamp};
use runtime::{Clock, ConfigError, Vars, telemetry};
use tokio::{
    sync::Notify,
    time::{Instant, timeout},
};

pub use permit::{Permit, Refused};
pub use policy::Policy;
pub use standing::{Standing, State, standing};

use stored::{Look, Opened, Stored};

/// Failures further apart than this are of one object each, or of nothing that lasts.
const ROW: SignedDuration = SignedDuration::from_mins(1);

/// For how long a process goes by what it saw; less where the breaker is open for less.
const REMEMBERED: Duration = Duration::from_secs(1);

/// For how long a call waits for the end of another's probe, and not once more for the same.
const PATIENCE: Duration = Duration::from_secs(1);

/// Cheap to clone.
#[derive(Clone)]
pub struct Breaker(Arc<Shared>);

struct Shared {
    name: &'static str,
    policy: Policy,
    stored: Stored,
    /// While the cache is away.
    own: Stored,
    clock: Clock,
    here: Mutex<Here>,
    /// One looks, and the others see what it saw.
    looking: tokio::sync::Mutex<()>,
    /// A probe of this process has ended.
    probed: Notify,
}

/// What this process knows.
struct Here {
    opened: Option<Opened>,
    /// Until when it goes by that.
    fresh_until: Instant,
    /// Counts what this process has found out itself, which is newer than what it was looking at.
    changes: u64,
    /// Whether it has waited for the probe that is on.
    has_waited: bool,
    /// Calls that failed in a row.
    failures: u32,
    last_failure: Timestamp,
    /// Whom it was about.
    last_failed: Option<u64>,
    /// Without the cache.
    is_alone: bool,
}

impl Breaker {
    /// `name` is what it stands before; all processes with this name and cache share it.
    pub fn from_vars(
        name: &'static str,
        vars: &Vars,
        cache: Cache,
        clock: Clock,
    ) -> Result<Self, ConfigError> {
        Ok(Self::new(name, Policy::from_vars(vars)?, cache, clock))
    }

    pub fn new(name: &'static str, policy: Policy, cache: Cache, clock: Clock) -> Self {
        let own = cache.of_this_process();
        let stored = Stored::new(name, cache);
        let here = Here {
            opened: None,
            fresh_until: Instant::now(),
            changes: 0,
            has_waited: false,
            failures: 0,
            last_failure: Timestamp::UNIX_EPOCH,
            last_failed: None,
            is_alone: false,
        };
        Self(Arc::new(Shared {
            name,
            policy,
            own: stored.within(own),
            stored,
            clock,
            here: Mutex::new(here),
            looking: tokio::sync::Mutex::default(),
            probed: Notify::new(),
        }))
    }

    /// Before a call. Costs a look into the cache once a second.
    ///
    /// # Errors
    /// The call must not be made.
    pub async fn permit(&self) -> Result<Permit, Refused> {
        if let Some(known) = self.known() {
            return known;
        }
        let _looking = self.0.looking.lock().await;
        if let Some(known) = self.known() {
            return known;
        }
        // Before the look: a probe that ends between the two is one that ended.
        let probed = self.0.probed.notified();
        let mut seen = self.look().await;
        if matches!(seen, Look::HalfOpen(_)) && self.waits_now() {
            drop(timeout(PATIENCE, probed).await);
            if let Some(known) = self.known() {
                return known;
            }
            seen = self.look().await;
        }
        self.goes_by(seen)
    }

    /// What this process has seen a moment ago, or has found out itself.
    fn known(&self) -> Option<Result<Permit, Refused>> {
        let here = self.here();
        (Instant::now() < here.fresh_until).then(|| match &here.opened {
            None => Ok(Permit::new(self.clone(), None)),
            Some(opened) => Err(opened.into()),
        })
    }

    async fn look(&self) -> Look {
        let changes = self.here().changes;
        let look = match self.0.stored.look().await {
            Ok(look) => {
                self.here().is_alone = false;
                // Somebody else may have closed what this process has opened.
                if matches!(look, Look::Closed) {
                    self.0.own.close().await;
                }
                look
            }
            Err(error) => {
                if !mem::replace(&mut self.here().is_alone, true) {
                    let (breaker, error) = (self.0.name, telemetry::chain(&error));
                    tracing::warn!(breaker, error, "a breaker goes by this process alone: the cache is away");
                }
                self.0.own.look().await.unwrap_or(Look::Closed)
            }
        };
        let here = self.here();
        match &here.opened {
            _ if here.changes == changes || matches!(look, Look::Probe(_)) => look,
            Some(opened) => Look::Open(opened.clone()),
            None => Look::Closed,
        }
    }

    fn goes_by(&self, seen: Look) -> Result<Permit, Refused> {
        let mut here = self.here();
        here.fresh_until = Instant::now() + self.0.policy.base.min(REMEMBERED);
        here.has_waited &= matches!(seen, Look::HalfOpen(_));
        match seen {
            Look::Closed => {
                if here.opened.take().is_some() {
                    here.failures = 0;
                }
                Ok(Permit::new(self.clone(), None))
            }
            Look::Open(opened) | Look::HalfOpen(opened) => {
                let refused = Refused::from(&opened);
                here.opened = Some(opened);
                Err(refused)
            }
            Look::Probe(opened) => {
                here.opened = Some(opened.clone());
                // Who comes now waits for the probe.
                here.fresh_until = Instant::now();
                Ok(Permit::new(self.clone(), Some(opened)))
            }
        }
    }

    /// Whether a call waits for the probe that is on.
    fn waits_now(&self) -> bool {
        !mem::replace(&mut self.here().has_waited, true)
    }

    /// Returns what opens it, if this failure does.
    fn count(&self, cause: &dyn Display, about: Option<u64>) -> Option<Opened> {
        let mut here = self.here();
        if here.opened.is_some() {
            return None;
        }
        let now = self.0.clock.now();
        let follows = here.failures > 0 && now.duration_since(here.last_failure) <= ROW;
        let is_another = about.is_none() || about != here.last_failed;
        here.failures = if follows { here.failures + u32::from(is_another) } else { 1 };
        (here.last_failure, here.last_failed) = (now, about);
        (here.failures >= self.0.policy.failures.get()).then(|| {
            let opened = Opened { since: now, cause: cause.to_string(), times: 1 };
            self.find_out(&mut here, Some(opened.clone()));
            opened
        })
    }

    /// Known at once, to this process.
    fn find_out(&self, here: &mut Here, opened: Option<Opened>) {
        *here = Here {
            opened,
            fresh_until: Instant::now() + self.0.policy.base.min(REMEMBERED),
            changes: here.changes + 1,
            has_waited: false,
            failures: 0,
            last_failure: here.last_failure,
            last_failed: None,
            is_alone: here.is_alone,
        };
    }

    async fn trip(&self, opened: Opened) {
        // Where others were faster their wait is on, and their cause is what everybody says.
        if let Ok(Some(theirs)) = self.0.stored.opened().await {
            self.find_out(&mut self.here(), Some(theirs));
            return;
        }
        let wait = self.open(&opened).await;
        let Opened { cause, .. } = opened;
        tracing::warn!(breaker = self.0.name, cause, ?wait, "a breaker opened");
    }

    async fn open_again(&self, opened: Opened) {
        self.find_out(&mut self.here(), Some(opened.clone()));
        self.0.probed.notify_waiters();
        let wait = self.open(&opened).await;
        tracing::info!(breaker = self.0.name, ?wait, "a breaker stays open: its probe failed");
    }

    async fn open(&self, opened: &Opened) -> Duration {
        let wait = self.0.policy.wait(opened.times);
        self.0.own.open(opened, wait).await;
        self.0.stored.open(opened, wait).await;
        wait
    }

    async fn close(&self, opened: &Opened) {
        self.find_out(&mut self.here(), None);
        self.0.probed.notify_waiters();
        self.0.own.close().await;
        self.0.stored.close().await;
        let open_ms = self.0.clock.millis_since(opened.since);
        tracing::info!(breaker = self.0.name, open_ms, "a breaker closed");
    }

    fn here(&self) -> MutexGuard<'_, Here> {
        self.0.here.lock().expect("no holder of this lock panics")
    }
}

impl fmt::Debug for Breaker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Breaker").field(&self.0.name).finish()
    }
}

#[cfg(test)]
mod tests;

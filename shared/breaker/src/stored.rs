//! The state in one cache, as two keys. What lasts is measured by the cache: the clocks of sandboxes differ.

use std::time::Duration;

use cache::{Cache, Error};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// How much longer than its wait a breaker is known: what nobody has probed meanwhile says nothing any more.
const KEPT: Duration = Duration::from_mins(5);

/// How long a probe may take. One that says nothing for so long is lost, with its sandbox.
pub(crate) const LEASE: Duration = Duration::from_secs(30);

/// What the hold is for.
const OPEN: &str = "open";
const PROBE: &str = "probe";

#[derive(Debug, Clone)]
pub(crate) struct Stored {
    pub(crate) cache: Cache,
    /// Why it is not closed.
    record: String,
    /// As long as this is there nobody may call.
    hold: String,
}

/// Of a breaker that is not closed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Opened {
    pub(crate) since: Timestamp,
    pub(crate) cause: String,
    /// The probes that failed, and one.
    pub(crate) times: u32,
}

/// What a caller finds.
#[derive(Debug)]
pub(crate) enum Look {
    Closed,
    Open(Opened),
    /// Another probes.
    HalfOpen(Opened),
    /// The caller is to probe.
    Probe(Opened),
}

impl Stored {
    pub(crate) fn new(name: &str, cache: Cache) -> Self {
        Self { cache, record: format!("breaker:{name}"), hold: format!("breaker:{name}:hold") }
    }

    /// The same in another cache.
    pub(crate) fn within(&self, cache: Cache) -> Self {
        Self { cache, ..self.clone() }
    }

    pub(crate) async fn opened(&self) -> Result<Option<Opened>, Error> {
        let json = self.cache.read(&self.record).await?;
        // Whatever another version has written there, to be closed is the harmless error.
        Ok(json.and_then(|json| serde_json::from_str(&json).ok()))
    }

    /// Claims the probe, if it is time.
    pub(crate) async fn look(&self) -> Result<Look, Error> {
        let Some(opened) = self.opened().await? else { return Ok(Look::Closed) };
        if self.cache.claim(&self.hold, PROBE, LEASE).await? {
            // Another may have closed it since the record was read.
            return Ok(match self.opened().await? {
                Some(opened) => Look::Probe(opened),
                None => {
                    self.cache.remove(&self.hold).await;
                    Look::Closed
                }
            });
        }
        Ok(if self.is_probed().await? { Look::HalfOpen(opened) } else { Look::Open(opened) })
    }

    /// Whether the wait is over and somebody probes. Nobody holds what ends in this moment.
    async fn is_probed(&self) -> Result<bool, Error> {
        Ok(self.cache.read(&self.hold).await?.is_some_and(|hold| hold == PROBE))
    }

    pub(crate) async fn is_open(&self) -> Result<bool, Error> {
        Ok(self.cache.read(&self.hold).await?.is_some_and(|hold| hold == OPEN))
    }

    /// The hold is first: without it who finds the record would probe at once.
    pub(crate) async fn open(&self, opened: &Opened, wait: Duration) {
        let json = serde_json::to_string(opened).expect("a struct's JSON has string keys");
        self.cache.put(&self.hold, OPEN, wait).await;
        self.cache.put(&self.record, &json, wait.saturating_add(KEPT)).await;
    }

    /// The record is first, for the same reason.
    pub(crate) async fn close(&self) {
        self.cache.remove(&self.record).await;
        self.cache.remove(&self.hold).await;
    }
}

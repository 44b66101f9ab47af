use std::fmt;

use api::Fault;
use contracts::{CorrelationId, EmployeeId, EventId, TraceParent, Warning};
use futures_util::future::BoxFuture;
use jiff::Timestamp;
use tokio::time::Instant;

use crate::{EventIds, Feature, Foresight, Unavailable};

/// What a person can do about a feature's records that failed.
pub trait Repair: Feature {
    /// What would happen to the record, with nothing changed. `version` is the value's, by its header. Asks nobody for longer than until `give_up`.
    fn foresee<'a>(
        &'a self,
        version: Option<&'a str>,
        value: &'a [u8],
        give_up: Instant,
    ) -> BoxFuture<'a, Result<Foresight, Unavailable>>;

    /// The record that `body` describes, in place of one that failed: the same event, of the same person, and as old.
    fn correct(&self, body: &[u8], failed: Failed<'_>, now: Timestamp) -> Result<Correction, Refusal>;
}

/// What a record that failed says of itself, and keeps when it is corrected.
pub struct Failed<'a> {
    pub correlation_id: CorrelationId,
    pub event_id: Option<EventId>,
    pub employee_id: Option<EmployeeId>,
    pub value: Option<&'a [u8]>,
    /// The value's, by its header.
    pub version: Option<&'a str>,
    /// By its header, for where the value can't be read.
    pub event_type: Option<&'a str>,
    pub traceparent: TraceParent,
    /// When it was put on its topic.
    pub published_at: Timestamp,
}

/// What takes the place of a record.
#[derive(Clone)]
pub struct Correction {
    pub ids: EventIds,
    /// Of several the greatest counts.
    pub edition: u64,
    pub key: String,
    pub value: Vec<u8>,
    /// Replace those of the same names.
    pub headers: Vec<(&'static str, Vec<u8>)>,
    /// What of the body was left out.
    pub warnings: Vec<Warning>,
}

/// Why a body describes no record.
#[derive(Debug, thiserror::Error)]
pub enum Refusal {
    #[error("the body is not a JSON object: line {line}, column {column}")]
    Malformed { line: usize, column: usize },
    #[error("{} fields are missing or wrong", .0.len())]
    Invalid(Vec<Fault>),
}

impl fmt::Debug for Failed<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Failed([redacted])")
    }
}

impl fmt::Debug for Correction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Correction([redacted])")
    }
}

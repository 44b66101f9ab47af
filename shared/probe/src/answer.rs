//! What Joiner answers, as far as a probe reads it.

use contracts::CorrelationId;
use serde::Deserialize;

/// The webhook's 202.
#[derive(Deserialize)]
pub(crate) struct Receipt {
    pub(crate) correlation_id: CorrelationId,
}

/// What became of a request. A probe's has one event.
#[derive(Deserialize)]
pub(crate) struct Report {
    pub(crate) events: [Event; 1],
}

#[derive(Deserialize)]
#[serde(tag = "status", rename_all = "snake_case")]
pub(crate) enum Event {
    Accepted,
    Enriched { outcome: String },
    Failed { reason: String, message: String },
}

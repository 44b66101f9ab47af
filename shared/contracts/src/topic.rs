//! The topics. `template.yaml` and the brokers use the same names; `tests/tests/tidy.rs` compares them.

/// Accepted HR events, keyed by employee id: [`EnrichmentRequestedV2`](crate::EnrichmentRequestedV2).
pub const ENRICHMENT_REQUESTED: &str = "user.enrichment.requested";

/// What happened, keyed by whom or what it is of: [`Facts`](crate::Facts).
pub const EVENTS: &str = "joiner.events";

/// Records that could not be processed, as they were, plus [`FailureHeaders`](crate::FailureHeaders).
pub const ENRICHMENT_FAILED: &str = "user.enrichment.failed";

pub const ALL: [&str; 3] = [ENRICHMENT_REQUESTED, EVENTS, ENRICHMENT_FAILED];

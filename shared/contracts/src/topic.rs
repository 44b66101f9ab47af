//! The topics. `template.yaml` and the brokers use the same names; `tests/tests/tidy.rs` compares them.

/// Accepted HR events, keyed by employee id: [`EnrichmentRequestedV2`](crate::EnrichmentRequestedV2).
pub const ENRICHMENT_REQUESTED: &str = "user.enrichment.requested";

/// Records that could not be processed, as they were, plus [`FailureHeaders`](crate::FailureHeaders).
pub const ENRICHMENT_FAILED: &str = "user.enrichment.failed";

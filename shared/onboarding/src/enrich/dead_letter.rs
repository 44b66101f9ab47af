//! A record that can't succeed, on the failed topic.

use contracts::{FailureHeaders, Origin, topic};
use jiff::Timestamp;
use kafka::Outgoing;
use runtime::{
    record::{Record, Retry},
    telemetry,
};

use super::{Enrich, failure::Failure};

impl Enrich {
    /// Key, value and headers stay as they are; what failed is added.
    pub(super) async fn dead_letter(&self, record: &Record, failure: &Failure) -> Result<(), Retry> {
        let failure_headers = FailureHeaders {
            reason: failure.reason(),
            message: failure.to_string(),
            attempts: failure.attempts(),
            origin: Origin {
                topic: record.topic.clone(),
                partition: record.partition,
                offset: record.offset,
                timestamp: Timestamp::from_millisecond(record.timestamp).unwrap_or_default(),
            },
            failed_at: self.clock.now(),
        };
        let (reason, error) = (failure.reason().code(), telemetry::chain(failure));
        tracing::warn!(reason, error, "made a dead letter");
        let added = failure_headers.pairs();
        let headers = || {
            let original =
                record.headers.iter().map(|header| (header.name.as_str(), header.value.as_slice()));
            original.chain(added.iter().map(|(name, value)| (*name, value.as_bytes())))
        };
        let letter = Outgoing {
            topic: topic::ENRICHMENT_FAILED,
            key: record.key.as_deref(),
            value: record.value.as_deref(),
        };
        let mut published = self.producer.publish(letter, headers()).await;
        if let Err(kafka::Error::TooLarge(_)) = published {
            tracing::error!(
                "the failed topic takes no record of this size; its letter goes without the value"
            );
            published = self.producer.publish(Outgoing { value: None, ..letter }, headers()).await;
        }
        published.map_err(|error| {
            let error = telemetry::chain(&error);
            tracing::error!(error, "the dead letter could not be published; the record is reported back");
            Retry
        })
    }
}

use rdkafka::error::KafkaError;

/// Of librdkafka, of AWS or of a secret.
pub(crate) type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// Why a record was not published.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The topic takes no record of this size: trying again gives the same.
    #[error("the record is too large for its topic")]
    TooLarge(#[source] KafkaError),
    /// It may have arrived all the same.
    #[error("no acknowledgement from the brokers")]
    Unacknowledged(#[source] BoxError),
}

/// The brokers would not take a record for the topic now.
#[derive(Debug, thiserror::Error)]
#[error("the brokers did not answer for the topic")]
pub struct Away(#[source] pub(crate) BoxError);

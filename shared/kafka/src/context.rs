use std::{
    error::Error,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering::Relaxed},
    },
};

use aws::Aws;
use rdkafka::{
    ClientContext,
    client::OAuthToken,
    error::{KafkaError, RDKafkaErrorCode},
};
use runtime::Clock;

use crate::iam;

/// What librdkafka asks for, and tells, from a thread of its own.
#[derive(Debug, Clone)]
pub(crate) struct Context {
    pub(crate) aws: Aws,
    pub(crate) clock: Clock,
    /// Whether the brokers have refused our credentials.
    pub(crate) refused: Arc<AtomicBool>,
}

impl ClientContext for Context {
    const ENABLE_REFRESH_OAUTH_TOKEN: bool = true;

    /// Asked for at the start, and again when four fifths of a token's life have passed.
    fn generate_oauth_token(&self, _config: Option<&str>) -> Result<OAuthToken, Box<dyn Error>> {
        let signed = iam::token(self.aws.credentials(), self.aws.region(), self.clock.now());
        let iam::Token { token, expires_at } = signed.map_err(|error| -> Box<dyn Error> { error })?;
        let lifetime_ms = expires_at.as_millisecond();
        Ok(OAuthToken { token, principal_name: "joiner".to_owned(), lifetime_ms })
    }

    /// What goes wrong with a record is its publisher's to report; this is the rest.
    fn error(&self, error: KafkaError, reason: &str) {
        match error.rdkafka_error_code() {
            Some(RDKafkaErrorCode::Authentication) => {
                self.refused.store(true, Relaxed);
                tracing::warn!(%error, reason, "the brokers refuse our credentials");
            }
            Some(RDKafkaErrorCode::AllBrokersDown | RDKafkaErrorCode::SSL) => {
                tracing::warn!(%error, reason, "the brokers are not reached");
            }
            _ => tracing::debug!(%error, reason, "the Kafka client reports"),
        }
    }
}

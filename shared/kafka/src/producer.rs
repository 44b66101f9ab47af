use std::{
    sync::{Arc, RwLock},
    time::Duration,
};

use rdkafka::{
    error::{KafkaError, KafkaResult, RDKafkaErrorCode},
    message::{Header, OwnedHeaders},
    producer::{FutureProducer, FutureRecord, Producer as _},
};

use runtime::{ConfigError, Vars, config::wrong};

use crate::Config;

/// A record on its way to a topic.
#[derive(Clone, Copy)]
pub struct Outgoing<'a> {
    pub topic: &'a str,
    pub key: Option<&'a [u8]>,
    /// `None` is Kafka's null.
    pub value: Option<&'a [u8]>,
}

#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The topic takes no record of this size: trying again gives the same.
    #[error("the record is too large for its topic")]
    TooLarge(#[source] KafkaError),
    /// It may have arrived all the same.
    #[error("no acknowledgement from the brokers")]
    Unacknowledged(#[source] KafkaError),
}

/// A shared idempotent producer.
#[derive(Clone)]
pub struct Producer {
    config: Config,
    /// Replaced when the brokers have fenced it off: librdkafka's fatal errors end the instance, not the process.
    current: Arc<RwLock<FutureProducer>>,
}

impl Producer {
    /// Connects in the background: a broker that is away is not an error here.
    pub fn from_vars(vars: &Vars) -> Result<Self, ConfigError> {
        let config = Config::from_vars(vars)?;
        let first =
            connect(&config).map_err(|_| wrong("KAFKA_BOOTSTRAP_SERVERS", "host:port, comma separated"))?;
        Ok(Self { config, current: Arc::new(RwLock::new(first)) })
    }

    /// Returns when all in-sync replicas have the record.
    pub async fn publish<'h, V: AsRef<[u8]> + 'h>(
        &self,
        record: Outgoing<'_>,
        headers: impl IntoIterator<Item = (&'h str, V)>,
    ) -> Result<(), Error> {
        let headers = headers.into_iter().fold(OwnedHeaders::new(), |headers, (key, value)| {
            headers.insert(Header { key, value: Some(value.as_ref()) })
        });
        let mut future = FutureRecord::<[u8], [u8]>::to(record.topic).headers(headers);
        future.key = record.key;
        future.payload = record.value;
        let producer = self.current.read().expect("no holder of this lock panics").clone();
        // A full queue is an error at once: waiting for it would come on top of the time for the ack.
        match producer.send(future, Duration::ZERO).await {
            Ok(_delivery) => Ok(()),
            Err((error, _record)) if is_too_large(&error) => Err(Error::TooLarge(error)),
            Err((error, _record)) => {
                if let Some((code, _reason)) = producer.client().fatal_error() {
                    self.replace(&producer, code).map_err(Error::Unacknowledged)?;
                }
                Err(Error::Unacknowledged(error))
            }
        }
    }

    fn replace(&self, broken: &FutureProducer, code: RDKafkaErrorCode) -> KafkaResult<()> {
        let mut current = self.current.write().expect("no holder of this lock panics");
        // Another caller may have replaced it already.
        if std::ptr::eq(current.client().native_ptr(), broken.client().native_ptr()) {
            tracing::error!(?code, "the Kafka producer met a fatal error and is made anew");
            *current = connect(&self.config)?;
        }
        Ok(())
    }
}

fn connect(config: &Config) -> KafkaResult<FutureProducer> {
    config.client().create()
}

fn is_too_large(error: &KafkaError) -> bool {
    matches!(error.rdkafka_error_code(), Some(RDKafkaErrorCode::MessageSizeTooLarge))
}

impl std::fmt::Debug for Producer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Producer").field("config", &self.config).finish_non_exhaustive()
    }
}

impl std::fmt::Debug for Outgoing<'_> {
    /// The topic only: key and value may be personal.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Outgoing").field("topic", &self.topic).finish_non_exhaustive()
    }
}

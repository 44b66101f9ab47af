use std::{
    borrow::Cow,
    sync::{Arc, atomic::Ordering::Relaxed},
    time::Duration,
};

use aws::Aws;
use contracts::header::TRACEPARENT;
use rdkafka::{
    error::{KafkaError, KafkaResult, RDKafkaErrorCode},
    message::{Header, OwnedHeaders},
    metadata::MetadataTopic,
    producer::{FutureProducer, FutureRecord, Producer as _},
};
use runtime::{Clock, ConfigError, Vars, config::wrong};
use secrecy::SecretString;
use tokio::{sync::RwLock, time::timeout};
use tracing::{Instrument, Span, field::Empty};

use crate::{
    Config,
    auth::Auth,
    brokers::Brokers,
    context::Context,
    error::{Away, BoxError, Error},
};

/// Lambda kills a process half a second after it has told it to end.
pub const SHUTDOWN_LIMIT: Duration = Duration::from_millis(400);

/// A record on its way to a topic.
#[derive(Clone, Copy)]
pub struct Outgoing<'a> {
    /// Without the prefix that `KAFKA_TOPIC_PREFIX` may put before it.
    pub topic: &'a str,
    pub key: Option<&'a [u8]>,
    /// `None` is Kafka's null.
    pub value: Option<&'a [u8]>,
}

/// A shared producer; cheap to clone.
#[derive(Clone)]
pub struct Producer(Arc<Shared>);

struct Shared {
    config: Config,
    context: Context,
    /// Made when it is needed first, and again with new credentials.
    current: RwLock<Option<Connected>>,
}

#[derive(Clone)]
struct Connected {
    producer: FutureProducer<Context>,
    /// What it was made with.
    secret: Option<Arc<SecretString>>,
}

impl Producer {
    /// Connects in the background: a broker that is away is not an error here.
    pub fn from_vars(vars: &Vars, aws: &Aws, clock: Clock) -> Result<Self, ConfigError> {
        let config = Config::from_vars(vars, aws)?;
        let context = Context { aws: aws.clone(), clock, refused: Arc::default() };
        let shared = Shared { config, context, current: RwLock::default() };
        shared.check().map_err(|_| wrong("KAFKA_BOOTSTRAP_SERVERS", "host:port, comma separated"))?;
        Ok(Self(Arc::new(shared)))
    }

    /// Returns when all in-sync replicas have the record. Where a trace is recorded, its `traceparent` names the span that
    /// publishes it.
    pub async fn publish<'h, V: AsRef<[u8]> + 'h>(
        &self,
        record: Outgoing<'_>,
        headers: impl IntoIterator<Item = (&'h str, V)>,
    ) -> Result<(), Error> {
        let topic = self.0.topic(record.topic);
        let mut span = None;
        let headers = headers.into_iter().fold(OwnedHeaders::new(), |headers, (key, value)| {
            let value = value.as_ref();
            if key != TRACEPARENT {
                return headers.insert(Header { key, value: Some(value) });
            }
            let span = span.insert(publishing(&topic, std::str::from_utf8(value).ok()));
            let own = otlp::traceparent_of(span).map(|own| own.to_string());
            headers.insert(Header { key, value: Some(own.as_deref().map_or(value, str::as_bytes)) })
        });
        let (span, headers) = match span {
            Some(span) => (span, headers),
            None => {
                let span = publishing(&topic, None);
                let headers = match otlp::traceparent_of(&span) {
                    Some(own) => headers.insert(Header { key: TRACEPARENT, value: Some(&own.to_string()) }),
                    None => headers,
                };
                (span, headers)
            }
        };
        let published = self.send(record, &topic, headers).instrument(span.clone()).await;
        if published.is_err() {
            span.record("otel.status_code", "ERROR");
        }
        published
    }

    async fn send(&self, record: Outgoing<'_>, topic: &str, headers: OwnedHeaders) -> Result<(), Error> {
        let mut future = FutureRecord::<[u8], [u8]>::to(topic).headers(headers);
        future.key = record.key;
        future.payload = record.value;
        let connected = self.0.connected().await?;
        // A full queue is an error at once: waiting for it would come on top of the time for the ack.
        match connected.producer.send(future, Duration::ZERO).await {
            Ok(_delivery) => Ok(()),
            Err((error, _record)) if is_too_large(&error) => Err(Error::TooLarge(error)),
            Err((error, _record)) => Err(Error::Unacknowledged(error.into())),
        }
    }

    /// Asks the brokers for the topic, within `limit`: whether each of its partitions could take a record.
    pub async fn ping(&self, topic: &str, limit: Duration) -> Result<(), Away> {
        let topic = self.0.topic(topic).into_owned();
        let Connected { producer, .. } = self.0.connected().await.map_err(|error| Away(error.into()))?;
        // librdkafka blocks until it has the answer.
        let asking = tokio::task::spawn_blocking(move || {
            let metadata = producer.client().fetch_metadata(Some(&topic), limit)?;
            metadata.topics().iter().try_for_each(has_leaders)
        });
        asking.await.map_err(|crashed| Away(crashed.into()))?.map_err(Away)
    }

    /// Waits until nothing is on its way to the brokers any more, or the limit has passed.
    pub async fn flush(&self, limit: Duration) {
        let Some(Connected { producer, .. }) = self.0.current.read().await.clone() else { return };
        let flushed = tokio::task::spawn_blocking(move || producer.flush(limit)).await;
        if let Ok(Err(error)) = flushed {
            tracing::error!(%error, "the process ends with records on their way to the brokers");
        }
    }
}

impl Shared {
    /// Addresses that can't be addresses stop the start.
    fn check(&self) -> KafkaResult<()> {
        match &self.config.brokers {
            Brokers::Servers(servers) => {
                self.config.client().set("bootstrap.servers", servers).create_native_config().map(drop)
            }
            Brokers::Cluster { .. } => Ok(()),
        }
    }

    fn topic<'t>(&self, name: &'t str) -> Cow<'t, str> {
        match self.config.topic_prefix.as_str() {
            "" => Cow::Borrowed(name),
            prefix => Cow::Owned(format!("{prefix}{name}")),
        }
    }

    async fn connected(&self) -> Result<Connected, Error> {
        let current = self.current.read().await.clone();
        if let Some(connected) = current {
            if !self.context.refused.load(Relaxed) || !self.has_new_secret(&connected).await {
                return Ok(connected);
            }
            self.forget(&connected).await;
        }
        let connecting = timeout(self.config.ack_timeout, self.connect());
        connecting
            .await
            .map_err(|elapsed| Error::Unacknowledged(elapsed.into()))?
            .map_err(Error::Unacknowledged)
    }

    /// Whoever comes second finds what the first has made.
    async fn connect(&self) -> Result<Connected, BoxError> {
        let mut current = self.current.write().await;
        if let Some(connected) = &*current {
            return Ok(connected.clone());
        }
        let servers = self.config.brokers.servers(&self.config.auth).await?;
        let mut client = self.config.client();
        client.set("bootstrap.servers", servers);
        let secret = self.config.auth.apply(&mut client).await?;
        self.context.refused.store(false, Relaxed);
        let producer = client.create_with_context(self.context.clone())?;
        Ok(current.insert(Connected { producer, secret }).clone())
    }

    /// Whether there is another secret than the one that the brokers refuse.
    async fn has_new_secret(&self, connected: &Connected) -> bool {
        match (&self.config.auth, &connected.secret) {
            (Auth::Scram(secret), Some(refused)) => secret.refreshed(refused).await.is_some(),
            _ => false,
        }
    }

    /// The next publish makes a new one. Another caller may have done so already.
    async fn forget(&self, broken: &Connected) {
        let mut current = self.current.write().await;
        let native = |connected: &Connected| connected.producer.client().native_ptr();
        if current.as_ref().is_some_and(|current| native(current) == native(broken)) {
            *current = None;
        }
    }
}

/// A record's part of its trace, which goes on where it is consumed.
/// <https://opentelemetry.io/docs/specs/semconv/messaging/kafka/>
fn publishing(topic: &str, traceparent: Option<&str>) -> Span {
    tracing::info_span!(
        "producer",
        otel.kind = "producer",
        otel.name = format!("publish {topic}"),
        otel.status_code = Empty,
        traceparent,
        messaging.system = "kafka",
        "messaging.operation.type" = "send",
        messaging.operation.name = "publish",
        messaging.destination.name = topic,
    )
}

fn has_leaders(topic: &MetadataTopic) -> Result<(), BoxError> {
    if let Some(error) = topic.error() {
        return Err(KafkaError::MetadataFetch(error.into()).into());
    }
    match topic.partitions().iter().find(|partition| partition.leader() < 0) {
        Some(partition) => Err(format!("partition {} has no leader", partition.id()).into()),
        None => Ok(()),
    }
}

fn is_too_large(error: &KafkaError) -> bool {
    matches!(error.rdkafka_error_code(), Some(RDKafkaErrorCode::MessageSizeTooLarge))
}

impl std::fmt::Debug for Producer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Producer").field("config", &self.0.config).finish_non_exhaustive()
    }
}

impl std::fmt::Debug for Outgoing<'_> {
    /// The topic only: key and value may be personal.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Outgoing").field("topic", &self.topic).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn brokers_that_are_away_do_not_answer_a_ping() {
        let vars = Vars::from_iter(aws::EMULATED).with("KAFKA_BOOTSTRAP_SERVERS", "127.0.0.1:1");
        let aws = Aws::from_vars(&vars).unwrap();
        let producer = Producer::from_vars(&vars, &aws, Clock::system()).unwrap();
        let error = producer.ping("topic", Duration::from_millis(50)).await.unwrap_err();
        assert_eq!(error.to_string(), "the brokers did not answer for the topic");
    }
}

//! Sends spans to the collector, by the HTTP client that the AWS SDK brings along.

use std::{
    sync::{Mutex, OnceLock},
    time::Duration,
};

use aws_smithy_http_client::{Connector, tls};
use aws_smithy_runtime_api::client::{
    http::{HttpConnector, SharedHttpConnector},
    orchestrator::HttpRequest,
};
use aws_smithy_types::{body::SdkBody, byte_stream::ByteStream};
use jiff::{SignedDuration, Timestamp};
use runtime::{Clock, telemetry};
use tokio::time::timeout;

use crate::{config::Config, message::encode, span::Ended};

/// What an invocation waits for the collector.
const LIMIT: Duration = Duration::from_millis(250);

/// An answer says at most which spans were refused. A longer one is left unread, and costs the connection.
const MAX_ANSWER: usize = 64 * 1024;

/// How long one that was away is left alone.
const PAUSE: SignedDuration = SignedDuration::from_secs(30);

type BoxError = Box<dyn std::error::Error + Send + Sync>;

#[derive(Debug)]
pub(crate) struct Exporter {
    config: Config,
    clock: Clock,
    connector: OnceLock<SharedHttpConnector>,
    /// Until when the collector is left alone; `None` while it takes what it is sent.
    away_until: Mutex<Option<Timestamp>>,
}

impl Exporter {
    pub(crate) fn new(config: Config, clock: Clock) -> Self {
        Self { config, clock, connector: OnceLock::new(), away_until: Mutex::default() }
    }

    /// Never fails: what can't be sent is dropped, and said once until the collector is back.
    pub(crate) async fn export(&self, ended: &[Ended]) {
        let away_until = *self.away_until.lock().expect("nobody panics with it");
        if away_until.is_some_and(|until| self.clock.now() < until) {
            return;
        }
        let sending = timeout(LIMIT, self.send(encode(ended, &self.config.resource)));
        let sent = sending.await.map_err(BoxError::from).flatten();
        if let Err(error) = &sent
            && away_until.is_none()
        {
            let error = telemetry::chain(error.as_ref());
            tracing::warn!(error, "spans are dropped: the collector of traces does not take them");
        }
        let away_until = sent.is_err().then(|| self.clock.now() + PAUSE);
        *self.away_until.lock().expect("nobody panics with it") = away_until;
    }

    async fn send(&self, body: Vec<u8>) -> Result<(), BoxError> {
        let mut request = HttpRequest::new(SdkBody::from(body));
        request.set_method("POST")?;
        request.set_uri(self.config.url.as_str())?;
        let headers = request.headers_mut();
        headers.try_insert("content-type", "application/json")?;
        for (name, value) in &self.config.headers {
            headers.try_insert(name.clone(), value.clone())?;
        }
        let mut response = self.connector.get_or_init(|| self.connect()).call(request).await?;
        // Read to its end, so that the connection is used again.
        let (mut body, mut read) = (ByteStream::new(response.take_body()), 0);
        while read < MAX_ANSWER
            && let Some(part) = body.try_next().await?
        {
            read += part.len();
        }
        let status = response.status();
        if status.is_success() { Ok(()) } else { Err(format!("status {}", status.as_u16()).into()) }
    }

    /// Loading the root certificates costs milliseconds; plain HTTP needs none.
    fn connect(&self) -> SharedHttpConnector {
        let connector = if self.config.url.starts_with("http://") {
            Connector::builder().build_http()
        } else {
            let ring = tls::Provider::Rustls(tls::rustls_provider::CryptoMode::Ring);
            Connector::builder().tls_provider(ring).build()
        };
        SharedHttpConnector::new(connector)
    }
}

#[cfg(test)]
mod tests;

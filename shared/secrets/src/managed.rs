use std::{sync::Arc, time::Duration};

use aws::Aws;
use aws_sdk_secretsmanager::Client;
use runtime::telemetry;
use secrecy::{ExposeSecret, SecretString};
use tokio::{
    sync::{Mutex, MutexGuard},
    time::Instant,
};

use crate::{Config, Error};

/// One of three attempts; a caller waits for them.
const ATTEMPT_TIMEOUT: Duration = Duration::from_secs(2);

/// How soon a secret that was refused may be read again: between a rotation's healing and a flood of wrong keys.
const REREAD_AFTER: Duration = Duration::from_secs(10);

pub(crate) struct Managed {
    id: String,
    client: Client,
    ttl: Duration,
    /// Locked while it is read: whoever needs it meanwhile waits for the same answer.
    held: Mutex<Option<Held>>,
}

struct Held {
    value: Arc<SecretString>,
    /// When it is read again.
    until: Instant,
    /// When Secrets Manager was asked last.
    asked: Instant,
}

impl Managed {
    pub(crate) fn new(id: String, config: &Config, aws: &Aws) -> Self {
        let client = Client::new(&aws.sdk(config.endpoint.as_deref(), ATTEMPT_TIMEOUT));
        Self { id, client, ttl: config.ttl, held: Mutex::default() }
    }

    pub(crate) async fn get(&self) -> Result<Arc<SecretString>, Error> {
        let mut held = self.held.lock().await;
        match &*held {
            Some(fresh) if Instant::now() < fresh.until => Ok(Arc::clone(&fresh.value)),
            _ => self.read(&mut held).await,
        }
    }

    /// The value now, unless it was asked for a moment ago.
    pub(crate) async fn reread(&self, refused: &SecretString) -> Option<Arc<SecretString>> {
        let mut held = self.held.lock().await;
        if let Some(known) = &*held {
            let is_other = known.value.expose_secret() != refused.expose_secret();
            if is_other || known.asked.elapsed() < REREAD_AFTER {
                return Some(Arc::clone(&known.value));
            }
        }
        self.read(&mut held)
            .await
            .inspect_err(|error| {
                tracing::warn!(error = telemetry::chain(error), "a refused secret could not be read again");
            })
            .ok()
    }

    /// An old value is better than none: what it opens says whether it is still good.
    async fn read(&self, held: &mut MutexGuard<'_, Option<Held>>) -> Result<Arc<SecretString>, Error> {
        let asked = Instant::now();
        match (self.fetch().await, held.as_mut()) {
            (Ok(value), _) => {
                let value = Arc::new(value);
                **held = Some(Held { value: Arc::clone(&value), until: asked + self.ttl, asked });
                Ok(value)
            }
            (Err(error), Some(known)) => {
                let error = telemetry::chain(&error);
                tracing::warn!(error, "a secret could not be read; its last value is used");
                (known.until, known.asked) = (asked + self.ttl.min(REREAD_AFTER), asked);
                Ok(Arc::clone(&known.value))
            }
            (Err(error), None) => Err(error),
        }
    }

    async fn fetch(&self) -> Result<SecretString, Error> {
        // Boxed: the future of an operation of the SDK is tens of kilobytes long, and this one is in all of ours.
        let asked = Box::pin(self.client.get_secret_value().secret_id(&self.id).send()).await;
        let answer =
            asked.map_err(|error| Error::Unavailable { id: self.id.clone(), source: error.into() })?;
        // A line's end that came along with a paste is not part of a secret.
        let value = answer.secret_string().map(str::trim_end).filter(|value| !value.is_empty());
        let malformed = || Error::Malformed { id: self.id.clone(), expected: "a text" };
        value.map(SecretString::from).ok_or_else(malformed)
    }
}

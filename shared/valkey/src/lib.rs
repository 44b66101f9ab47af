#![doc = include_str!("../README.md")]

mod config;
mod handle;
mod prefix;

use std::{fmt, future::Future, sync::Arc, time::Duration};

use aws::Aws;
use redis::{AsyncCommands, ErrorKind, RedisError};
use runtime::{ConfigError, Vars};
use secrecy::SecretString;
use tokio::sync::RwLock;

pub use config::Config;
pub use handle::Handle;
pub use prefix::KeyPrefix;

/// Cheap to clone.
#[derive(Clone)]
pub struct Connection(Arc<Shared>);

struct Shared {
    config: Config,
    timeout: Duration,
    current: RwLock<Option<Connected>>,
}

#[derive(Clone)]
struct Connected {
    handle: Handle,
    /// What it was made with.
    secret: Option<Arc<SecretString>>,
}

/// Why a command was not carried out.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("the server failed")]
    Redis(#[from] RedisError),
    #[error("there are no credentials for the server")]
    Secret(#[from] secrets::Error),
}

impl Connection {
    /// Reads `<name>_URL` and what belongs to it; see [`Config`]. Connects with the first command. `timeout` bounds
    /// connecting, and each answer.
    pub fn from_vars(
        vars: &Vars,
        name: &str,
        timeout: Duration,
        aws: &Aws,
    ) -> Result<Option<Self>, ConfigError> {
        let Some(config) = Config::from_vars(vars, name, aws)? else { return Ok(None) };
        Ok(Some(Self(Arc::new(Shared { config, timeout, current: RwLock::default() }))))
    }

    /// The server that people are stored in, with the prefix of its keys: `STORAGE_URL` (`redis://host:port/db`) and what
    /// belongs to it ([`Config`]), `STORAGE_TIMEOUT_SECONDS` (3) and `STORAGE_KEY_PREFIX` (`joiner`).
    pub fn storage(vars: &Vars, aws: &Aws) -> Result<(Self, KeyPrefix), ConfigError> {
        vars.require("STORAGE_URL", "a URL such as redis://localhost:6379")?;
        let timeout = vars.seconds_or("STORAGE_TIMEOUT_SECONDS", Duration::from_secs(3))?;
        let connection = Self::from_vars(vars, "STORAGE", timeout, aws)?;
        let connection = connection.expect("its URL is set, as was just seen");
        Ok((connection, KeyPrefix::from_vars(vars, "STORAGE")?))
    }

    /// Runs a command, and once more if the connection was lost or its password has changed.
    pub async fn run<T, F>(&self, command: impl Fn(Handle) -> F) -> Result<T, Error>
    where
        F: Future<Output = Result<T, RedisError>>,
    {
        let connected = self.0.connected().await?;
        match command(connected.handle.clone()).await {
            Err(error) if was_refused(&error) => {
                self.0.forget(&connected).await;
                if !self.0.config.has_new_secret(connected.secret.as_deref()).await {
                    return Err(error.into());
                }
            }
            Err(error) if error.is_connection_dropped() || error.is_unrecoverable_error() => {}
            outcome => return Ok(outcome?),
        }
        let connected = self.0.connected().await?;
        Ok(command(connected.handle).await?)
    }

    /// Whether the server answers, and lets us in.
    pub async fn ping(&self) -> Result<(), Error> {
        self.run(async |mut redis| redis.ping().await).await
    }
}

impl Shared {
    async fn connected(&self) -> Result<Connected, Error> {
        if let Some(connected) = &*self.current.read().await {
            return Ok(connected.clone());
        }
        let mut current = self.current.write().await;
        if let Some(connected) = &*current {
            return Ok(connected.clone());
        }
        let mut secret = self.config.secret().await?;
        let made = match self.config.connect(secret.as_deref(), self.timeout).await {
            // A cluster does not say why none of its nodes was reached: the password may be an old one.
            Err(_) if self.config.has_new_secret(secret.as_deref()).await => {
                secret = self.config.secret().await?;
                self.config.connect(secret.as_deref(), self.timeout).await
            }
            made => made,
        };
        Ok(current.insert(Connected { handle: made?, secret }).clone())
    }

    /// The next command connects anew. Another may have done so already, and then there are two for a moment.
    async fn forget(&self, refused: &Connected) {
        let mut current = self.current.write().await;
        let is_same = |known: &Connected| match (&known.secret, &refused.secret) {
            (Some(known), Some(refused)) => Arc::ptr_eq(known, refused),
            (None, None) => true,
            _ => false,
        };
        if current.as_ref().is_some_and(is_same) {
            *current = None;
        }
    }
}

/// A server that wants a password says NOAUTH, one that got a wrong one WRONGPASS.
fn was_refused(error: &RedisError) -> bool {
    error.kind() == ErrorKind::AuthenticationFailed || matches!(error.code(), Some("NOAUTH" | "WRONGPASS"))
}

impl fmt::Debug for Connection {
    /// The URL may hold a password.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Connection")
    }
}

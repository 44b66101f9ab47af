#![doc = include_str!("../README.md")]

mod config;
#[cfg(feature = "embedded")]
pub mod embedded;
mod memory;
mod redis;

use std::{fmt, time::Duration};

use aws::Aws;
use runtime::{ConfigError, Vars, telemetry};
use tokio::time::timeout;
use valkey::{Connection, KeyPrefix};

pub use config::Config;

/// How long a key stays unfillable after a write: longer than any reader holds on to what it read before it.
const TOMBSTONE_TTL: Duration = Duration::from_secs(5);

/// A shared cache; cheap to clone.
#[derive(Clone)]
pub struct Cache {
    backend: Backend,
    ttl: Duration,
    timeout: Duration,
    key_prefix: KeyPrefix,
}

#[derive(Clone)]
enum Backend {
    Redis(redis::Redis),
    Memory(memory::Memory),
}

/// Why the cache did not answer.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("the cache failed")]
    Redis(#[from] valkey::Error),
    #[error("the cache did not answer in time")]
    Timeout(#[from] tokio::time::error::Elapsed),
}

impl Cache {
    /// Reads `CACHE_URL` and what belongs to it ([`valkey::Config`]); unset, the cache is this process's memory. Connects
    /// with the first request, and again whenever the connection was lost.
    pub fn from_vars(vars: &Vars, aws: &Aws) -> Result<Self, ConfigError> {
        let Config { ttl, timeout, key_prefix } = Config::from_vars(vars)?;
        let backend = match Connection::from_vars(vars, "CACHE", timeout, aws)? {
            Some(connection) => Backend::Redis(redis::Redis(connection)),
            None => Backend::Memory(memory::Memory::new()),
        };
        Ok(Self { backend, ttl, timeout, key_prefix })
    }

    /// A cache of this process alone, empty, and otherwise like this one.
    #[must_use]
    pub fn of_this_process(&self) -> Self {
        Self { backend: Backend::Memory(memory::Memory::new()), ..self.clone() }
    }

    /// `None` is a miss, also when the cache is away.
    pub async fn get(&self, key: &str) -> Option<String> {
        self.read(key).await.unwrap_or_else(|error| {
            tracing::warn!(error = telemetry::chain(&error), "a cache read counts as a miss");
            None
        })
    }

    /// The same for whom a cache that is away is no miss.
    pub async fn read(&self, key: &str) -> Result<Option<String>, Error> {
        let key = &self.key_prefix.key(key);
        let read = async {
            match &self.backend {
                Backend::Redis(redis) => redis.get(key).await,
                Backend::Memory(memory) => Ok(memory.get(key).await),
            }
        };
        self.bounded(read).await
    }

    /// Puts the value there for as long, unless there is one. Of all who claim a key at once, one is told that they have it;
    /// or nobody, if the answer to that one was lost.
    pub async fn claim(&self, key: &str, value: &str, ttl: Duration) -> Result<bool, Error> {
        let key = &self.key_prefix.key(key);
        let write = async {
            match &self.backend {
                Backend::Redis(redis) => redis.fill(key, value, ttl).await,
                Backend::Memory(memory) => Ok(memory.fill(key, value, ttl).await),
            }
        };
        self.bounded(write).await
    }

    /// Stores what was read from the table, unless the key was written to meanwhile.
    pub async fn fill(&self, key: &str, value: &str) {
        let key = &self.key_prefix.key(key);
        let write = async {
            match &self.backend {
                Backend::Redis(redis) => redis.fill(key, value, self.ttl).await,
                Backend::Memory(memory) => Ok(memory.fill(key, value, self.ttl).await),
            }
        };
        if let Err(error) = self.bounded(write).await {
            tracing::warn!(error = telemetry::chain(&error), "a value could not be cached");
        }
    }

    /// Stores what no table has, in place of what is there.
    pub async fn put(&self, key: &str, value: &str, ttl: Duration) {
        let key = &self.key_prefix.key(key);
        let write = async {
            match &self.backend {
                Backend::Redis(redis) => redis.put(key, value, ttl).await,
                Backend::Memory(memory) => {
                    memory.put(key, value, ttl).await;
                    Ok(())
                }
            }
        };
        if let Err(error) = self.bounded(write).await {
            tracing::warn!(error = telemetry::chain(&error), "a value could not be cached");
        }
    }

    /// Forgets the key, after its item was written.
    pub async fn invalidate(&self, key: &str) {
        let key = &self.key_prefix.key(key);
        let write = async {
            match &self.backend {
                Backend::Redis(redis) => redis.invalidate(key, TOMBSTONE_TTL).await,
                Backend::Memory(memory) => {
                    memory.invalidate(key, TOMBSTONE_TTL).await;
                    Ok(())
                }
            }
        };
        if let Err(error) = self.bounded(write).await {
            tracing::warn!(
                error = telemetry::chain(&error),
                ttl_seconds = self.ttl.as_secs(),
                "a cached value could not be invalidated; it is served until its TTL ends"
            );
        }
    }

    /// Takes away what was put or claimed. Unlike an invalidated key, it may be filled again at once.
    pub async fn remove(&self, key: &str) {
        let key = &self.key_prefix.key(key);
        let write = async {
            match &self.backend {
                Backend::Redis(redis) => redis.remove(key).await,
                Backend::Memory(memory) => {
                    memory.remove(key).await;
                    Ok(())
                }
            }
        };
        if let Err(error) = self.bounded(write).await {
            tracing::warn!(
                error = telemetry::chain(&error),
                "a cached value could not be taken away; it stays until its TTL ends"
            );
        }
    }

    pub async fn ping(&self) -> Result<(), Error> {
        self.bounded(async {
            match &self.backend {
                Backend::Redis(redis) => redis.ping().await,
                Backend::Memory(_) => Ok(()),
            }
        })
        .await
    }

    async fn bounded<T>(
        &self,
        operation: impl Future<Output = Result<T, valkey::Error>>,
    ) -> Result<T, Error> {
        Ok(timeout(self.timeout, operation).await??)
    }
}

impl fmt::Debug for Cache {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.backend {
            Backend::Redis(_) => "Cache(redis)",
            Backend::Memory(_) => "Cache(memory)",
        })
    }
}

#[cfg(test)]
mod tests;

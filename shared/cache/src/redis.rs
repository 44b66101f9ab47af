use std::{sync::Arc, time::Duration};

use redis::{
    AsyncCommands, Client, ExistenceCheck, RedisError, SetExpiry, SetOptions,
    aio::{ConnectionManager, ConnectionManagerConfig},
};
use tokio::sync::OnceCell;

/// An empty value marks a key that was written to a moment ago; no cached value is empty.
const TOMBSTONE: &str = "";

#[derive(Clone)]
pub(crate) struct Redis {
    client: Client,
    timeout: Duration,
    connection: Arc<OnceCell<ConnectionManager>>,
}

impl Redis {
    pub(crate) fn new(url: &str, timeout: Duration) -> Result<Self, RedisError> {
        Ok(Self { client: Client::open(url)?, timeout, connection: Arc::default() })
    }

    pub(crate) async fn get(&self, key: &str) -> Result<Option<String>, RedisError> {
        let value: Option<String> = self.connection().await?.get(key).await?;
        Ok(value.filter(|value| value != TOMBSTONE))
    }

    pub(crate) async fn fill(&self, key: &str, value: &str, ttl: Duration) -> Result<(), RedisError> {
        let unless_present = SetOptions::default()
            .conditional_set(ExistenceCheck::NX)
            .with_expiration(SetExpiry::EX(ttl.as_secs().max(1)));
        self.connection().await?.set_options(key, value, unless_present).await
    }

    pub(crate) async fn invalidate(&self, key: &str, tombstone: Duration) -> Result<(), RedisError> {
        self.connection().await?.set_ex(key, TOMBSTONE, tombstone.as_secs()).await
    }

    pub(crate) async fn ping(&self) -> Result<(), RedisError> {
        self.connection().await?.ping().await
    }

    /// The manager reconnects by itself; only the first connection has to be asked for.
    async fn connection(&self) -> Result<ConnectionManager, RedisError> {
        let connect = || {
            let config = ConnectionManagerConfig::new()
                .set_connection_timeout(Some(self.timeout))
                .set_response_timeout(Some(self.timeout))
                .set_number_of_retries(1);
            self.client.get_connection_manager_with_config(config)
        };
        self.connection.get_or_try_init(connect).await.cloned()
    }
}

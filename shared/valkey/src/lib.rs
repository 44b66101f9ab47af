#![doc = include_str!("../README.md")]

use std::{fmt, future::Future, time::Duration};

use redis::{
    Client, RedisError,
    aio::{ConnectionManager, ConnectionManagerConfig},
};

/// Cheap to clone.
#[derive(Clone)]
pub struct Connection(ConnectionManager);

impl Connection {
    /// Connects with the first command. `timeout` bounds connecting, and each answer.
    pub fn new(url: &str, timeout: Duration) -> Result<Self, RedisError> {
        let config = ConnectionManagerConfig::new()
            .set_connection_timeout(Some(timeout))
            .set_response_timeout(Some(timeout))
            .set_number_of_retries(1);
        Ok(Self(ConnectionManager::new_lazy_with_config(Client::open(url)?, config)?))
    }

    /// Runs a command, and once more if the connection was lost.
    pub async fn run<T, F>(&self, command: impl Fn(ConnectionManager) -> F) -> Result<T, RedisError>
    where
        F: Future<Output = Result<T, RedisError>>,
    {
        match command(self.0.clone()).await {
            Err(error) if error.is_connection_dropped() || error.is_unrecoverable_error() => {
                command(self.0.clone()).await
            }
            outcome => outcome,
        }
    }
}

impl fmt::Debug for Connection {
    /// The URL may hold a password.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Connection")
    }
}

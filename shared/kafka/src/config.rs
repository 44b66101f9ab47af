use std::time::Duration;

use rdkafka::ClientConfig;
use runtime::{ConfigError, Vars};

#[derive(Debug, Clone)]
pub struct Config {
    /// `KAFKA_BOOTSTRAP_SERVERS`: host:port, comma separated.
    pub bootstrap_servers: String,
    /// `KAFKA_ACK_TIMEOUT_SECONDS` (5): how long `publish` may take.
    pub ack_timeout: Duration,
}

impl Config {
    pub fn from_vars(vars: &Vars) -> Result<Self, ConfigError> {
        let servers = vars.require("KAFKA_BOOTSTRAP_SERVERS", "host:port, comma separated")?;
        Ok(Self {
            bootstrap_servers: servers.to_owned(),
            ack_timeout: vars.seconds_or("KAFKA_ACK_TIMEOUT_SECONDS", Duration::from_secs(5))?,
        })
    }

    pub(crate) fn client(&self) -> ClientConfig {
        let mut client = ClientConfig::new();
        client
            .set("bootstrap.servers", &self.bootstrap_servers)
            .set("client.id", "joiner")
            .set("acks", "all")
            .set("enable.idempotence", "true")
            .set("compression.type", "gzip")
            // One webhook waits for one record: nothing is gained by waiting for a fuller batch.
            .set("linger.ms", "0")
            // The topic has the last word on sizes: a dead letter is a little larger than its record.
            .set("message.max.bytes", "10485760")
            .set("message.timeout.ms", self.ack_timeout.as_millis().to_string())
            // Lambda freezes a sandbox between invocations and NAT forgets idle connections: notice and come back fast.
            .set("socket.keepalive.enable", "true")
            .set("socket.timeout.ms", "10000")
            .set("socket.connection.setup.timeout.ms", "5000")
            .set("reconnect.backoff.ms", "50")
            .set("reconnect.backoff.max.ms", "1000");
        client
    }
}

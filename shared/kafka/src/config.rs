use std::time::Duration;

use aws::Aws;
use rdkafka::ClientConfig;
use runtime::{ConfigError, Vars, config::wrong};

use crate::{auth::Auth, brokers::Brokers};

#[derive(Debug, Clone)]
pub struct Config {
    pub(crate) brokers: Brokers,
    pub(crate) auth: Auth,
    /// `KAFKA_CA_FILE`: certificates, as PEM, to trust instead of the system's.
    ca_file: Option<String>,
    /// `KAFKA_TOPIC_PREFIX` (none): stands before the names of our topics, where several Joiners share a cluster.
    pub(crate) topic_prefix: String,
    /// `KAFKA_ACK_TIMEOUT_SECONDS` (5): how long `publish` may take.
    pub(crate) ack_timeout: Duration,
}

impl Config {
    pub fn from_vars(vars: &Vars, aws: &Aws) -> Result<Self, ConfigError> {
        Ok(Self {
            brokers: Brokers::from_vars(vars, aws)?,
            auth: Auth::from_vars(vars, aws)?,
            ca_file: vars.get("KAFKA_CA_FILE").map(str::to_owned),
            topic_prefix: topic_prefix(vars)?.to_owned(),
            ack_timeout: vars.seconds_or("KAFKA_ACK_TIMEOUT_SECONDS", Duration::from_secs(5))?,
        })
    }

    /// Everything but where the brokers are and how they know us.
    pub fn client(&self) -> ClientConfig {
        let mut client = ClientConfig::new();
        client
            .set("client.id", "joiner")
            .set("acks", "all")
            // With it, the first record waits half a second for a producer's id (ADR 15); repeats are known by their event.
            .set("enable.idempotence", "false")
            .set("compression.type", "lz4")
            // One webhook waits for one record: nothing is gained by waiting for a fuller batch.
            .set("linger.ms", "0")
            // What comes while as many requests are under way goes as one. Unbounded, each record is a request of its own.
            .set("max.in.flight.requests.per.connection", "5")
            // The topic has the last word on sizes: a dead letter is a little larger than its record.
            .set("message.max.bytes", "10485760")
            .set("message.timeout.ms", self.ack_timeout.as_millis().to_string())
            // Lambda freezes a sandbox between invocations and NAT forgets idle connections: notice and come back fast.
            .set("socket.keepalive.enable", "true")
            .set("socket.timeout.ms", "10000")
            .set("socket.connection.setup.timeout.ms", "5000")
            .set("reconnect.backoff.ms", "50")
            .set("reconnect.backoff.max.ms", "1000");
        if let Some(file) = &self.ca_file {
            client.set("ssl.ca.location", file);
        }
        client
    }
}

fn topic_prefix(vars: &Vars) -> Result<&str, ConfigError> {
    let prefix = vars.get("KAFKA_TOPIC_PREFIX").unwrap_or_default();
    let is_legal = |byte: u8| byte.is_ascii_alphanumeric() || b"._-".contains(&byte);
    // Kafka takes names of 249.
    if prefix.len() <= 200 && prefix.bytes().all(is_legal) {
        Ok(prefix)
    } else {
        Err(wrong("KAFKA_TOPIC_PREFIX", "letters, digits, ., _ and -, such as staging."))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_prefix_that_no_topic_can_have_stops_the_start() {
        let prefix = |prefix: &str| {
            let vars = Vars::from_iter(aws::EMULATED).with("KAFKA_BOOTSTRAP_SERVERS", "localhost:9092");
            let vars = vars.with("KAFKA_TOPIC_PREFIX", prefix);
            Config::from_vars(&vars, &Aws::from_vars(&vars).unwrap()).map(|config| config.topic_prefix)
        };
        for legal in ["", "staging.", "a_b-9."] {
            assert_eq!(prefix(legal).unwrap(), legal);
        }
        for illegal in ["a b", "staging/", "st\u{e4}ging.", &"x".repeat(201)] {
            assert_eq!(prefix(illegal).unwrap_err().name, "KAFKA_TOPIC_PREFIX", "{illegal}");
        }
    }
}

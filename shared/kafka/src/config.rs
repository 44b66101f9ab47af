use std::{path::Path, time::Duration};

use aws::Aws;
use rdkafka::ClientConfig;
use runtime::{ConfigError, Vars, config::wrong};

use crate::{auth::Auth, brokers::Brokers, roots};

#[derive(Debug, Clone)]
pub struct Config {
    pub(crate) brokers: Brokers,
    pub(crate) auth: Auth,
    /// `KAFKA_CA_FILE`: authorities, as PEM, to trust instead of Amazon's.
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
            ca_file: ca_file(vars)?.map(str::to_owned),
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
        // Without TLS librdkafka knows neither.
        if self.auth.is_encrypted() {
            match &self.ca_file {
                Some(file) => client.set("ssl.ca.location", file),
                None => client.set("ssl.ca.pem", roots::AMAZON),
            };
        }
        client
    }
}

/// librdkafka would find out with the first record.
fn ca_file(vars: &Vars) -> Result<Option<&str>, ConfigError> {
    match vars.get("KAFKA_CA_FILE") {
        Some(file) if !Path::new(file).is_file() => Err(wrong("KAFKA_CA_FILE", "a file of certificates")),
        file => Ok(file),
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

    fn vars() -> Vars {
        Vars::from_iter(aws::EMULATED).with("KAFKA_BOOTSTRAP_SERVERS", "localhost:9092")
    }

    fn config(vars: &Vars) -> Result<Config, ConfigError> {
        Config::from_vars(vars, &Aws::from_vars(vars).unwrap())
    }

    #[test]
    fn over_tls_amazons_roots_are_trusted_or_else_those_of_the_file() {
        let trusted = |auth: Auth, vars: &Vars| {
            let client = Config { auth, ..config(vars).unwrap() }.client();
            ["ssl.ca.pem", "ssl.ca.location"].map(|name| client.get(name).map(str::to_owned))
        };
        // A file that is there.
        let file = concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml");
        let with_file = vars().with("KAFKA_CA_FILE", file);
        assert_eq!(trusted(Auth::Tls, &vars()), [Some(roots::AMAZON.to_owned()), None]);
        assert_eq!(trusted(Auth::Iam, &with_file), [None, Some(file.to_owned())]);
        assert_eq!(trusted(Auth::Plaintext, &with_file), [None, None]);
    }

    #[test]
    fn a_file_of_certificates_that_is_not_there_stops_the_start() {
        let vars = vars().with("KAFKA_CA_FILE", "/no/such/file.pem");
        assert_eq!(config(&vars).unwrap_err().name, "KAFKA_CA_FILE");
    }

    #[test]
    fn a_prefix_that_no_topic_can_have_stops_the_start() {
        let prefix = |prefix: &str| {
            config(&vars().with("KAFKA_TOPIC_PREFIX", prefix)).map(|config| config.topic_prefix)
        };
        for legal in ["", "staging.", "a_b-9."] {
            assert_eq!(prefix(legal).unwrap(), legal);
        }
        for illegal in ["a b", "staging/", "st\u{e4}ging.", &"x".repeat(201)] {
            assert_eq!(prefix(illegal).unwrap_err().name, "KAFKA_TOPIC_PREFIX", "{illegal}");
        }
    }
}

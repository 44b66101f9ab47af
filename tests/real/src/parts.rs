use std::{
    str::FromStr,
    thread,
    time::{Duration, Instant},
};

use anyhow::{Error, Result, bail};

use crate::{DynamoDbLocal, Kafka, PASSWORD, Redis, RedisCluster, SecretsManager, USERNAME};

/// What `--only` names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    Kafka,
    DynamoDb,
    Redis,
    Secrets,
}

impl Part {
    pub const ALL: [Self; 4] = [Self::Kafka, Self::DynamoDb, Self::Redis, Self::Secrets];
}

impl FromStr for Part {
    type Err = Error;

    fn from_str(name: &str) -> Result<Self> {
        Ok(match name {
            "kafka" => Self::Kafka,
            "dynamodb" => Self::DynamoDb,
            "redis" => Self::Redis,
            "secrets" => Self::Secrets,
            _ => bail!("there is no part {name:?}: kafka, dynamodb, redis and secrets are known"),
        })
    }
}

/// Running parts. Dropped, they are gone.
#[derive(Debug, Default)]
pub struct Parts {
    pub kafka: Option<Kafka>,
    pub dynamodb: Option<DynamoDbLocal>,
    pub redis: Option<Redis>,
    pub redis_cluster: Option<RedisCluster>,
    pub secrets: Option<SecretsManager>,
}

impl Parts {
    /// Starts them at the same time. `ready` hears what is where, and how long it took.
    pub fn start(wanted: &[Part], ready: impl Fn(&str, &str, Duration) + Sync) -> Result<Self> {
        let ready = &ready;
        thread::scope(|scope| {
            let kafka = wanted
                .contains(&Part::Kafka)
                .then(|| scope.spawn(|| timed("kafka", Kafka::start, Kafka::bootstrap_servers, ready)));
            let dynamodb = wanted
                .contains(&Part::DynamoDb)
                .then(|| scope.spawn(|| timed("dynamodb", DynamoDbLocal::start, DynamoDbLocal::url, ready)));
            let redis = wanted
                .contains(&Part::Redis)
                .then(|| scope.spawn(|| timed("redis", Redis::start, Redis::url, ready)));
            let redis_cluster = wanted.contains(&Part::Redis).then(|| {
                scope.spawn(|| timed("redis cluster", RedisCluster::start, RedisCluster::url, ready))
            });
            let secrets = wanted
                .contains(&Part::Secrets)
                .then(|| scope.spawn(|| timed("secrets", SecretsManager::start, SecretsManager::url, ready)));
            Ok(Self {
                kafka: joined(kafka)?,
                dynamodb: joined(dynamodb)?,
                redis: joined(redis)?,
                redis_cluster: joined(redis_cluster)?,
                secrets: joined(secrets)?,
            })
        })
    }

    /// The environment variables that tell tests where the parts are.
    pub fn vars(&self) -> Vec<(&'static str, String)> {
        let mut vars = Vec::new();
        if let Some(kafka) = &self.kafka {
            let (key, secret) = (kafka.access_key_id(), kafka.secret_access_key());
            vars.extend([
                ("TEST_KAFKA_BOOTSTRAP_SERVERS", kafka.bootstrap_servers()),
                ("TEST_KAFKA_TLS_SERVERS", kafka.tls_servers()),
                ("TEST_KAFKA_SCRAM_SERVERS", kafka.scram_servers()),
                ("TEST_KAFKA_CREDENTIALS", json([("username", USERNAME), ("password", PASSWORD)])),
                ("TEST_KAFKA_IAM_SERVERS", kafka.iam_servers()),
                ("TEST_KAFKA_IAM_CREDENTIALS", json([("access_key_id", key), ("secret_access_key", secret)])),
                ("TEST_KAFKA_CA_FILE", kafka.ca_file().display().to_string()),
            ]);
        }
        if let Some(dynamodb) = &self.dynamodb {
            vars.push(("TEST_DYNAMODB_URL", dynamodb.url()));
        }
        if let Some(redis) = &self.redis {
            vars.push(("TEST_REDIS_URL", redis.url()));
        }
        if let Some(cluster) = &self.redis_cluster {
            vars.extend([
                ("TEST_REDIS_TLS_CLUSTER_URL", cluster.url()),
                ("TEST_REDIS_CREDENTIALS", json([("username", USERNAME), ("password", PASSWORD)])),
                ("TEST_REDIS_CA_FILE", cluster.ca_file().display().to_string()),
            ]);
        }
        if let Some(secrets) = &self.secrets {
            vars.push(("TEST_SECRETS_URL", secrets.url()));
        }
        vars
    }
}

type Handle<'scope, T> = thread::ScopedJoinHandle<'scope, Result<T>>;

fn joined<T>(part: Option<Handle<'_, T>>) -> Result<Option<T>> {
    part.map(|handle| handle.join().expect("a start fails with an error")).transpose()
}

fn timed<T>(
    name: &str,
    start: impl Fn() -> Result<T>,
    address: impl Fn(&T) -> String,
    ready: &(impl Fn(&str, &str, Duration) + Sync),
) -> Result<T> {
    let began = Instant::now();
    let part = start()?;
    ready(name, &address(&part), began.elapsed());
    Ok(part)
}

/// Of words that need no escape.
fn json(fields: [(&str, &str); 2]) -> String {
    let [first, second] = fields.map(|(name, value)| format!("\"{name}\":\"{value}\""));
    format!("{{{first},{second}}}")
}

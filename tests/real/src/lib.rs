#![doc = include_str!("../README.md")]

mod certificates;
mod command;
mod config;
mod dynamodb;
mod http_server;
mod kafka;
mod parts;
mod port;
mod process;
mod redis;
mod secrets;
#[cfg(test)]
mod tests;

pub use self::{
    command::run,
    dynamodb::DynamoDbLocal,
    kafka::Kafka,
    parts::{Part, Parts},
    process::bound_to_this_process,
    redis::{Redis, RedisCluster},
    secrets::SecretsManager,
};

/// Who may use Kafka's SCRAM listener and the Redis cluster.
pub const USERNAME: &str = "joiner";
pub const PASSWORD: &str = "a-password-for-tests";

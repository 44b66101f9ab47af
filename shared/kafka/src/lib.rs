#![doc = include_str!("../README.md")]

mod auth;
mod brokers;
mod config;
mod context;
mod iam;
mod producer;
mod roots;

pub use config::Config;
pub use producer::{Away, Error, Outgoing, Producer, SHUTDOWN_LIMIT};

#![doc = include_str!("../README.md")]

mod auth;
mod brokers;
mod config;
mod context;
mod iam;
mod producer;

pub use config::Config;
pub use producer::{Away, Error, Outgoing, Producer, SHUTDOWN_LIMIT};

#![doc = include_str!("../README.md")]

mod auth;
mod brokers;
mod config;
mod context;
mod error;
mod iam;
mod producer;
mod roots;

pub use config::Config;
pub use error::{Away, Error};
pub use producer::{Outgoing, Producer, SHUTDOWN_LIMIT};

#![doc = include_str!("../README.md")]

mod config;
mod producer;

pub use config::Config;
pub use producer::{Error, Outgoing, Producer};

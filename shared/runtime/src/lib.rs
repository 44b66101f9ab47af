#![doc = include_str!("../README.md")]

pub mod clock;
pub mod config;
pub mod event;
pub mod loopback;
pub mod record;
pub mod telemetry;

pub use clock::Clock;
pub use config::{ConfigError, Vars};

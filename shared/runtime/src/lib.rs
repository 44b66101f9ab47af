#![doc = include_str!("../README.md")]

pub mod api;
pub mod batch;
pub mod clock;
pub mod config;
pub mod cursor;
pub mod event;
pub mod problem;
pub mod telemetry;

pub use clock::Clock;
pub use config::{ConfigError, Vars};
pub use problem::Problem;

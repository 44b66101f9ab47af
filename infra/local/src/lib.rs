#![doc = include_str!("../README.md")]

pub mod broker;
pub mod cloud;
pub mod config;
mod esm;
mod function;
mod gateway;
mod phase;
mod registry;
mod schedule;
pub mod template;
mod wiring;

pub use cloud::{Cloud, Options, Parts};
pub use esm::Reading;
pub use function::Function;

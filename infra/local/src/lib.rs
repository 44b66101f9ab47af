#![doc = include_str!("../README.md")]

pub mod broker;
pub mod cloud;
pub mod config;
mod esm;
mod function;
mod gateway;
mod schedule;
pub mod template;
mod wiring;

pub use cloud::{Cloud, Options, Parts, Reading};
pub use function::Function;

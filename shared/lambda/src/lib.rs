#![doc = include_str!("../README.md")]

pub mod batch;
mod deadline;
mod function;
mod http;
mod json;
mod schedule;
mod span;
mod start;

pub use batch::{Batch, BatchResponse};
pub use deadline::Deadline;
pub use function::{Event, Function, invoke};
pub use json::Json;
pub use lambda_runtime::{Context, Error, LambdaEvent};
pub use schedule::{BatchOrTick, Tick};
pub use start::start;

#[cfg(test)]
mod tests;

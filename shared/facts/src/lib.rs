#![doc = include_str!("../README.md")]

mod error;
mod outbox;
mod publisher;
mod sweep;

pub use error::Error;
pub use outbox::{DynamoDb, Key, Memory, Outbox, Redis};
pub use publisher::{Backlog, Publisher};
pub use sweep::{Sweep, Swept};

#![doc = include_str!("../README.md")]

mod error;
mod job;
mod outbox;
mod publisher;
mod sweep;

pub use error::Error;
pub use job::{Action, Job, MAX_PER_SECOND, Subjects, Task, default_per_second, jobs_from_vars};
pub use outbox::{DynamoDb, Key, Memory, Outbox, Redis};
pub use publisher::{Backlog, Publisher, publish};
pub use sweep::{Sweep, Swept};

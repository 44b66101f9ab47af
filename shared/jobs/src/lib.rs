#![doc = include_str!("../README.md")]

mod error;
mod job;
mod pace;
mod run;
mod store;
mod work;

pub use error::Error;
pub use job::{Job, JobId, JobState, LEASE, Progress};
pub use pace::Pace;
pub use run::Jobs;
pub use store::Store;
pub use work::{Listed, Outcome, Work};

#![doc = include_str!("../README.md")]

#[cfg(feature = "schema")]
mod describe;
mod error;
mod job;
mod list;
mod pace;
mod run;
mod store;
mod work;

#[cfg(feature = "schema")]
pub use describe::{Operations, describe};
pub use error::Error;
pub use job::{Job, JobId, JobState, LEASE, Progress};
pub use list::JobList;
pub use pace::Pace;
pub use run::Jobs;
pub use store::Store;
pub use work::{Listed, Outcome, Work};

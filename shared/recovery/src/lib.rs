#![doc = include_str!("../README.md")]

mod features;
mod follow;
mod foresight;
mod repair;

pub use features::{Feature, Features};
pub use follow::{Ended, EventIds, FailedEvent, Follow};
pub use foresight::{Foresight, Unknown};
pub use repair::{Correction, Failed, Refusal, Repair};

/// The feature's own tables could not be read or written. Trying again helps.
#[derive(Debug, thiserror::Error)]
#[error("the feature could not say or do it")]
pub struct Unavailable(#[source] Box<dyn std::error::Error + Send + Sync>);

impl Unavailable {
    pub fn new(error: impl std::error::Error + Send + Sync + 'static) -> Self {
        Self(Box::new(error))
    }
}

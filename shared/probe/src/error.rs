use std::{fmt, time::Duration};

use crate::client::Failure;

/// Why an event didn't come through: at which step. Holds nothing personal, and no key.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("the event was not accepted")]
    NotAccepted(#[source] Failure),
    #[error("the event was accepted, but what became of it is not to be had")]
    NotFollowed(#[source] Failure),
    #[error("the event is a dead letter ({reason}): {message}")]
    DeadLetter { reason: String, message: String },
    /// Somebody's clock is ahead, and what was said by it counts rather than what is said now.
    #[error("the event came through and changed nothing")]
    NothingNew,
    #[error("the person is not complete after {within:?}: {waits}")]
    NotComplete { within: Duration, waits: Waits },
}

/// Where an event was when the time was over.
#[derive(Debug)]
pub enum Waits {
    OnTheTopic,
    InWork,
    Unknown(Failure),
}

/// Whoever is on the way could read the key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("expected a URL with https://, or with http:// on this machine, and without a password")]
pub struct NotPrivate;

impl fmt::Display for Waits {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::OnTheTopic => f.write_str("nothing has taken the event off the topic"),
            Self::InWork => f.write_str("the event was taken off the topic and is not finished"),
            Self::Unknown(failure) => write!(f, "its request could not be asked for: {failure}"),
        }
    }
}

//! Why an event was not applied, and what to do with it.

use breaker::Refused;
use contracts::{DecodeError, Reason};

use crate::{retry::Exhausted, store};

pub(crate) const USER_NOT_FOUND: &str = "Okta knows nobody with this e-mail address";

pub(crate) const EMAIL_TAKEN: &str = "another employee has the Okta account with this e-mail address";

pub(crate) const ACCOUNT_TOO_LARGE: &str =
    "the Okta account has more groups and applications than a person has room for";

pub(super) enum Stopped {
    Retry(Away),
    DeadLetter(Failure),
}

/// Something that we need is away: Lambda delivers the record again.
#[derive(Debug, thiserror::Error)]
pub(super) enum Away {
    #[error("{}", .0.error)]
    Okta(Exhausted),
    #[error("Okta did not answer before the invocation's time was over")]
    OutOfTime,
    #[error(transparent)]
    Storage(store::Error),
    #[error("others kept writing the same user")]
    Contended,
}

/// It will not succeed. Display goes into the dead letter and holds nothing personal.
#[derive(Debug, thiserror::Error)]
pub(super) enum Failure {
    #[error("{0}")]
    Undecodable(DecodeError),
    #[error("the record has no value")]
    Empty,
    #[error("{USER_NOT_FOUND}")]
    UserNotFound,
    #[error("{EMAIL_TAKEN}")]
    EmailTaken,
    #[error("{ACCOUNT_TOO_LARGE}")]
    AccountTooLarge,
    #[error("{}", .0.error)]
    Okta(Exhausted),
    /// Its breaker is open, so that it was not asked; the message is that of the failure that opened it.
    #[error(transparent)]
    OktaAway(Refused),
    #[error(transparent)]
    Unstorable(store::Error),
}

impl Failure {
    pub(super) fn reason(&self) -> Reason {
        match self {
            Self::Undecodable(error) => error.reason(),
            Self::Empty => Reason::Undecodable,
            Self::UserNotFound => Reason::UserNotFound,
            Self::EmailTaken => Reason::EmailTaken,
            Self::AccountTooLarge | Self::Unstorable(_) => Reason::Unstorable,
            Self::Okta(exhausted) => reason(&exhausted.error),
            Self::OktaAway(_) => Reason::OktaUnavailable,
        }
    }

    pub(super) fn attempts(&self) -> u32 {
        match self {
            Self::Okta(exhausted) => exhausted.attempts,
            Self::OktaAway(_) => 0,
            _ => 1,
        }
    }
}

pub(super) fn reason(error: &okta::Error) -> Reason {
    match error {
        okta::Error::NotFound => Reason::UserNotFound,
        okta::Error::Unauthorized { .. } => Reason::Unauthorized,
        okta::Error::RateLimited { .. } => Reason::RateLimited,
        okta::Error::Unreachable(_) | okta::Error::Failed { .. } | okta::Error::NoToken(_) => {
            Reason::OktaUnavailable
        }
        okta::Error::Malformed(_) => Reason::OktaMalformed,
    }
}

/// What Okta left us without: to be delivered again, or a dead letter.
impl From<Exhausted> for Stopped {
    fn from(exhausted: Exhausted) -> Self {
        match exhausted {
            Exhausted { cut_short: true, .. } | Exhausted { error: okta::Error::NoToken(_), .. } => {
                Self::Retry(Away::Okta(exhausted))
            }
            exhausted => Self::DeadLetter(Failure::Okta(exhausted)),
        }
    }
}

impl From<store::Error> for Stopped {
    fn from(error: store::Error) -> Self {
        match error {
            store::Error::Unavailable(_) => Self::Retry(Away::Storage(error)),
            store::Error::Unstorable(_) => Self::DeadLetter(Failure::Unstorable(error)),
        }
    }
}

use api::cursor;

use crate::life::Refused;

/// Why something was not done to dead letters.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("there is no such dead letter, or job")]
    Unknown,
    #[error(transparent)]
    Refused(#[from] Refused),
    /// Somebody has gone on with it since it was chosen.
    #[error("the letter is not any more what was looked for")]
    Overtaken,
    /// The table has not the record's value: it was too long for it, or empty.
    #[error("the letter doesn't hold its record's value")]
    ValueLeftOut,
    /// The letter is there, its payload is not.
    #[error("the letter's payload is gone")]
    PayloadGone,
    #[error(transparent)]
    Cursor(#[from] cursor::Error),
    #[error("the dead letters could not be read or written")]
    Store(#[from] dynamo::Error),
    /// Trying again helps.
    #[error("others kept writing the same dead letter, or job")]
    Contended,
}

impl From<jobs::Error> for Error {
    fn from(error: jobs::Error) -> Self {
        match error {
            jobs::Error::Unknown => Self::Unknown,
            jobs::Error::Cursor(error) => Self::Cursor(error),
            jobs::Error::Store(error) => Self::Store(error),
            jobs::Error::Contended => Self::Contended,
        }
    }
}

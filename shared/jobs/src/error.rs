use api::{Problem, cursor};
use runtime::telemetry;

/// Why something was not done to a job.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("there is no such job")]
    Unknown,
    #[error(transparent)]
    Cursor(#[from] cursor::Error),
    #[error("the jobs could not be read or written")]
    Store(#[from] dynamo::Error),
    /// Trying again helps.
    #[error("others kept writing the same job")]
    Contended,
}

/// What a caller is answered.
impl From<Error> for Problem {
    fn from(error: Error) -> Self {
        match error {
            Error::Unknown => Self::not_found("job_not_found", "There is no job with this id."),
            Error::Cursor(error) => error.into(),
            Error::Store(_) | Error::Contended => {
                tracing::error!(error = telemetry::chain(&error), "a request was not answered");
                Self::unavailable()
            }
        }
    }
}

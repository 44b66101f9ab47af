/// Why something was not done to a job.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("there is no such job")]
    Unknown,
    #[error("the jobs could not be read or written")]
    Store(#[from] dynamo::Error),
    /// Trying again helps.
    #[error("others kept writing the same job")]
    Contended,
}

use aws_sdk_secretsmanager::error::BoxError;

/// Why a secret is not to be had.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Secrets Manager is away, or refuses it to us.
    #[error("the secret {id} could not be read")]
    Unavailable { id: String, source: BoxError },
    /// Somebody has to mend it. The cause would quote it.
    #[error("the secret {id} is not {expected}")]
    Malformed { id: String, expected: &'static str },
}

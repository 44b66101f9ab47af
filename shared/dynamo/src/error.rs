use aws_sdk_dynamodb::error::{BoxError, SdkError};

/// The table could not be read or written, after the SDK's own retries.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("DynamoDB did not carry out the operation")]
    Operation(#[source] BoxError),
    /// An item that this program did not write, or that is written in a newer layout.
    #[error("an item has an unknown layout")]
    Layout(#[source] serde_dynamo::Error),
}

impl<E, R> From<SdkError<E, R>> for Error
where
    E: std::error::Error + Send + Sync + 'static,
    R: std::fmt::Debug + Send + Sync + 'static,
{
    fn from(error: SdkError<E, R>) -> Self {
        Self::Operation(error.into())
    }
}

impl From<aws_sdk_dynamodb::error::BuildError> for Error {
    fn from(error: aws_sdk_dynamodb::error::BuildError) -> Self {
        Self::Operation(error.into())
    }
}

impl From<serde_dynamo::Error> for Error {
    fn from(error: serde_dynamo::Error) -> Self {
        Self::Layout(error)
    }
}

use aws_sdk_dynamodb::error::{BoxError, BuildError, ProvideErrorMetadata, SdkError};

/// Why a table was not read or written. A condition that doesn't hold is no error: see [`Written`](crate::Written).
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// After the SDK's own retries. Trying again later can help.
    #[error("DynamoDB did not carry out the operation")]
    Unavailable(#[source] BoxError),
    /// The item or the request is one that DynamoDB never takes: too large, say.
    #[error("DynamoDB refused the operation")]
    Refused(#[source] BoxError),
    /// An item that this program did not write, or that is written in a newer layout. Its cause would quote the item.
    #[error("an item has an unknown layout")]
    Layout,
}

impl<E, R> From<SdkError<E, R>> for Error
where
    E: ProvideErrorMetadata + std::error::Error + Send + Sync + 'static,
    R: std::fmt::Debug + Send + Sync + 'static,
{
    fn from(error: SdkError<E, R>) -> Self {
        let code = error.as_service_error().and_then(ProvideErrorMetadata::code);
        if matches!(code, Some("ValidationException" | "ItemCollectionSizeLimitExceededException")) {
            Self::Refused(error.into())
        } else {
            Self::Unavailable(error.into())
        }
    }
}

impl From<BuildError> for Error {
    fn from(error: BuildError) -> Self {
        Self::Refused(error.into())
    }
}

impl From<serde_dynamo::Error> for Error {
    fn from(_: serde_dynamo::Error) -> Self {
        Self::Layout
    }
}

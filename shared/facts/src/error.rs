/// Why the outbox did not do what it was asked to.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("the outbox failed")]
    DynamoDb(#[from] dynamo::Error),
    #[error("the outbox failed")]
    Redis(#[from] valkey::Error),
    /// Its cause would quote what it holds.
    #[error("the outbox holds something of an unknown layout")]
    Layout,
}

impl Error {
    /// Whether others are no better off, and whoever asks next waits in vain, too.
    pub(crate) fn is_outage(&self) -> bool {
        match self {
            Self::DynamoDb(error) => matches!(error, dynamo::Error::Unavailable(_)),
            Self::Redis(_) => true,
            Self::Layout => false,
        }
    }
}

impl From<serde_json::Error> for Error {
    fn from(_: serde_json::Error) -> Self {
        Self::Layout
    }
}

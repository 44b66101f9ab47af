/// Why the outbox did not do what it was asked to.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("the outbox failed")]
    DynamoDb(#[from] dynamo::Error),
    #[error("the outbox failed")]
    Redis(#[from] valkey::Error),
    #[error("the outbox holds something of an unknown layout")]
    Layout(#[from] serde_json::Error),
}

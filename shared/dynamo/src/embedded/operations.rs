//! An operation's JSON to JSON.

use dynoxide::{Database, DynoxideError, Result};
use serde::{Serialize, de::DeserializeOwned};

/// `None` for an operation that the embedded tables don't have.
pub(super) fn run(database: &Database, operation: &str, body: &[u8]) -> Option<Result<Vec<u8>>> {
    Some(match operation {
        "CreateTable" => with(body, |request| database.create_table(request)),
        "DeleteTable" => with(body, |request| database.delete_table(request)),
        "DescribeTable" => with(body, |request| database.describe_table(request)),
        "ListTables" => with(body, |request| database.list_tables(request)),
        "UpdateTimeToLive" => with(body, |request| database.update_time_to_live(request)),
        "DescribeTimeToLive" => with(body, |request| database.describe_time_to_live(request)),
        "PutItem" => with(body, |request| database.put_item(request)),
        "GetItem" => with(body, |request| database.get_item(request)),
        "UpdateItem" => with(body, |request| database.update_item(request)),
        "DeleteItem" => with(body, |request| database.delete_item(request)),
        "Query" => with(body, |request| database.query(request)),
        "Scan" => with(body, |request| database.scan(request)),
        "BatchGetItem" => with(body, |request| database.batch_get_item(request)),
        "BatchWriteItem" => with(body, |request| database.batch_write_item(request)),
        "TransactGetItems" => with(body, |request| database.transact_get_items(request)),
        "TransactWriteItems" => with(body, |request| database.transact_write_items(request)),
        _ => return None,
    })
}

fn with<R, A>(body: &[u8], operation: impl FnOnce(R) -> Result<A>) -> Result<Vec<u8>>
where
    R: DeserializeOwned,
    A: Serialize,
{
    // An SDK's requests have the right form: it is a value that DynamoDB refuses. The cause would quote it.
    let request = serde_json::from_slice(body).map_err(|error| {
        DynoxideError::ValidationException(format!("byte {} is in a value of no use", error.column()))
    })?;
    let answer = operation(request)?;
    serde_json::to_vec(&answer).map_err(|error| DynoxideError::InternalServerError(error.to_string()))
}

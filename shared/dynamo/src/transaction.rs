use aws_sdk_dynamodb::{
    Client,
    operation::transact_write_items::TransactWriteItemsError,
    types::{self, TransactWriteItem},
};
use serde::Serialize;

use crate::{Error, Put, to_item};

/// Whole items that are written together or not at all: at most 100, each of another key.
/// <https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/transaction-apis.html>
#[derive(Debug, Default)]
pub struct Transaction(Vec<TransactWriteItem>);

/// Whether they were written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Committed {
    Yes,
    ConditionFailed,
    /// Another transaction was writing to one of the items.
    Contended,
}

impl Transaction {
    pub fn put(&mut self, item: &impl Serialize, put: Put<'_>) -> Result<(), Error> {
        let mut request = types::Put::builder()
            .table_name(put.table)
            .set_item(Some(to_item(item)?))
            .condition_expression(put.condition);
        for (name, attribute) in put.names {
            request = request.expression_attribute_names(*name, *attribute);
        }
        for (name, value) in put.values {
            request = request.expression_attribute_values(name, value);
        }
        self.0.push(TransactWriteItem::builder().put(request.build()?).build());
        Ok(())
    }

    /// Whatever is stored under its key.
    pub fn replace(&mut self, table: &str, item: &impl Serialize) -> Result<(), Error> {
        let put = types::Put::builder().table_name(table).set_item(Some(to_item(item)?));
        self.0.push(TransactWriteItem::builder().put(put.build()?).build());
        Ok(())
    }

    pub async fn commit(self, client: &Client) -> Result<Committed, Error> {
        // The SDK sends a token along, so that an attempt whose answer got lost is not carried out twice.
        let Err(error) = client.transact_write_items().set_transact_items(Some(self.0)).send().await else {
            return Ok(Committed::Yes);
        };
        let Some(TransactWriteItemsError::TransactionCanceledException(canceled)) = error.as_service_error()
        else {
            return Err(error.into());
        };
        let reasons = canceled.cancellation_reasons.iter().flatten();
        let codes: Vec<&str> = reasons.filter_map(|reason| reason.code.as_deref()).collect();
        let has = |codes_of: &[&str]| codes.iter().any(|code| codes_of.contains(code));
        if has(&["ValidationError", "ItemCollectionSizeLimitExceeded"]) {
            Err(Error::Refused(error.into()))
        } else if has(&["ConditionalCheckFailed"]) {
            Ok(Committed::ConditionFailed)
        } else if has(&["TransactionConflict"]) {
            Ok(Committed::Contended)
        } else {
            Err(Error::Unavailable(error.into()))
        }
    }
}

use std::collections::HashMap;

use aws_sdk_dynamodb::{
    Client,
    error::SdkError,
    operation::{put_item::PutItemError, update_item::UpdateItemError},
    types::{AttributeValue, ReturnValuesOnConditionCheckFailure},
};
use serde::{Serialize, de::DeserializeOwned};

use crate::Error;

/// Whether a conditional write took place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Written {
    Yes,
    ConditionFailed,
}

/// A whole item, written only if a condition holds for the stored one.
#[derive(Debug, Clone)]
pub struct Put<'a> {
    pub table: &'a str,
    /// `#name` stands for an attribute's name, `:name` for a value below.
    pub condition: &'a str,
    pub names: &'a [(&'a str, &'a str)],
    pub values: Vec<(&'a str, AttributeValue)>,
}

pub async fn put(client: &Client, item: &impl Serialize, put: Put<'_>) -> Result<Written, Error> {
    let mut request = client
        .put_item()
        .table_name(put.table)
        .set_item(Some(to_item(item)?))
        .condition_expression(put.condition);
    for (name, attribute) in put.names {
        request = request.expression_attribute_names(*name, *attribute);
    }
    for (name, value) in put.values {
        request = request.expression_attribute_values(name, value);
    }
    match request.send().await {
        Ok(_) => Ok(Written::Yes),
        // Whoever writes the item in a transaction at the same time has the better claim to it.
        Err(error)
            if error.as_service_error().is_some_and(|error| {
                error.is_conditional_check_failed_exception() || error.is_transaction_conflict_exception()
            }) =>
        {
            Ok(Written::ConditionFailed)
        }
        Err(error) => Err(error.into()),
    }
}

/// Writes an item, whatever is stored under its key.
pub async fn replace(client: &Client, table: &str, item: &impl Serialize) -> Result<(), Error> {
    client.put_item().table_name(table).set_item(Some(to_item(item)?)).send().await?;
    Ok(())
}

/// Writes an item whose key is free. Returns the one that has it.
///
/// # Errors
/// Also where another writes the item in a transaction at the same time.
pub async fn insert<T>(client: &Client, table: &str, hash: &str, item: &T) -> Result<Option<T>, Error>
where
    T: Serialize + DeserializeOwned,
{
    match insert_or_known(client, table, hash, item).await? {
        Inserted::Yes => Ok(None),
        Inserted::Known(known) => Ok(Some(known)),
        Inserted::Contended => Err(Error::Unavailable("another writes the item".into())),
    }
}

/// What came of an item whose key may be taken.
#[derive(Debug)]
pub enum Inserted<T> {
    Yes,
    /// The refusal brings along the item that has the key, so nobody reads it first.
    Known(T),
    /// Another writes it in a transaction at the same time.
    Contended,
}

/// Writes an item whose key is free.
pub async fn insert_or_known<T>(
    client: &Client,
    table: &str,
    hash: &str,
    item: &T,
) -> Result<Inserted<T>, Error>
where
    T: Serialize + DeserializeOwned,
{
    let request = client
        .put_item()
        .table_name(table)
        .set_item(Some(to_item(item)?))
        .condition_expression(format!("attribute_not_exists({hash})"))
        .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld);
    let Err(error) = request.send().await else { return Ok(Inserted::Yes) };
    match error.as_service_error() {
        Some(PutItemError::ConditionalCheckFailedException(refusal)) => {
            from_item(refusal.item.clone().ok_or(Error::Layout)?).map(Inserted::Known)
        }
        Some(PutItemError::TransactionConflictException(_)) => Ok(Inserted::Contended),
        _ => Err(error.into()),
    }
}

/// An update's outcome, as that of [`put`].
pub fn unless_condition_failed<T, R>(
    result: Result<T, SdkError<UpdateItemError, R>>,
) -> Result<Written, Error>
where
    R: std::fmt::Debug + Send + Sync + 'static,
{
    match result {
        Ok(_) => Ok(Written::Yes),
        Err(error)
            if error
                .as_service_error()
                .is_some_and(UpdateItemError::is_conditional_check_failed_exception) =>
        {
            Ok(Written::ConditionFailed)
        }
        Err(error) => Err(error.into()),
    }
}

pub fn to_item(item: &impl Serialize) -> Result<HashMap<String, AttributeValue>, Error> {
    Ok(serde_dynamo::to_item(item)?)
}

pub fn from_item<T: DeserializeOwned>(item: HashMap<String, AttributeValue>) -> Result<T, Error> {
    Ok(serde_dynamo::from_item(item)?)
}

pub fn from_items<T: DeserializeOwned>(
    items: Option<Vec<HashMap<String, AttributeValue>>>,
) -> Result<Vec<T>, Error> {
    Ok(serde_dynamo::from_items(items.unwrap_or_default())?)
}

use std::collections::BTreeSet;

use aws_sdk_dynamodb::{
    Client,
    operation::create_table::CreateTableError,
    types::{
        AttributeDefinition, AttributeValue, BillingMode, GlobalSecondaryIndex, KeySchemaElement, KeyType,
        Projection, ProjectionType, ScalarAttributeType, TimeToLiveSpecification,
    },
};

use crate::Error;

/// A table as `template.yaml` declares it. All key attributes are strings.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TableSpec {
    pub name: String,
    pub hash: String,
    pub range: Option<String>,
    pub indexes: Vec<Index>,
    /// The attribute with the epoch second after which DynamoDB may delete the item.
    pub ttl: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Index {
    pub name: String,
    pub hash: String,
    pub range: Option<String>,
}

/// Makes the table where it doesn't exist. For the local cloud and tests: CloudFormation makes the real ones.
pub async fn ensure(client: &Client, spec: &TableSpec) -> Result<(), Error> {
    let mut attributes = BTreeSet::from([&spec.hash]);
    attributes.extend(&spec.range);
    for index in &spec.indexes {
        attributes.insert(&index.hash);
        attributes.extend(&index.range);
    }
    let mut request = client
        .create_table()
        .table_name(&spec.name)
        .billing_mode(BillingMode::PayPerRequest)
        .set_key_schema(Some(key_schema(&spec.hash, spec.range.as_deref())?));
    for name in attributes {
        request = request.attribute_definitions(
            AttributeDefinition::builder()
                .attribute_name(name)
                .attribute_type(ScalarAttributeType::S)
                .build()?,
        );
    }
    for index in &spec.indexes {
        request = request.global_secondary_indexes(
            GlobalSecondaryIndex::builder()
                .index_name(&index.name)
                .set_key_schema(Some(key_schema(&index.hash, index.range.as_deref())?))
                .projection(Projection::builder().projection_type(ProjectionType::All).build())
                .build()?,
        );
    }
    match request.send().await {
        Err(error)
            if error.as_service_error().is_some_and(CreateTableError::is_resource_in_use_exception) =>
        {
            return Ok(());
        }
        result => result?,
    };
    if let Some(attribute) = &spec.ttl {
        let ttl = TimeToLiveSpecification::builder().attribute_name(attribute).enabled(true).build()?;
        client.update_time_to_live().table_name(&spec.name).time_to_live_specification(ttl).send().await?;
    }
    Ok(())
}

/// Whether the table answers, by reading an item that isn't there: needs no permission beyond a read.
pub async fn ping(client: &Client, table: &str, hash: &str, range: Option<&str>) -> Result<(), Error> {
    let absent = || AttributeValue::S("ping".to_owned());
    let mut request = client.get_item().table_name(table).key(hash, absent());
    if let Some(range) = range {
        request = request.key(range, absent());
    }
    request.send().await?;
    Ok(())
}

/// Deletes the item whose key, one string, is `key`; as DynamoDB itself does when its time has come. For tests.
pub async fn delete(client: &Client, table: &str, hash: &str, key: &str) -> Result<(), Error> {
    let request = client.delete_item().table_name(table).key(hash, AttributeValue::S(key.to_owned()));
    request.send().await?;
    Ok(())
}

fn key_schema(hash: &str, range: Option<&str>) -> Result<Vec<KeySchemaElement>, Error> {
    let element = |name, kind| KeySchemaElement::builder().attribute_name(name).key_type(kind).build();
    let mut schema = vec![element(hash, KeyType::Hash)?];
    if let Some(range) = range {
        schema.push(element(range, KeyType::Range)?);
    }
    Ok(schema)
}

use std::sync::{Arc, OnceLock};

use aws::Aws;
use aws_sdk_dynamodb::types::AttributeValue;
use dynamo::{Client, Error, Put, Written};

use crate::{Config, entry::Entry};

/// The table of keys. Its client is made with the first key, so that whoever sends none pays for none. Its futures are
/// boxed: those of the SDK's operations are tens of kilobytes long.
#[derive(Debug, Clone)]
pub(crate) struct Store {
    aws: Aws,
    config: Config,
    client: Arc<OnceLock<Client>>,
}

impl Store {
    pub(crate) fn new(config: Config, aws: &Aws) -> Self {
        Self { config, aws: aws.clone(), client: Arc::default() }
    }

    /// The entry that has the key already.
    pub(crate) async fn insert(&self, entry: &Entry) -> Result<Option<Entry>, Error> {
        Box::pin(dynamo::insert(self.client(), &self.config.table, "id", entry)).await
    }

    /// Writes over the entry of the attempt `held`, if it is still there; or over what this very call has written, since
    /// the SDK repeats a write whose answer got lost.
    pub(crate) async fn replace(&self, held: &str, entry: &Entry) -> Result<Written, Error> {
        let put = Put {
            table: &self.config.table,
            condition: "attempt = :held OR attempt = :own",
            names: &[],
            values: vec![(":held", string(held)), (":own", string(&entry.attempt))],
        };
        Box::pin(dynamo::put(self.client(), entry, put)).await
    }

    pub(crate) async fn ping(&self) -> Result<(), Error> {
        Box::pin(dynamo::ping(self.client(), &self.config.table, "id", None)).await
    }

    fn client(&self) -> &Client {
        self.client.get_or_init(|| self.config.tables.client(&self.aws))
    }
}

fn string(value: &str) -> AttributeValue {
    AttributeValue::S(value.to_owned())
}

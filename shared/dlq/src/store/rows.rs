//! What is not a letter and is listed by time: groups, jobs, the audit. The id is `kind#name`, `at` is `time#name`.

use std::collections::HashMap;

use aws_sdk_dynamodb::types::AttributeValue;
use dynamo::Error;
use serde::{Deserialize, Serialize, de::DeserializeOwned};

use super::{Store, readable, string};

/// Something, and where it stands in its list.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Row<T> {
    pub(crate) at: String,
    #[serde(flatten)]
    pub(crate) content: T,
}

impl Store {
    /// Up to `limit`, the newest first; fewer only at the end.
    pub(crate) async fn newest<T: DeserializeOwned>(
        &self,
        kind: &str,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Vec<Row<T>>, Error> {
        let mut rows = Vec::new();
        let mut start = after.map(|at| {
            let name = at.split_once('#').map_or("", |(_time, name)| name);
            let pairs = [("kind", kind.to_owned()), ("at", at.to_owned()), ("id", format!("{kind}#{name}"))];
            let key = pairs.into_iter().map(|(name, value)| (name.to_owned(), AttributeValue::S(value)));
            key.collect::<HashMap<_, _>>()
        });
        while rows.len() < limit {
            let wanted = i32::try_from(limit - rows.len()).unwrap_or(i32::MAX);
            let query = self.client.query().table_name(&self.table).index_name("by-time").limit(wanted);
            let page = query
                .key_condition_expression("kind = :kind")
                .expression_attribute_values(":kind", string(kind))
                .scan_index_forward(false)
                .set_exclusive_start_key(start)
                .send()
                .await?;
            rows.extend(page.items.into_iter().flatten().filter_map(readable::<Row<T>>));
            start = page.last_evaluated_key;
            if start.is_none() {
                break;
            }
        }
        Ok(rows)
    }
}

//! What is listed by time among other things of a table: each `kind` by the index `by-time`, whose range is `at`. The
//! table's key is `id`, `kind#name`; `at` is `time#name`.

use std::collections::HashMap;

use aws_sdk_dynamodb::{Client, types::AttributeValue};
use jiff::Timestamp;
use runtime::telemetry;
use serde::{Deserialize, Serialize, de::DeserializeOwned};

use crate::{Error, from_item};

/// Something, and where it stands in its list.
#[derive(Debug, Serialize, Deserialize)]
pub struct Row<T> {
    pub at: String,
    #[serde(flatten)]
    pub content: T,
}

pub fn id(kind: &str, name: &str) -> String {
    format!("{kind}#{name}")
}

pub fn at(time: Timestamp, name: &str) -> String {
    format!("{}#{name}", sortable(time))
}

/// Milliseconds that sort as text.
pub fn sortable(time: Timestamp) -> String {
    format!("{:015}", time.as_millisecond().max(0))
}

/// Up to `limit` that come after the row at `after`, the newest first; fewer only at the end.
pub async fn newest<T: DeserializeOwned>(
    client: &Client,
    table: &str,
    kind: &str,
    after: Option<&str>,
    limit: usize,
) -> Result<Vec<Row<T>>, Error> {
    let mut rows = Vec::new();
    let mut start = after.map(|at| {
        let name = at.split_once('#').map_or("", |(_time, name)| name);
        let pairs = [("kind", kind.to_owned()), ("at", at.to_owned()), ("id", id(kind, name))];
        let key = pairs.into_iter().map(|(name, value)| (name.to_owned(), AttributeValue::S(value)));
        key.collect::<HashMap<_, _>>()
    });
    while rows.len() < limit {
        let wanted = i32::try_from(limit - rows.len()).unwrap_or(i32::MAX);
        let query = client.query().table_name(table).index_name("by-time").limit(wanted);
        let page = query
            .key_condition_expression("kind = :kind")
            .expression_attribute_values(":kind", AttributeValue::S(kind.to_owned()))
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

/// One item that can't be read must not hold up the others. It stays as it is, and is missed by nobody who reads the log.
pub fn readable<T: DeserializeOwned>(item: HashMap<String, AttributeValue>) -> Option<T> {
    let id = item.get("id").cloned();
    match from_item(item) {
        Ok(content) => Some(content),
        Err(error) => {
            let item_id = id.as_ref().and_then(|id| id.as_s().ok());
            tracing::error!(item_id, error = telemetry::chain(&error), "what can't be read is left out");
            None
        }
    }
}

use dynamo::{
    Error,
    rows::{self, Row},
};
use serde::{Deserialize, Serialize};

use super::Store;
use crate::audit::AuditRecord;

const KIND: &str = "audit";

/// The record is an attribute of its own: none of its fields must be taken for a letter's. It never expires.
#[derive(Serialize, Deserialize)]
struct AuditItem {
    id: String,
    kind: String,
    record: AuditRecord,
}

impl Store {
    pub(crate) async fn record(&self, record: AuditRecord) -> Result<(), Error> {
        let at = rows::at(record.at, &record.id);
        let item = AuditItem { id: rows::id(KIND, &record.id), kind: KIND.to_owned(), record };
        dynamo::put(&self.client, &Row { at, content: item }, self.put_if("attribute_not_exists(id)", vec![]))
            .await
            .map(|_| ())
    }

    /// The newest first.
    pub(crate) async fn audit(
        &self,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Vec<Row<AuditRecord>>, Error> {
        let rows: Vec<Row<AuditItem>> = rows::newest(&self.client, &self.table, KIND, after, limit).await?;
        Ok(rows.into_iter().map(|row| Row { content: row.content.record, at: row.at }).collect())
    }
}

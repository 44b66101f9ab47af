use std::borrow::Cow;

use aws_sdk_dynamodb::types::AttributeValue;
use dynamo::{Error, Written};
use serde::{Deserialize, Serialize};

use super::{Row, Saved, Store, query::sortable};
use crate::job::{Count, Job};

const KIND: &str = "job";

/// The job is an attribute of its own: none of its fields must be taken for a letter's.
#[derive(Serialize, Deserialize)]
struct JobItem<'a> {
    id: String,
    kind: Cow<'a, str>,
    version: u64,
    job: Cow<'a, Job>,
    #[serde(default)]
    count: Cow<'a, Count>,
}

impl Store {
    /// Writes the job if it is stored as it was read; a new one if there is none of its id.
    pub(crate) async fn save_job(&self, job: &mut Job) -> Result<Saved, Error> {
        let read = (":read", AttributeValue::N(job.version.to_string()));
        job.version += 1;
        let condition = "attribute_not_exists(id) OR #version = :read";
        let mut unchanged = self.put_if(condition, vec![read]);
        unchanged.names = &[("#version", "version")];
        let item = JobItem {
            id: format!("{KIND}#{}", job.id),
            kind: Cow::Borrowed(KIND),
            version: job.version,
            job: Cow::Borrowed(job),
            count: Cow::Borrowed(&job.count),
        };
        let row = Row { at: format!("{}#{}", sortable(job.created_at), job.id), content: item };
        Ok(match dynamo::put(&self.client, &row, unchanged).await? {
            Written::Yes => Saved::Yes,
            Written::ConditionFailed => Saved::Conflict,
        })
    }

    pub(crate) async fn job(&self, id: &str) -> Result<Option<Job>, Error> {
        let item: Option<JobItem> = self.item(&format!("{KIND}#{id}")).await?;
        Ok(item.map(JobItem::into_job))
    }

    /// The newest first.
    pub(crate) async fn jobs(&self, after: Option<&str>, limit: usize) -> Result<Vec<Row<Job>>, Error> {
        let rows: Vec<Row<JobItem>> = self.newest(KIND, after, limit).await?;
        Ok(rows.into_iter().map(|row| Row { content: row.content.into_job(), at: row.at }).collect())
    }
}

impl JobItem<'_> {
    fn into_job(self) -> Job {
        Job { count: self.count.into_owned(), ..self.job.into_owned() }
    }
}

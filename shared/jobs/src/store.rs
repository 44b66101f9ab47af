use std::{borrow::Cow, marker::PhantomData};

use api::cursor::{Page, Signer};
use aws_sdk_dynamodb::types::AttributeValue;
use dynamo::{
    Client, Error, Put, Written,
    rows::{self, Row, readable, sortable},
};
use jiff::Timestamp;
use serde::{Deserialize, Serialize, de::DeserializeOwned};

use crate::{Job, JobState, job::Count};

/// A feature's jobs, in its table, among whatever else is there. `T` is their task.
#[derive(Debug, Clone)]
pub struct Store<T> {
    client: Client,
    table: String,
    task: PhantomData<fn() -> T>,
}

/// Whether a job was written, or had been written by another since it was read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Saved {
    Yes,
    Conflict,
}

/// Of all jobs, and of those that run.
const KIND: &str = "job";
const QUEUE: &str = "job";

/// Jobs a page.
const PAGE: usize = 100;

/// The job is an attribute of its own: none of its fields must be taken for one of an index.
#[derive(Serialize, Deserialize)]
#[serde(bound(serialize = "T: Serialize + Clone", deserialize = "T: DeserializeOwned + Clone"))]
struct JobItem<'a, T: Clone> {
    id: String,
    kind: Cow<'a, str>,
    version: u64,
    /// While it runs: by these a sweep finds it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    queue: Option<Cow<'a, str>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    due: Option<String>,
    job: Cow<'a, Job<T>>,
    #[serde(default)]
    count: Cow<'a, Count>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    position: Option<Cow<'a, str>>,
}

impl<T: Serialize + DeserializeOwned + Clone> Store<T> {
    pub fn new(client: Client, table: impl Into<String>) -> Self {
        Self { client, table: table.into(), task: PhantomData }
    }

    /// Writes the job if it is stored as it was read; a new one if there is none of its id.
    pub(crate) async fn save(&self, job: &mut Job<T>) -> Result<Saved, Error> {
        let read = AttributeValue::N(job.version.to_string());
        job.version += 1;
        let unchanged = Put {
            table: &self.table,
            condition: "attribute_not_exists(id) OR #version = :read",
            names: &[("#version", "version")],
            values: vec![(":read", read)],
        };
        let runs = job.state == JobState::Running;
        let item = JobItem {
            id: rows::id(KIND, &job.id),
            kind: Cow::Borrowed(KIND),
            version: job.version,
            queue: runs.then_some(Cow::Borrowed(QUEUE)),
            due: runs.then(|| sortable(job.leased_until)),
            job: Cow::Borrowed(job),
            count: Cow::Borrowed(&job.count),
            position: job.position.as_deref().map(Cow::Borrowed),
        };
        let row = Row { at: rows::at(job.created_at, &job.id), content: item };
        Ok(match dynamo::put(&self.client, &row, unchanged).await? {
            Written::Yes => Saved::Yes,
            Written::ConditionFailed => Saved::Conflict,
        })
    }

    pub async fn get(&self, id: &str) -> Result<Option<Job<T>>, Error> {
        let key = AttributeValue::S(rows::id(KIND, id));
        let request = self.client.get_item().table_name(&self.table).key("id", key);
        let item = request.consistent_read(true).send().await?.item;
        let item: Option<JobItem<T>> = item.map(dynamo::from_item).transpose()?;
        Ok(item.map(JobItem::into_job))
    }

    /// Up to `limit`, the newest first; fewer only at the end.
    pub(crate) async fn newest(&self, after: Option<&str>, limit: usize) -> Result<Vec<Row<Job<T>>>, Error> {
        let rows: Vec<Row<JobItem<T>>> = rows::newest(&self.client, &self.table, KIND, after, limit).await?;
        Ok(rows.into_iter().map(|row| Row { content: row.content.into_job(), at: row.at }).collect())
    }

    /// Up to `limit`, the newest first. `query` tells its cursors from those of other lists.
    pub async fn page(
        &self,
        signer: &Signer,
        query: &str,
        cursor: Option<&str>,
        limit: usize,
    ) -> Result<Page<Job<T>>, crate::Error> {
        let after = signer.position(query, cursor).await?;
        let rows = self.newest(after.as_deref(), limit + 1).await?;
        Ok(signer.page(query, rows, limit, |row| row.at.clone()).await?.map(|row| row.content))
    }

    /// Whether the table answers.
    pub async fn ping(&self) -> Result<(), Error> {
        dynamo::ping(&self.client, &self.table, "id", None).await
    }

    /// Those that run and are nobody's, the one that has waited longest first.
    pub(crate) async fn free(&self, now: Timestamp) -> Result<Vec<Job<T>>, Error> {
        let (mut jobs, mut start) = (Vec::new(), None);
        loop {
            let query = self.client.query().table_name(&self.table).index_name("by-due");
            let page = query
                .key_condition_expression("queue = :queue AND due <= :now")
                .expression_attribute_values(":queue", AttributeValue::S(QUEUE.to_owned()))
                .expression_attribute_values(":now", AttributeValue::S(sortable(now)))
                .set_exclusive_start_key(start)
                .send()
                .await?;
            let items = page.items.into_iter().flatten().filter_map(readable::<JobItem<T>>);
            jobs.extend(items.map(JobItem::into_job).filter(|job| job.is_free(now)));
            start = page.last_evaluated_key;
            if start.is_none() {
                return Ok(jobs);
            }
        }
    }

    /// Those that run and that no sweep would find: versions before this queue saved them. Reads every job.
    pub(crate) async fn out_of_queue(&self) -> Result<Vec<Job<T>>, Error> {
        let (mut jobs, mut after) = (Vec::new(), None);
        loop {
            let rows: Vec<Row<JobItem<T>>> =
                rows::newest(&self.client, &self.table, KIND, after.as_deref(), PAGE).await?;
            after = rows.last().filter(|_| rows.len() >= PAGE).map(|row| row.at.clone());
            let lost = rows.into_iter().map(|row| row.content).filter(|item| item.queue.is_none());
            jobs.extend(lost.map(JobItem::into_job).filter(|job| job.state == JobState::Running));
            if after.is_none() {
                return Ok(jobs);
            }
        }
    }
}

impl<T: Clone> JobItem<'_, T> {
    fn into_job(self) -> Job<T> {
        let job = self.job.into_owned();
        let position = self.position.map(Cow::into_owned).or(job.position);
        Job { count: self.count.into_owned(), position, ..job }
    }
}

use std::borrow::Cow;

use aws_sdk_dynamodb::types::AttributeValue;
use dynamo::{Error, Written};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{
    JOBS, Row, Saved, Store,
    query::{BY_DUE, sortable},
    readable, string,
};
use crate::job::{Count, Job, JobState};

const KIND: &str = "job";

/// The job is an attribute of its own: none of its fields must be taken for a letter's.
#[derive(Serialize, Deserialize)]
struct JobItem<'a> {
    id: String,
    kind: Cow<'a, str>,
    version: u64,
    /// While it runs: by these a sweep finds it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    queue: Option<Cow<'a, str>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    due: Option<String>,
    job: Cow<'a, Job>,
    #[serde(default)]
    count: Cow<'a, Count>,
}

/// Jobs a page.
const PAGE: usize = 100;

impl Store {
    /// Writes the job if it is stored as it was read; a new one if there is none of its id.
    pub(crate) async fn save_job(&self, job: &mut Job) -> Result<Saved, Error> {
        let read = (":read", AttributeValue::N(job.version.to_string()));
        job.version += 1;
        let condition = "attribute_not_exists(id) OR #version = :read";
        let mut unchanged = self.put_if(condition, vec![read]);
        unchanged.names = &[("#version", "version")];
        let runs = job.state == JobState::Running;
        let item = JobItem {
            id: format!("{KIND}#{}", job.id),
            kind: Cow::Borrowed(KIND),
            version: job.version,
            queue: runs.then_some(Cow::Borrowed(JOBS)),
            due: runs.then(|| sortable(job.leased_until)),
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

    /// Those that run and are nobody's, the one that has waited longest first.
    pub(crate) async fn free_jobs(&self, now: Timestamp) -> Result<Vec<Job>, Error> {
        let (mut jobs, mut start) = (Vec::new(), None);
        loop {
            let query = self.client.query().table_name(&self.table).index_name(BY_DUE);
            let page = query
                .key_condition_expression("queue = :queue AND due <= :now")
                .expression_attribute_values(":queue", string(JOBS))
                .expression_attribute_values(":now", string(&sortable(now)))
                .set_exclusive_start_key(start)
                .send()
                .await?;
            let items = page.items.into_iter().flatten().filter_map(readable::<JobItem>);
            jobs.extend(items.map(JobItem::into_job).filter(|job| job.is_free(now)));
            start = page.last_evaluated_key;
            if start.is_none() {
                return Ok(jobs);
            }
        }
    }

    /// Those that run and that no sweep would find: versions before this queue saved them. Reads every job.
    pub(crate) async fn jobs_out_of_queue(&self) -> Result<Vec<Job>, Error> {
        let (mut jobs, mut after) = (Vec::new(), None);
        loop {
            let rows: Vec<Row<JobItem>> = self.newest(KIND, after.as_deref(), PAGE).await?;
            after = rows.last().filter(|_| rows.len() >= PAGE).map(|row| row.at.clone());
            let lost = rows.into_iter().map(|row| row.content).filter(|item| item.queue.is_none());
            jobs.extend(lost.map(JobItem::into_job).filter(|job| job.state == JobState::Running));
            if after.is_none() {
                return Ok(jobs);
            }
        }
    }
}

impl JobItem<'_> {
    fn into_job(self) -> Job {
        Job { count: self.count.into_owned(), ..self.job.into_owned() }
    }
}

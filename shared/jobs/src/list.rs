use api::{Call, Problem, cursor::Page};
use serde::Serialize;

use crate::{Error, Job, JobId};

/// A page of jobs, as callers are answered.
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(rename = "{T}JobList"))]
pub struct JobList<T> {
    jobs: Vec<Job<T>>,
    next_cursor: Option<String>,
}

impl<T> From<Page<Job<T>>> for JobList<T> {
    fn from(page: Page<Job<T>>) -> Self {
        Self { jobs: page.items, next_cursor: page.next }
    }
}

impl JobId {
    /// The `{id}` of the route.
    pub fn of(call: &Call) -> Result<Self, Problem> {
        Self::parse(call.path("id")).ok_or_else(|| Error::Unknown.into())
    }
}

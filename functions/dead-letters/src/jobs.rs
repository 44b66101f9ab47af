use api::{Call, Fault, Problem, json};
use dlq::{Action, Job, JobId, Page, Task};
use lambda_http::{Body, Response, http::StatusCode};
use serde::Serialize;
use tokio::time::Instant;

use crate::{FIRST_SLICE, Function, MOST_BYTES, act::reason, by, problem};

#[derive(Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub(crate) struct JobList {
    jobs: Vec<Job>,
    next_cursor: Option<String>,
}

/// More than this and Okta's limits make dead letters of what is redriven.
const FASTEST: u32 = 100;

impl Function {
    pub(crate) async fn start_job(&self, call: &Call) -> Result<Response<Body>, Problem> {
        let mut task: Task = call.json(MOST_BYTES)?;
        if !(1..=FASTEST).contains(&task.per_second) {
            let detail = format!("must be a number from 1 to {FASTEST}");
            return Err(Problem::faults(vec![Fault { pointer: "/per_second".to_owned(), detail }]));
        }
        if let Action::Discard { because } = &mut task.action {
            *because = reason(because, "/because")?.to_owned();
        }
        // Also where they have no use: what is wrong is said, not overlooked.
        let (dry, limit) = (call.is_dry_run()?, call.limit()?);
        if dry {
            return self.foresee_many(call, &task, limit).await;
        }
        let until = Instant::now() + FIRST_SLICE;
        let job = self.jobs.start(task, &by(call), until).await.map_err(|e| problem(e, unknown_job()))?;
        Ok(json(StatusCode::ACCEPTED, &job))
    }

    pub(crate) async fn list_jobs(&self, call: &Call) -> Result<Response<Body>, Problem> {
        let page = self.letters.jobs(call.query("cursor"), call.limit()?).await;
        let Page { items, next } = page.map_err(|error| problem(error, unknown_job()))?;
        Ok(json(StatusCode::OK, &JobList { jobs: items, next_cursor: next }))
    }

    pub(crate) async fn show_job(&self, call: &Call) -> Result<Response<Body>, Problem> {
        let job = self.letters.job(job_id(call)?.as_str()).await;
        Ok(json(StatusCode::OK, &job.map_err(|error| problem(error, unknown_job()))?))
    }

    pub(crate) async fn set_running(&self, call: &Call, running: bool) -> Result<Response<Body>, Problem> {
        let job = self.jobs.set_running(job_id(call)?.as_str(), running, &by(call)).await;
        Ok(json(StatusCode::OK, &job.map_err(|error| problem(error, unknown_job()))?))
    }
}

fn job_id(call: &Call) -> Result<JobId, Problem> {
    JobId::parse(call.path("id")).ok_or_else(unknown_job)
}

fn unknown_job() -> Problem {
    Problem::not_found("job_not_found", "There is no job with this id.")
}

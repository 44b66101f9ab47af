use api::{Call, Fault, Problem, json};
use dlq::{Action, Filter, Task};
use jobs::{JobId, JobList};
use lambda_http::{Body, Response, http::StatusCode};
use serde::Deserialize;
use tokio::time::Instant;

use crate::{FIRST_SLICE, Function, act::reason, by, problem};

/// What starts a job: a [`Task`], read field by field. A flattened one would overlook what it doesn't know, and a filter
/// that is misspelt would be every letter.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct TaskBody {
    action: Verb,
    because: Option<String>,
    #[serde(default, deserialize_with = "api::object")]
    filter: Filter,
    #[serde(default = "dlq::default_per_second")]
    per_second: u32,
}

#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
enum Verb {
    Redrive,
    Discard,
}

/// More than this and Okta's limits make dead letters of what is redriven.
const MAX_PER_SECOND: u32 = 100;

impl Function {
    pub(crate) async fn start_job(&self, call: &Call) -> Result<Response<Body>, Problem> {
        let task = call.json::<TaskBody>()?.task()?;
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
        let page = page.map_err(|error| problem(error, unknown_job()))?;
        Ok(json(StatusCode::OK, &JobList::from(page)))
    }

    pub(crate) async fn show_job(&self, call: &Call) -> Result<Response<Body>, Problem> {
        let job = self.letters.job(JobId::of(call)?.as_str()).await;
        Ok(json(StatusCode::OK, &job.map_err(|error| problem(error, unknown_job()))?))
    }

    pub(crate) async fn stop_job(&self, call: &Call) -> Result<Response<Body>, Problem> {
        let job = self.jobs.stop(JobId::of(call)?.as_str(), &by(call)).await;
        Ok(json(StatusCode::OK, &job.map_err(|error| problem(error, unknown_job()))?))
    }

    pub(crate) async fn resume_job(&self, call: &Call) -> Result<Response<Body>, Problem> {
        let job = self.jobs.resume(JobId::of(call)?.as_str(), &by(call)).await;
        Ok(json(StatusCode::OK, &job.map_err(|error| problem(error, unknown_job()))?))
    }
}

impl TaskBody {
    fn task(self) -> Result<Task, Problem> {
        let fault = |pointer: &str, detail: String| {
            Problem::faults(vec![Fault { pointer: pointer.to_owned(), detail }])
        };
        let Self { action, because, filter, per_second } = self;
        if !(1..=MAX_PER_SECOND).contains(&per_second) {
            return Err(fault("/per_second", format!("must be a number from 1 to {MAX_PER_SECOND}")));
        }
        let action = match (action, because) {
            (Verb::Redrive, None) => Action::Redrive,
            (Verb::Redrive, Some(_)) => {
                return Err(fault("/because", "belongs to a discard only".to_owned()));
            }
            (Verb::Discard, because) => {
                let because = reason(because.as_deref().unwrap_or_default(), "/because")?.to_owned();
                Action::Discard { because }
            }
        };
        Ok(Task { action, filter, per_second })
    }
}

fn unknown_job() -> Problem {
    jobs::Error::Unknown.into()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_task_is_read_as_it_is_written() {
        let filter = Filter { state: Some(dlq::LetterState::Parked), ..Filter::default() };
        for action in [Action::Redrive, Action::Discard { because: "a test's".to_owned() }] {
            let task = Task { action, filter: filter.clone(), per_second: 7 };
            let body: TaskBody = serde_json::from_value(json!(task)).unwrap();
            assert_eq!(body.task().unwrap(), task);
        }
    }

    #[test]
    fn a_reason_is_for_a_discard_and_a_discard_has_one() {
        for body in [
            json!({"action": "discard"}),
            json!({"action": "discard", "because": " "}),
            json!({"action": "redrive", "because": "x"}),
        ] {
            let read: TaskBody = serde_json::from_value(body.clone()).unwrap();
            assert_eq!(read.task().unwrap_err().errors[0].pointer, "/because", "{body}");
        }
    }
}

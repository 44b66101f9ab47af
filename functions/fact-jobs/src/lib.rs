//! `/v1/fact-jobs`: work on the facts of many subjects. It is stored here; `fact-publisher` does it.

#[cfg(feature = "schema")]
mod describe;
mod health;
mod routes;
mod task;

use api::{Api, Call, Problem, cursor::Signer, json};
use aws::Aws;
use contracts::Actor;
use facts::Task;
use jobs::{JobId, JobList, Jobs, Store};
use lambda_http::{Body, Request, Response, http::StatusCode};
use runtime::{Clock, ConfigError, Vars};

use routes::ROUTES;
use task::TaskBody;

#[cfg(feature = "schema")]
pub use describe::describe;

#[derive(Debug, Clone)]
pub struct Function {
    api: Api<Self>,
    store: Store<Task>,
    jobs: Jobs<Task>,
    signer: Signer,
}

impl lambda::Function for Function {
    const NAME: &'static str = env!("CARGO_PKG_NAME");
    type Event = Request;

    fn from_vars(vars: &Vars, clock: Clock) -> Result<Self, ConfigError> {
        let aws = Aws::from_vars(vars)?;
        let store = facts::jobs_from_vars(vars, &aws)?;
        Ok(Self {
            api: Api::from_vars(Self::NAME, &ROUTES, vars, &aws, clock)?,
            jobs: Jobs::new(store.clone(), clock),
            store,
            signer: Signer::from_vars(vars, &aws)?,
        })
    }

    async fn handle(&self, request: Request) -> Response<Body> {
        self.api.serve(self, request).await
    }
}

impl Function {
    async fn start(&self, call: &Call) -> Result<Response<Body>, Problem> {
        let task = call.json::<TaskBody>()?.task()?;
        let job = self.jobs.enqueue(task, &Actor::caller(&call.principal.subject)).await?;
        Ok(json(StatusCode::ACCEPTED, &job))
    }

    async fn list(&self, call: &Call) -> Result<Response<Body>, Problem> {
        let page = self.store.page(&self.signer, "fact-jobs", call.query("cursor"), call.limit()?).await?;
        Ok(json(StatusCode::OK, &JobList::from(page)))
    }

    async fn show(&self, call: &Call) -> Result<Response<Body>, Problem> {
        Ok(json(StatusCode::OK, &self.jobs.get(JobId::of(call)?.as_str()).await?))
    }

    async fn stop(&self, call: &Call) -> Result<Response<Body>, Problem> {
        Ok(json(StatusCode::OK, &self.jobs.stop(JobId::of(call)?.as_str()).await?))
    }

    async fn resume(&self, call: &Call) -> Result<Response<Body>, Problem> {
        Ok(json(StatusCode::OK, &self.jobs.resume(JobId::of(call)?.as_str()).await?))
    }
}

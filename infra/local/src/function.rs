//! The functions, linked as libraries and called as Lambda calls them: JSON in, JSON out, a deadline.

use std::{sync::Arc, time::Duration};

use anyhow::{Context as _, bail};
use futures_util::future::BoxFuture;
use lambda_http::{Adapter, Body, Request, Response, tower::Service};
use lambda_runtime::{Context, LambdaEvent, service_fn};
use runtime::{Clock, Vars};
use serde::de::DeserializeOwned;

use crate::template::FunctionSpec;

pub(crate) type Handler =
    dyn Fn(Vec<u8>, Context) -> BoxFuture<'static, anyhow::Result<Vec<u8>>> + Send + Sync;

/// What has nothing to do here: `joiner probe` is the canary.
const ONLY_ON_AWS: [&str; 1] = ["canary"];

/// A function that can be invoked. Cheap to clone.
#[derive(Clone)]
pub struct Function {
    pub(crate) name: String,
    timeout: Duration,
    clock: Clock,
    handler: Arc<Handler>,
}

impl Function {
    pub(crate) fn runs_here(spec: &FunctionSpec) -> bool {
        !ONLY_ON_AWS.contains(&spec.name.as_str())
    }

    /// Starts the function of that name with these variables, as its `main` does.
    pub fn start(spec: &FunctionSpec, vars: &Vars, clock: Clock) -> anyhow::Result<Self> {
        let handler = match spec.name.as_str() {
            hr_webhook::NAME => {
                let function = Arc::new(hr_webhook::Function::from_vars(vars, clock)?);
                http(move |request| {
                    let function = Arc::clone(&function);
                    async move { function.handle(request).await }
                })
            }
            user_query::NAME => {
                let function = Arc::new(user_query::Function::from_vars(vars, clock)?);
                http(move |request| {
                    let function = Arc::clone(&function);
                    async move { function.handle(request).await }
                })
            }
            dead_letters::NAME => {
                let function = Arc::new(dead_letters::Function::from_vars(vars, clock)?);
                http(move |request| {
                    let function = Arc::clone(&function);
                    async move { function.handle(request).await }
                })
            }
            enrichment::NAME => {
                let function = Arc::new(enrichment::Function::from_vars(vars, clock)?);
                json(move |event| {
                    let function = Arc::clone(&function);
                    async move { function.handle(event).await }
                })
            }
            dlq_reprocessor::NAME => {
                let function = Arc::new(dlq_reprocessor::Function::from_vars(vars, clock)?);
                json(move |event| {
                    let function = Arc::clone(&function);
                    async move { function.handle(event).await }
                })
            }
            other => bail!("template.yaml has a function {other} that is not linked into joiner"),
        };
        Ok(Self::new(spec.name.clone(), spec.timeout, clock, handler))
    }

    pub(crate) fn new(name: String, timeout: Duration, clock: Clock, handler: Arc<Handler>) -> Self {
        Self { name, timeout, clock, handler }
    }

    /// One invocation. A panic and a timeout are errors of this invocation only, as in a sandbox of its own.
    pub async fn invoke(&self, payload: Vec<u8>) -> anyhow::Result<Vec<u8>> {
        let mut context = Context::default();
        context.request_id = self.clock.new_id().to_string();
        let deadline = self.clock.now() + self.timeout;
        context.deadline = u64::try_from(deadline.as_millisecond()).unwrap_or(u64::MAX);
        let invocation = tokio::spawn((self.handler)(payload, context));
        let abort = invocation.abort_handle();
        match tokio::time::timeout(self.timeout, invocation).await {
            Ok(joined) => joined.with_context(|| format!("{} crashed", self.name))?,
            Err(_elapsed) => {
                abort.abort();
                bail!("{} timed out after {:?}", self.name, self.timeout)
            }
        }
    }
}

fn http<H, F, E>(handle: H) -> Arc<Handler>
where
    H: Fn(Request) -> F + Clone + Send + Sync + 'static,
    F: Future<Output = Result<Response<Body>, E>> + Send + 'static,
    E: std::error::Error + Send + Sync + 'static,
{
    let adapter = move || Adapter::from(service_fn(handle.clone()));
    Arc::new(move |payload, context| {
        let mut service = adapter();
        Box::pin(async move {
            let request = serde_json::from_slice(&payload).context("not an event of API Gateway")?;
            let response = service.call(LambdaEvent::new(request, context)).await?;
            Ok(serde_json::to_vec(&response)?)
        })
    })
}

/// A function that takes what `P` is, whichever service sends it.
pub(crate) fn json<H, P, F, A, E>(handle: H) -> Arc<Handler>
where
    H: Fn(LambdaEvent<P>) -> F + Send + Sync + 'static,
    P: DeserializeOwned + Send,
    F: Future<Output = Result<A, E>> + Send + 'static,
    A: serde::Serialize,
    E: std::error::Error + Send + Sync + 'static,
{
    let handle = Arc::new(handle);
    Arc::new(move |payload, context| {
        let handle = Arc::clone(&handle);
        Box::pin(async move {
            let event = serde_json::from_slice(&payload).context("not an event that the function takes")?;
            let answer = handle(LambdaEvent::new(event, context)).await?;
            Ok(serde_json::to_vec(&answer)?)
        })
    })
}

impl std::fmt::Debug for Function {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Function").field("name", &self.name).finish_non_exhaustive()
    }
}

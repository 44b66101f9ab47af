//! CodeDeploy's hook before a new version of a function gets traffic: asks that version whether it can do its work. What can't
//! be found out is a no, and the version before goes on.

mod app_spec;
mod deployments;
mod question;
mod unfit;
mod verdict;

use std::time::Duration;

use aws::Aws;
use aws_sdk_lambda::{Client, error::SdkError, operation::invoke::InvokeError, primitives::Blob};
use lambda::{Error, Json};
use runtime::{Clock, ConfigError, Vars, telemetry};
use serde::Deserialize;
use serde_json::Value;
use tokio::time::{sleep, timeout_at};
use tracing::{Instrument, Span, field::Empty};

use app_spec::Version;
use deployments::Deployments;
use question::HealthRoutes;
use unfit::Unfit;

pub use deployments::NotTold;
pub use verdict::Verdict;

/// The start of a version that nobody has invoked yet, and what it asks in its turn.
const INVOCATION: Duration = Duration::from_secs(15);

/// Between two tries to invoke a function that is busy.
const AGAIN: Duration = Duration::from_secs(5);

#[derive(Debug, Clone)]
pub struct Function {
    deployments: Deployments,
    lambda: Client,
    health_routes: HealthRoutes,
    clock: Clock,
}

/// What CodeDeploy sends.
/// <https://docs.aws.amazon.com/codedeploy/latest/userguide/reference-appspec-file-structure-hooks.html>
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Event {
    deployment_id: String,
    lifecycle_event_hook_execution_id: String,
}

impl lambda::Function for Function {
    const NAME: &'static str = env!("CARGO_PKG_NAME");
    type Event = Json<Event>;

    /// Reads `HEALTH_ROUTES`, and the addresses of AWS's services where they aren't the region's:
    /// `AWS_ENDPOINT_URL_CODEDEPLOY` and `AWS_ENDPOINT_URL_LAMBDA`.
    fn from_vars(vars: &Vars, clock: Clock) -> Result<Self, ConfigError> {
        let aws = Aws::from_vars(vars)?;
        Ok(Self {
            deployments: Deployments::from_vars(vars, &aws),
            lambda: Client::new(&aws.sdk(vars.get("AWS_ENDPOINT_URL_LAMBDA"), INVOCATION)),
            health_routes: HealthRoutes::from_vars(vars)?,
            clock,
        })
    }

    /// # Errors
    /// When CodeDeploy can't be told. It waits for an hour then, and takes that for a no.
    async fn handle(&self, event: Json<Event>) -> Result<Value, Error> {
        let Json { payload: Event { deployment_id, lifecycle_event_hook_execution_id }, deadline } = event;
        let hook = async {
            // Boxed: the futures of the SDK's operations are deep and kilobytes long.
            let checked = timeout_at(deadline.give_up, Box::pin(self.check(&deployment_id))).await;
            let verdict = verdict(checked.unwrap_or(Err(Unfit::Late)));
            Box::pin(self.deployments.tell(&deployment_id, &lifecycle_event_hook_execution_id, verdict)).await
        };
        let deployment = tracing::info_span!("deployment", deployment_id, function = Empty, version = Empty);
        Ok(serde_json::to_value(hook.instrument(deployment).await?)?)
    }
}

impl Function {
    async fn check(&self, deployment_id: &str) -> Result<(), Unfit> {
        let Version { function, version } = self.deployments.version(deployment_id).await?;
        Span::current().record("function", &function).record("version", &version);
        let question = self.health_routes.question(&function)?;
        let event = Blob::new(question.event(self.clock).to_string());
        let invoke = self.lambda.invoke().function_name(function).qualifier(version).payload(event);
        // A function that is busy says nothing of its version: it is asked again, until there is no more time.
        let answer = loop {
            match invoke.clone().send().await {
                Err(error) if is_throttled(&error) => sleep(AGAIN).await,
                answer => break answer.map_err(|error| Unfit::NotInvoked(error.into()))?,
            }
        };
        let payload = answer.payload.map(Blob::into_inner).unwrap_or_default();
        match answer.function_error {
            None => question.judge(&payload),
            Some(_) => Err(Unfit::failed(&payload)),
        }
    }
}

fn is_throttled(error: &SdkError<InvokeError>) -> bool {
    error.as_service_error().is_some_and(InvokeError::is_too_many_requests_exception)
}

fn verdict(checked: Result<(), Unfit>) -> Verdict {
    match checked {
        Ok(()) => {
            tracing::info!("a version is healthy: it gets traffic");
            Verdict::Succeeded
        }
        Err(unfit) => {
            tracing::error!(error = telemetry::chain(&unfit), "a version gets no traffic");
            Verdict::Failed
        }
    }
}

//! What CodeDeploy knows of a deployment, and what it is told.

use std::time::Duration;

use aws::Aws;
use aws_sdk_codedeploy::{Client, error::BoxError, types::RevisionLocation};
use runtime::Vars;

use crate::{app_spec::Version, unfit::Unfit, verdict::Verdict};

/// One of three attempts.
const ATTEMPT_TIMEOUT: Duration = Duration::from_secs(2);

#[derive(Debug, Clone)]
pub(crate) struct Deployments(Client);

/// CodeDeploy doesn't take the verdict.
#[derive(Debug, thiserror::Error)]
#[error("CodeDeploy was not told whether the version gets traffic")]
pub struct NotTold(#[source] BoxError);

impl Deployments {
    pub(crate) fn from_vars(vars: &Vars, aws: &Aws) -> Self {
        Self(Client::new(&aws.sdk(vars.get("AWS_ENDPOINT_URL_CODEDEPLOY"), ATTEMPT_TIMEOUT)))
    }

    /// The version that is to get the traffic.
    pub(crate) async fn version(&self, deployment_id: &str) -> Result<Version, Unfit> {
        let asked = self.0.get_deployment().deployment_id(deployment_id).send().await;
        let deployment = asked.map_err(|error| Unfit::Unasked(error.into()))?.deployment_info;
        let (application, revision) = deployment
            .and_then(|deployment| deployment.application_name.zip(deployment.revision))
            .ok_or(Unfit::NoVersion)?;
        // Here the revision has a hash in place of its content:
        // <https://docs.aws.amazon.com/codedeploy/latest/APIReference/API_GetDeployment.html>
        let asked = self.0.get_application_revision().application_name(application).revision(revision).send();
        let revision = asked.await.map_err(|error| Unfit::Unasked(error.into()))?.revision;
        revision.and_then(content).and_then(|content| Version::read(&content)).ok_or(Unfit::NoVersion)
    }

    pub(crate) async fn tell(
        &self,
        deployment_id: &str,
        hook_execution_id: &str,
        verdict: Verdict,
    ) -> Result<Verdict, NotTold> {
        let telling = self
            .0
            .put_lifecycle_event_hook_execution_status()
            .deployment_id(deployment_id)
            .lifecycle_event_hook_execution_id(hook_execution_id)
            .status(verdict.into());
        telling.send().await.map_err(|error| NotTold(error.into()))?;
        Ok(verdict)
    }
}

/// The AppSpec, in one of two places.
#[expect(deprecated, reason = "the deployments of CloudFormation have it in the older one")]
fn content(revision: RevisionLocation) -> Option<String> {
    let raw = revision.string.and_then(|raw| raw.content);
    raw.or_else(|| revision.app_spec_content.and_then(|app_spec| app_spec.content))
}

use aws_sdk_codedeploy::types::LifecycleEventStatus;
use serde::Serialize;

/// What CodeDeploy is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(tag = "status")]
pub enum Verdict {
    Succeeded,
    Failed,
}

impl From<Verdict> for LifecycleEventStatus {
    fn from(verdict: Verdict) -> Self {
        match verdict {
            Verdict::Succeeded => Self::Succeeded,
            Verdict::Failed => Self::Failed,
        }
    }
}

use aws_sdk_codedeploy::error::BoxError;
use serde::Deserialize;

/// Why a version gets no traffic.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Unfit {
    #[error("CodeDeploy doesn't say what the deployment is about")]
    Unasked(#[source] BoxError),
    #[error("the deployment is not about one version of one function")]
    NoVersion,
    #[error("the function's name is not one of Joiner's")]
    Foreign,
    #[error("it can't be invoked")]
    NotInvoked(#[source] BoxError),
    #[error("it ended with {error_type}: {error_message}")]
    Failed { error_type: String, error_message: String },
    #[error("the answer of its health is {0}")]
    Unhealthy(u16),
    #[error("its answer is none that such a function gives")]
    Strange,
    #[error("there was no more time")]
    Late,
}

/// What Lambda answers in place of a function that failed. Joiner's messages hold nothing personal.
#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Failure {
    error_type: String,
    error_message: String,
}

impl Unfit {
    pub(crate) fn failed(payload: &[u8]) -> Self {
        let Failure { error_type, error_message } = serde_json::from_slice(payload).unwrap_or_default();
        Self::Failed { error_type, error_message }
    }
}

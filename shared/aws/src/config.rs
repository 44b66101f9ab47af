use aws_credential_types::Credentials;
use runtime::{ConfigError, Vars};

/// Who we are, as Lambda says it.
#[derive(Debug, Clone)]
pub(crate) struct Config {
    /// `AWS_REGION`.
    pub(crate) region: String,
    /// `AWS_ACCESS_KEY_ID`, `AWS_SECRET_ACCESS_KEY`, `AWS_SESSION_TOKEN`.
    pub(crate) credentials: Credentials,
}

impl Config {
    pub(crate) fn from_vars(vars: &Vars) -> Result<Self, ConfigError> {
        let credentials = Credentials::new(
            vars.require("AWS_ACCESS_KEY_ID", "an AWS access key, as Lambda sets it")?,
            vars.require("AWS_SECRET_ACCESS_KEY", "an AWS secret key, as Lambda sets it")?,
            vars.get("AWS_SESSION_TOKEN").map(str::to_owned),
            None,
            "environment",
        );
        Ok(Self { region: vars.require("AWS_REGION", "an AWS region")?.to_owned(), credentials })
    }
}

use std::time::Duration;

use aws::Aws;
use runtime::{ConfigError, Vars, config::wrong};
use secrets::Secret;
use url::Url;

#[derive(Debug, Clone)]
pub struct Config {
    /// `OKTA_ORG_URL`, such as `https://example.okta.com`.
    pub org_url: Url,
    /// `OKTA_API_TOKEN`, or `OKTA_API_TOKEN_SECRET_ID`: an SSWS token that may read users, groups and app links.
    pub token: Secret,
    /// `API_TIMEOUT_SECONDS` (10): how long one request to Okta may take.
    pub timeout: Duration,
}

impl Config {
    pub fn from_vars(vars: &Vars, aws: &Aws) -> Result<Self, ConfigError> {
        let expected = "the org's URL, such as https://example.okta.com";
        let org_url = vars.require("OKTA_ORG_URL", expected)?;
        let org_url = Url::parse(org_url).ok().filter(|url| matches!(url.scheme(), "https" | "http"));
        Ok(Self {
            org_url: org_url.ok_or_else(|| wrong("OKTA_ORG_URL", expected))?,
            token: Secret::require(vars, "OKTA_API_TOKEN", "an Okta API token", aws)?,
            timeout: vars.seconds_or("API_TIMEOUT_SECONDS", Duration::from_secs(10))?,
        })
    }
}

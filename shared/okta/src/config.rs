use std::time::Duration;

use aws::Aws;
use runtime::{ConfigError, Vars, config::wrong};
use secrecy::{ExposeSecret, SecretString};
use secrets::Secret;
use url::{Host, Url};

#[derive(Debug, Clone)]
pub struct Config {
    /// `OKTA_ORG_URL`, such as `https://example.okta.com`. `http://` is for this machine only.
    pub org_url: Url,
    /// `OKTA_API_TOKEN`, or `OKTA_API_TOKEN_SECRET_ID`: an SSWS token that may read users, groups and app links.
    pub token: Secret,
    /// `API_TIMEOUT_SECONDS` (10): how long one request to Okta may take.
    pub timeout: Duration,
}

impl Config {
    pub fn from_vars(vars: &Vars, aws: &Aws) -> Result<Self, ConfigError> {
        let expected = "the org's URL, such as https://example.okta.com, with http:// on this machine only";
        let org_url = Url::parse(vars.require("OKTA_ORG_URL", expected)?).ok().filter(is_private);
        let org_url = org_url.ok_or_else(|| wrong("OKTA_ORG_URL", expected))?;
        let expected = "an Okta API token, of visible ASCII characters";
        let token = Secret::require(vars, "OKTA_API_TOKEN", expected, aws)?;
        let is_visible =
            |token: &SecretString| token.expose_secret().bytes().all(|byte| byte.is_ascii_graphic());
        if !token.fixed().is_none_or(is_visible) {
            return Err(wrong("OKTA_API_TOKEN", expected));
        }
        Ok(Self { org_url, token, timeout: vars.seconds_or("API_TIMEOUT_SECONDS", Duration::from_secs(10))? })
    }
}

/// Whether a token that is sent there goes over TLS or stays on this machine, so that nobody on the way reads it; and whether
/// the URL holds none itself, which logs and screens would show.
pub fn is_private(url: &Url) -> bool {
    let stays_here = match url.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    };
    let has_credentials = !url.username().is_empty() || url.password().is_some();
    !has_credentials && (url.scheme() == "https" || url.scheme() == "http" && stays_here)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config(url: &str, token: &str) -> Result<Config, ConfigError> {
        let vars = Vars::from_iter(aws::EMULATED).with("OKTA_ORG_URL", url).with("OKTA_API_TOKEN", token);
        Config::from_vars(&vars, &Aws::from_vars(&vars).unwrap())
    }

    #[test]
    fn the_token_goes_over_tls_or_stays_on_this_machine() {
        for right in [
            "https://example.okta.com",
            "https://10.0.0.1",
            "http://localhost:3001",
            "http://127.0.0.1:3001",
            "http://127.9.9.9",
            "http://[::1]:3001",
        ] {
            assert_eq!(config(right, "token").unwrap().org_url, Url::parse(right).unwrap());
        }
        for wrong in [
            "",
            "example.okta.com",
            "ftp://example.okta.com",
            "http://example.okta.com",
            "http://localhost.example.com",
            "http://10.0.0.1",
            "http://[::2]",
            "https://user:password@example.okta.com",
        ] {
            let error = config(wrong, "token").unwrap_err();
            assert_eq!(error.name, "OKTA_ORG_URL", "{wrong}");
            assert!(error.problem.contains("https://example.okta.com"), "{error}");
        }
    }

    #[test]
    fn a_token_that_cannot_be_one_stops_the_start() {
        for wrong in ["", " ", "\t", "00abc\n", " 00abc", "00 abc", "00\u{e4}bc", "00\u{0}bc"] {
            let error = config("https://example.okta.com", wrong).unwrap_err();
            assert_eq!(error.name, "OKTA_API_TOKEN", "{wrong:?}");
            assert!(!error.problem.contains("00"), "{error}");
        }
        assert!(config("https://example.okta.com", "00QpB-x_9").is_ok());
    }
}

use std::{borrow::Cow, time::Duration};

/// Why Okta did not give what was asked for. Whether it is asked again is for the caller to decide.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("Okta has no such object")]
    NotFound,
    /// Somebody has to mend the token or its permissions.
    #[error("Okta refused the credentials with status {status}")]
    Unauthorized { status: u16 },
    /// Passes after `wait`.
    #[error("Okta's {limit} rate limit is used up for {wait:?}")]
    RateLimited { limit: Limit, wait: Duration },
    /// There is no token to ask with.
    #[error("there is no token for Okta")]
    NoToken(#[from] secrets::Error),
    /// Okta was not reached, too slow, or broken.
    #[error("Okta did not answer")]
    Unreachable(#[source] reqwest::Error),
    #[error("Okta failed with status {status}")]
    Failed { status: u16 },
    /// An answer that the API doesn't describe.
    #[error("Okta's answer is not understood: {0}")]
    Malformed(&'static str),
}

/// Which limit was met: <https://developer.okta.com/docs/reference/rl-best-practices/>.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Limit {
    /// Requests a minute, for the whole org: lasts until the time that Okta names.
    Org,
    /// Requests at once: passes when others end.
    Concurrency,
}

impl Error {
    /// As a span's `error.type`.
    /// <https://opentelemetry.io/docs/specs/semconv/http/http-spans/#http-client-span>
    pub(crate) fn kind(&self) -> Cow<'static, str> {
        match self {
            Self::NotFound => Cow::Borrowed("404"),
            Self::RateLimited { .. } => Cow::Borrowed("429"),
            Self::Unauthorized { status } | Self::Failed { status } => Cow::Owned(status.to_string()),
            Self::Unreachable(error) if error.is_timeout() => Cow::Borrowed("timeout"),
            Self::Unreachable(error) if error.is_connect() => Cow::Borrowed("connect"),
            Self::Unreachable(_) | Self::NoToken(_) => Cow::Borrowed("_OTHER"),
            Self::Malformed(_) => Cow::Borrowed("malformed"),
        }
    }
}

impl std::fmt::Display for Limit {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Org => "org-wide",
            Self::Concurrency => "concurrency",
        })
    }
}

impl From<reqwest::Error> for Error {
    /// The URL may hold an e-mail address and must not get into a log.
    fn from(error: reqwest::Error) -> Self {
        Self::Unreachable(error.without_url())
    }
}

//! The two calls of Joiner's API that a probe makes.

use std::time::Duration;

use reqwest::{Method, StatusCode, header::HeaderValue};
use secrecy::SecretString;
use secrets::Secret;
use serde::{Deserialize, de::DeserializeOwned};
use serde_json::Value;
use url::Url;

/// Of one call: a webhook that takes longer is none that HR can use.
const TIMEOUT: Duration = Duration::from_secs(10);

#[derive(Debug, Clone)]
pub(crate) struct Client {
    http: reqwest::Client,
    base: Url,
    keys: Option<Secret>,
}

/// Why a call has no answer to go on with.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    #[error("nothing answers")]
    Unreachable(#[source] reqwest::Error),
    #[error("nothing has answered in time")]
    Late,
    #[error("the answer is {status}{}", .detail.as_deref().map(after_status).unwrap_or_default())]
    Refused { status: StatusCode, detail: Option<String> },
    #[error("the answer is not one of Joiner's")]
    Stranger,
    #[error(transparent)]
    NoKey(#[from] secrets::Error),
    #[error("the key is none that a header can hold")]
    NotAKey,
}

/// Joiner's `application/problem+json`, whose title is the status in words; or what API Gateway says that asks no function.
#[derive(Default, Deserialize)]
struct Problem {
    #[serde(alias = "message")]
    detail: Option<String>,
}

impl Failure {
    /// Whether it may go well a little later.
    pub(crate) fn passes(&self) -> bool {
        match self {
            Self::Unreachable(_) => true,
            Self::Refused { status, .. } => {
                *status == StatusCode::TOO_MANY_REQUESTS || status.is_server_error()
            }
            Self::Late | Self::Stranger | Self::NoKey(_) | Self::NotAKey => false,
        }
    }

    pub(crate) fn is_not_found(&self) -> bool {
        matches!(self, Self::Refused { status: StatusCode::NOT_FOUND, .. })
    }

    fn is_of_the_key(&self) -> bool {
        matches!(self, Self::Refused { status: StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN, .. })
    }
}

impl Client {
    pub(crate) fn new(base: Url, keys: Option<Secret>) -> Self {
        Self { http: okta::http_client(TIMEOUT), base, keys }
    }

    /// `path` is what follows `/v1`. Asks once more if the key is refused and was rotated.
    pub(crate) async fn call<T: DeserializeOwned>(
        &self,
        method: Method,
        path: &[&str],
        body: Option<&Value>,
    ) -> Result<T, Failure> {
        let Some(keys) = &self.keys else { return self.once(&method, path, body, None).await };
        let known = keys.get().await?;
        match self.once(&method, path, body, Some(&known)).await {
            Err(failure) if failure.is_of_the_key() => match keys.refreshed(&known).await {
                Some(rotated) => self.once(&method, path, body, Some(&rotated)).await,
                None => Err(failure),
            },
            answer => answer,
        }
    }

    async fn once<T: DeserializeOwned>(
        &self,
        method: &Method,
        path: &[&str],
        body: Option<&Value>,
        keys: Option<&SecretString>,
    ) -> Result<T, Failure> {
        let mut request = self.http.request(method.clone(), self.url(path));
        if let Some(keys) = keys {
            request = request.header("X-API-Key", header(keys)?);
        }
        if let Some(body) = body {
            request = request.json(body);
        }
        let unreachable = |error: reqwest::Error| Failure::Unreachable(error.without_url());
        let response = request.send().await.map_err(unreachable)?;
        let status = response.status();
        let body = response.bytes().await.map_err(unreachable)?;
        if status.is_success() {
            return serde_json::from_slice(&body).map_err(|_| Failure::Stranger);
        }
        let Problem { detail } = serde_json::from_slice(&body).unwrap_or_default();
        Err(Failure::Refused { status, detail })
    }

    fn url(&self, path: &[&str]) -> Url {
        let mut url = self.base.clone();
        url.set_query(None);
        url.path_segments_mut().expect("http and https have a path").pop_if_empty().push("v1").extend(path);
        url
    }
}

fn after_status(detail: &str) -> String {
    format!(" ({})", detail.trim_end_matches('.'))
}

/// The first of the keys that a secret may hold: while they are replaced each is good.
fn header(keys: &SecretString) -> Result<HeaderValue, Failure> {
    let first = secrets::keys(keys).next().and_then(|key| HeaderValue::from_str(key).ok());
    let mut header = first.ok_or(Failure::NotAKey)?;
    header.set_sensitive(true);
    Ok(header)
}

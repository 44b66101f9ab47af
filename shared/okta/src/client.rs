use std::time::Duration;

use aws::Aws;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use reqwest::header::{self, HeaderMap};
use runtime::{Clock, ConfigError, Vars};
use secrecy::{ExposeSecret, SecretString};
use secrets::Secret;
use serde::de::{DeserializeOwned, IgnoredAny};
use tracing::{Instrument, Span};
use url::Url;

use crate::{AppLink, Config, Error, Group, User, answer, link, trace};

/// RFC 3986's unreserved characters stay as they are in a path segment.
const SEGMENT: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// Okta pages at 200 at most: a person in more groups than this follows a `Link` in circles.
const MAX_PAGES: usize = 100;

/// An answer of Okta's is a few hundred kilobytes at most, all of its pages together.
const MAX_BYTES: usize = 16 * 1024 * 1024;

/// Reads an Okta org. Cheap to clone; connections are pooled.
#[derive(Debug, Clone)]
pub struct Client {
    http: reqwest::Client,
    org_url: Url,
    token: Secret,
    clock: Clock,
}

/// A success, and how long its body was.
struct Answer<T> {
    value: T,
    headers: HeaderMap,
    bytes: usize,
}

/// The process's HTTP client: its pool is worth sharing.
#[expect(clippy::disallowed_methods, reason = "this is the place that the ban points to")]
#[expect(clippy::missing_panics_doc, reason = "it doesn't: see the expectation")]
pub fn http_client(timeout: Duration) -> reqwest::Client {
    // A second installation, by another client in the process, finds the same provider there.
    drop(rustls::crypto::ring::default_provider().install_default());
    reqwest::Client::builder()
        .timeout(timeout)
        .connect_timeout(timeout)
        // Okta's API does not redirect; whoever does must not get the token.
        .redirect(reqwest::redirect::Policy::none())
        .user_agent(concat!("joiner/", env!("CARGO_PKG_VERSION")))
        .build()
        .expect("these settings are valid and the TLS provider was installed")
}

impl Client {
    pub fn from_vars(vars: &Vars, aws: &Aws, clock: Clock) -> Result<Self, ConfigError> {
        Ok(Self::new(Config::from_vars(vars, aws)?, clock))
    }

    pub fn new(config: Config, clock: Clock) -> Self {
        Self { http: http_client(config.timeout), org_url: config.org_url, token: config.token, clock }
    }

    /// The person who signs in with this, whatever their status. `None` if nobody does.
    pub async fn user_with_login(&self, login: &str) -> Result<Option<User>, Error> {
        match self.get(self.url(&user_path(login, ""), None), MAX_BYTES).await {
            Ok(answer) => Ok(Some(answer.value)),
            Err(Error::NotFound) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Whether Okta answers, and takes the token: by the shortest of the requests that Joiner makes.
    pub async fn check(&self) -> Result<(), Error> {
        self.get::<IgnoredAny>(self.url("/api/v1/users", Some(("limit", "1"))), MAX_BYTES).await.map(drop)
    }

    /// The person with that e-mail address, whatever their status; one who is not deprovisioned goes first.
    pub async fn user_with_address(&self, email: &str) -> Result<Option<User>, Error> {
        // A rehire may have a new account with the same address beside the old one: only who is there ends it.
        let mut deprovisioned = None;
        // Values are JSON strings: quoting keeps an address from becoming part of the expression.
        let expression = format!("profile.email eq {}", serde_json::Value::from(email));
        for parameter in ["filter", "search"] {
            let url = self.url("/api/v1/users", Some((parameter, &expression)));
            let users: Vec<User> = self.get(url, MAX_BYTES).await?.value;
            match users.into_iter().min_by_key(User::is_deprovisioned) {
                Some(user) if !user.is_deprovisioned() => return Ok(Some(user)),
                found => deprovisioned = deprovisioned.or(found),
            }
        }
        Ok(deprovisioned)
    }

    /// All groups that the person, by id or login, is a member of.
    pub async fn groups(&self, user: &str) -> Result<Vec<Group>, Error> {
        self.all_pages(self.url(&user_path(user, "/groups"), Some(("limit", "200")))).await
    }

    /// The applications that the person, by id or login, is assigned, directly or by a group.
    pub async fn app_links(&self, user: &str) -> Result<Vec<AppLink>, Error> {
        self.all_pages(self.url(&user_path(user, "/appLinks"), None)).await
    }

    async fn all_pages<T: DeserializeOwned>(&self, first: Url) -> Result<Vec<T>, Error> {
        let mut all = Vec::new();
        let mut url = first;
        let mut left = MAX_BYTES;
        for _ in 0..MAX_PAGES {
            let Answer { value, headers, bytes }: Answer<Vec<T>> = self.get(url, left).await?;
            all.extend(value);
            left -= bytes;
            match self.next_page(&headers)? {
                Some(next) => url = next,
                None => return Ok(all),
            }
        }
        Err(Error::Malformed("pages without end"))
    }

    fn next_page(&self, headers: &HeaderMap) -> Result<Option<Url>, Error> {
        let mut links = headers.get_all(header::LINK).iter().filter_map(|value| value.to_str().ok());
        let Some(next) = links.find_map(link::next) else { return Ok(None) };
        let next = self.org_url.join(next).map_err(|_| Error::Malformed("a next page that is no URL"))?;
        if next.origin() == self.org_url.origin() {
            Ok(Some(next))
        } else {
            Err(Error::Malformed("a next page on another host"))
        }
    }

    /// Asks once more with another token if Okta refuses this one and it has been rotated.
    async fn get<T: DeserializeOwned>(&self, url: Url, most_bytes: usize) -> Result<Answer<T>, Error> {
        let token = self.token.get().await?;
        match self.get_with(&token, url.clone(), most_bytes).await {
            Err(Error::Unauthorized { status }) => match self.token.refreshed(&token).await {
                Some(rotated) => self.get_with(&rotated, url, most_bytes).await,
                None => Err(Error::Unauthorized { status }),
            },
            answer => answer,
        }
    }

    async fn get_with<T: DeserializeOwned>(
        &self,
        token: &SecretString,
        url: Url,
        most_bytes: usize,
    ) -> Result<Answer<T>, Error> {
        let span = trace::get(&url);
        let answer = self.send(token, url, most_bytes, &span).instrument(span.clone()).await;
        match &answer {
            // Nobody by that name is an answer.
            Ok(_) | Err(Error::NotFound) => {}
            Err(error) => {
                span.record("otel.status_code", "ERROR").record("error.type", &*error.kind());
            }
        }
        answer
    }

    async fn send<T: DeserializeOwned>(
        &self,
        token: &SecretString,
        url: Url,
        most_bytes: usize,
        span: &Span,
    ) -> Result<Answer<T>, Error> {
        let token = format!("SSWS {}", token.expose_secret());
        let request = self.http.get(url).header(header::ACCEPT, "application/json");
        let mut response = request.header(header::AUTHORIZATION, token).send().await?;
        span.record("http.response.status_code", response.status().as_u16());
        let mut body = Vec::new();
        while let Some(chunk) = response.chunk().await? {
            if body.len() + chunk.len() > most_bytes {
                return Err(Error::Malformed("an answer without end"));
            }
            body.extend_from_slice(&chunk);
        }
        let value = answer::read(response.status(), response.headers(), &body, self.clock.now())?;
        Ok(Answer { value, headers: std::mem::take(response.headers_mut()), bytes: body.len() })
    }

    fn url(&self, path: &str, parameter: Option<(&str, &str)>) -> Url {
        let mut url = self.org_url.clone();
        url.set_path(path);
        url.set_query(None);
        if let Some((name, value)) = parameter {
            url.query_pairs_mut().append_pair(name, value);
        }
        url
    }
}

fn user_path(user: &str, what: &str) -> String {
    format!("/api/v1/users/{}{what}", utf8_percent_encode(user, SEGMENT))
}

use std::time::Duration;

use anyhow::Context;
use reqwest::{Method, Url, header::HeaderValue};
use runtime::Vars;
use secrecy::ExposeSecret;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::{problem::Problem, target};

/// An operation of the API.
pub(super) struct Call {
    method: Method,
    path: Vec<String>,
    query: Vec<(String, String)>,
    body: Option<Value>,
}

pub(super) struct Api {
    http: reqwest::Client,
    base: Url,
    key: Option<HeaderValue>,
}

#[derive(Debug, thiserror::Error)]
pub(super) enum Error {
    #[error("nothing answers at {base}: is `make dev` running?")]
    Unreachable { base: String, source: reqwest::Error },
    #[error(transparent)]
    Refused(#[from] Problem),
    #[error("what answers at {base} is not this version of Joiner")]
    Stranger { base: String, source: Box<dyn std::error::Error + Send + Sync> },
}

impl Error {
    /// Whether it may go well a little later.
    pub(super) fn passes(&self) -> bool {
        match self {
            Self::Unreachable { .. } => true,
            Self::Refused(problem) => problem.passes(),
            Self::Stranger { .. } => false,
        }
    }
}

/// The first one included. People page faster than API Gateway lets them.
const ATTEMPTS: usize = 5;

/// The most that the API gives at once.
const PAGE: usize = 100;

impl Call {
    /// `path` is what follows `/v1`.
    pub(super) fn get<const N: usize>(path: [&str; N]) -> Self {
        Self { method: Method::GET, path: path.map(str::to_owned).into(), query: Vec::new(), body: None }
    }

    pub(super) fn post<const N: usize>(path: [&str; N], body: Value) -> Self {
        Self {
            method: Method::POST,
            path: path.map(str::to_owned).into(),
            query: Vec::new(),
            body: Some(body),
        }
    }

    pub(super) fn query(mut self, name: &str, value: impl Into<String>) -> Self {
        self.query.retain(|(given, _)| given != name);
        self.query.push((name.to_owned(), value.into()));
        self
    }

    pub(super) fn dry_run(self, dry_run: bool) -> Self {
        if dry_run { self.query("dry_run", "true") } else { self }
    }

    /// The filter's fields are named as the parameters are.
    pub(super) fn filter(self, filter: &dlq::Filter) -> Self {
        let fields =
            serde_json::to_value(filter).expect("a struct of strings has no key that JSON can't hold");
        let fields = fields.as_object().into_iter().flatten();
        fields.fold(self, |call, (name, value)| call.query(name, value.as_str().unwrap_or_default()))
    }
}

impl Api {
    pub(super) fn new(url: Option<&str>, vars: &Vars) -> anyhow::Result<Self> {
        let key = target::key(vars, &["ADMIN_KEY", "API_KEY"]);
        let key = key.map(|key| HeaderValue::from_str(key.expose_secret()));
        let mut key =
            key.transpose().ok().context("JOINER_API_KEY has a character that no header can hold")?;
        if let Some(key) = &mut key {
            key.set_sensitive(true);
        }
        Ok(Self { http: okta::http_client(Duration::from_secs(30)), base: target::url(url, vars)?, key })
    }

    /// Its address, for people.
    pub(super) fn shown(&self) -> String {
        self.base.as_str().trim_end_matches('/').to_owned()
    }

    /// Waits and asks again when it is told to, where nothing can have happened yet.
    pub(super) async fn call(&self, call: &Call) -> Result<Value, Error> {
        for _ in 1..ATTEMPTS {
            match self.once(call).await {
                Err(Error::Refused(problem)) if problem.is_before(&call.method) => {
                    tokio::time::sleep(problem.wait()).await;
                }
                answer => return answer,
            }
        }
        self.once(call).await
    }

    /// The items of a list, and the cursor to go on with: as one answer of the API's, however many it took. `progress`
    /// is told how many there are.
    pub(super) async fn pages(
        &self,
        mut call: Call,
        list: &str,
        most: usize,
        mut progress: impl FnMut(usize),
    ) -> Result<Value, Error> {
        let mut items = Vec::new();
        loop {
            call = call.query("limit", (most - items.len()).clamp(1, PAGE).to_string());
            let mut page = self.call(&call).await?;
            let Value::Array(found) = page[list].take() else {
                return Err(self.stranger(format!("no {list}")));
            };
            items.extend(found);
            progress(items.len());
            match page["next_cursor"].as_str() {
                Some(next) if items.len() < most => call = call.query("cursor", next),
                _ => {
                    page[list] = items.into();
                    return Ok(page);
                }
            }
        }
    }

    /// What this program has to know of an answer.
    pub(super) fn read<T: DeserializeOwned>(&self, answer: &Value) -> Result<T, Error> {
        T::deserialize(answer).map_err(|error| self.stranger(error))
    }

    async fn once(&self, call: &Call) -> Result<Value, Error> {
        let mut request = self.http.request(call.method.clone(), self.url(call));
        if let Some(key) = &self.key {
            request = request.header("X-API-Key", key);
        }
        if let Some(body) = &call.body {
            request = request.json(body);
        }
        let away =
            |source: reqwest::Error| Error::Unreachable { base: self.shown(), source: source.without_url() };
        let response = request.send().await.map_err(away)?;
        let (status, headers) = (response.status(), response.headers().clone());
        let body = response.bytes().await.map_err(away)?;
        if !status.is_success() {
            return Err(Problem::read(status, &headers, &body).into());
        }
        serde_json::from_slice(&body).map_err(|error| self.stranger(error))
    }

    fn url(&self, call: &Call) -> Url {
        let mut url = self.base.clone();
        url.set_query(None);
        let mut segments = url.path_segments_mut().expect("it was parsed as the base of a path");
        segments.pop_if_empty().push("v1").extend(&call.path);
        drop(segments);
        if !call.query.is_empty() {
            url.query_pairs_mut().extend_pairs(&call.query);
        }
        url
    }

    fn stranger(&self, source: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Error {
        Error::Stranger { base: self.shown(), source: source.into() }
    }
}

/// Whether the API has more than it was asked for.
pub(super) fn is_cut(answer: &Value) -> bool {
    answer["next_cursor"].is_string()
}

#[cfg(test)]
mod tests {
    use axum::{Json, Router, extract::Query, routing::get};
    use serde_json::json;

    use super::*;

    #[derive(serde::Deserialize)]
    struct Asked {
        cursor: Option<String>,
    }

    #[tokio::test]
    async fn a_page_without_an_item_does_not_end_a_list() {
        let pages = get(async |Query(asked): Query<Asked>| {
            Json(match asked.cursor.as_deref() {
                None => json!({"dead_letters": [], "next_cursor": "second"}),
                Some("second") => json!({"dead_letters": [1], "next_cursor": "third"}),
                Some(_) => json!({"dead_letters": [2], "next_cursor": null}),
            })
        });
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let _server = tokio::spawn(async move {
            axum::serve(listener, Router::new().route("/v1/dead-letters", pages)).await
        });
        let api = Api::new(Some(&url), &Vars::from_iter([("", ""); 0])).unwrap();
        let all = api.pages(Call::get(["dead-letters"]), "dead_letters", 50, |_| {}).await.unwrap();
        assert_eq!(all, json!({"dead_letters": [1, 2], "next_cursor": null}));
    }
}

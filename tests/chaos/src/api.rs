//! The state as Joiner's own API tells it.

use std::{collections::BTreeMap, time::Duration};

use anyhow::{Context, bail};
use base64::{Engine, prelude::BASE64_STANDARD};
use futures_util::{StreamExt, TryStreamExt, stream};
use reqwest::StatusCode;
use serde_json::Value;
use tokio::time::{Instant, sleep};

use crate::{
    evidence::{Letter, Person, Place, Request, User},
    fleet::Fleet,
};

/// Questions at once.
const AT_ONCE: usize = 16;

/// Without faults, somebody has to answer within this time.
const PATIENCE: Duration = Duration::from_mins(1);

pub(crate) struct Api {
    fleet: Fleet,
    http: reqwest::Client,
}

impl Api {
    pub(crate) fn new(fleet: Fleet) -> Self {
        Self { fleet, http: okta::http_client(Duration::from_secs(10)) }
    }

    /// Each at least of the version that was written last, or as it is when `stale_limit` is over: for so long may a
    /// cache show an older one. Also says how many were old at first.
    pub(crate) async fn users(
        &self,
        written: &BTreeMap<String, u64>,
        stale_limit: Duration,
    ) -> anyhow::Result<(BTreeMap<String, User>, usize)> {
        let deadline = Instant::now() + stale_limit;
        let asked = stream::iter(written).map(|(employee, version)| async move {
            let mut was_stale = false;
            loop {
                let user = self
                    .get(&format!("/v1/users/{employee}"))
                    .await?
                    .map(|user| self::user(&user))
                    .transpose()?;
                let is_stale = user.as_ref().is_some_and(|user| user.version < *version);
                if !is_stale || Instant::now() > deadline {
                    return anyhow::Ok((employee.clone(), user, was_stale));
                }
                was_stale = true;
                sleep(Duration::from_millis(500)).await;
            }
        });
        let all: Vec<_> = asked.buffer_unordered(AT_ONCE).try_collect().await?;
        let stale = all.iter().filter(|(.., was_stale)| *was_stale).count();
        let users = all.into_iter().filter_map(|(employee, user, _)| Some((employee, user?)));
        Ok((users.collect(), stale))
    }

    pub(crate) async fn requests(
        &self,
        ids: impl Iterator<Item = String>,
    ) -> anyhow::Result<BTreeMap<String, Request>> {
        let asked = stream::iter(ids).map(|id| async move {
            let request = self.get(&format!("/v1/requests/{id}")).await?;
            anyhow::Ok((id, request.map(|request| self::request(&request)).transpose()?))
        });
        let all: Vec<_> = asked.buffer_unordered(AT_ONCE).try_collect().await?;
        Ok(all.into_iter().filter_map(|(id, request)| Some((id, request?))).collect())
    }

    pub(crate) async fn letters(&self) -> anyhow::Result<Vec<Letter>> {
        let first = "/v1/dead-letters?limit=100";
        let (mut ids, mut next) = (Vec::new(), Some(first.to_owned()));
        while let Some(path) = next {
            let page = self.get(&path).await?.context("there is no list of dead letters")?;
            let letters = page["dead_letters"].as_array().context("a list of dead letters without one")?;
            ids.extend(letters.iter().filter_map(|letter| Some(letter["id"].as_str()?.to_owned())));
            next = page["next_cursor"].as_str().map(|cursor| format!("{first}&cursor={cursor}"));
        }
        let asked = stream::iter(ids).map(|id| async move {
            let found = self.get(&format!("/v1/dead-letters/{id}")).await?;
            letter(id, &found.context("a letter of the list is not there")?)
        });
        asked.buffer_unordered(AT_ONCE).try_collect().await
    }

    /// `None` is a 404.
    async fn get(&self, path: &str) -> anyhow::Result<Option<Value>> {
        let deadline = Instant::now() + PATIENCE;
        loop {
            if let Some((status, body)) = self.ask(path).await {
                match status {
                    StatusCode::OK => return Ok(Some(body)),
                    StatusCode::NOT_FOUND => return Ok(None),
                    status if status.is_client_error() => bail!("{path} was answered {status}"),
                    _ => {}
                }
            }
            if Instant::now() > deadline {
                bail!("{path} was not answered within {PATIENCE:?}");
            }
            sleep(Duration::from_millis(200)).await;
        }
    }

    async fn ask(&self, path: &str) -> Option<(StatusCode, Value)> {
        let answer = self.http.get(format!("{}{path}", self.fleet.url()?)).send().await.ok()?;
        let status = answer.status();
        Some((status, answer.json().await.ok()?))
    }
}

/// As the API shows it, and as a fact does.
pub(crate) fn user(json: &Value) -> anyhow::Result<User> {
    let shown = ["name", "email", "title", "department", "status"].map(|name| (name, &json[name]));
    let details = ["office", "country"].map(|name| (name, &json["details"][name]));
    let fields = shown
        .into_iter()
        .chain(details)
        .filter_map(|(name, value)| Some((name.to_owned(), value.as_str()?.to_owned())));
    let has_left = match json["employmentStatus"].as_str() {
        Some("employed") => false,
        Some("terminated") => true,
        other => bail!("a user has an unknown employment: {other:?}"),
    };
    Ok(User {
        version: json["version"].as_u64().context("a user without a version")?,
        correlation_id: text(&json["correlationId"])?,
        person: Person { fields: fields.collect(), has_left },
        state: text(&json["enrichment"]["state"])?,
    })
}

fn request(json: &Value) -> anyhow::Result<Request> {
    let event = &json["events"][0];
    Ok(match (event["status"].as_str(), event["outcome"].as_str()) {
        (Some("accepted"), _) => Request::Accepted,
        (Some("failed"), _) => Request::Failed,
        (Some("enriched"), Some("changed")) => Request::Changed,
        (Some("enriched"), Some("nothing_new")) => Request::NothingNew,
        other => bail!("a request has an unknown state: {other:?}"),
    })
}

fn letter(id: String, json: &Value) -> anyhow::Result<Letter> {
    let origin = &json["origin"];
    let history = json["history"].as_array().context("a letter without a history")?;
    let value = match &json["payload"]["value"] {
        Value::Null => None,
        value => Some(match (value["text"].as_str(), value["base64"].as_str()) {
            (Some(text), _) => text.as_bytes().to_vec(),
            (None, Some(base64)) => BASE64_STANDARD.decode(base64)?,
            (None, None) => bail!("{id} has a value that is neither text nor base64"),
        }),
    };
    Ok(Letter {
        state: text(&json["state"])?,
        reason: text(&json["reason"])?,
        origin: Place {
            partition: origin["partition"]
                .as_i64()
                .and_then(|partition| partition.try_into().ok())
                .context("no partition")?,
            offset: origin["offset"].as_i64().context("no offset")?,
        },
        value,
        states: history.iter().map(|entry| text(&entry["state"])).collect::<Result<_, _>>()?,
        id,
    })
}

fn text(json: &Value) -> anyhow::Result<String> {
    json.as_str().map(str::to_owned).context("an answer of the API lacks a field")
}

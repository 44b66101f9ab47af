use std::{collections::BTreeMap, path::Path, time::Duration};

use anyhow::{Context, bail};
use base64::{Engine, prelude::BASE64_STANDARD};
use joiner::config;
use reqwest::Method;
use secrecy::ExposeSecret;
use serde::Deserialize;

use super::target;
use crate::cli::SendArgs;

/// An event of API Gateway, as far as a request can be made of it.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Event {
    raw_path: String,
    #[serde(default)]
    raw_query_string: String,
    #[serde(default)]
    headers: BTreeMap<String, String>,
    request_context: RequestContext,
    body: Option<String>,
    #[serde(default)]
    is_base64_encoded: bool,
}

#[derive(Deserialize)]
struct RequestContext {
    http: Http,
}

#[derive(Deserialize)]
struct Http {
    method: String,
}

/// Headers that describe the recorded connection, not the request.
const NOT_SENT: [&str; 4] = ["host", "content-length", "x-forwarded-for", "x-amzn-trace-id"];

pub(crate) async fn run(args: &SendArgs) -> anyhow::Result<()> {
    let shown = args.file.display();
    let text = std::fs::read(&args.file).with_context(|| format!("{shown} can't be read"))?;
    let Ok(mut event) = serde_json::from_slice::<Event>(&text) else {
        bail!(
            "{shown} is not an event of API Gateway: those are the events of functions that answer HTTP, such as \
             events/hr-webhook/new-hire.json"
        )
    };
    let vars = config::load(Path::new(".env"))?;
    let base = target::url(args.url.as_deref(), &vars)?;
    let mut url = base.clone();
    url.set_path(&event.raw_path);
    url.set_query(Some(event.raw_query_string.as_str()).filter(|query| !query.is_empty()));
    let method: Method = event.request_context.http.method.parse()?;

    let is_admins = method == Method::DELETE || event.raw_path.starts_with("/v1/dead-letter");
    let local: &[&str] = if is_admins { &["ADMIN_KEY", "API_KEY"] } else { &["API_KEY"] };
    if let Some(key) = target::key(&vars, local) {
        event.headers.entry("x-api-key".to_owned()).or_insert_with(|| key.expose_secret().to_owned());
    }

    let client = okta::http_client(Duration::from_secs(30));
    let mut request = client.request(method, url);
    for (name, value) in event.headers {
        if !NOT_SENT.contains(&name.to_lowercase().as_str()) {
            request = request.header(name, value);
        }
    }
    if let Some(body) = event.body {
        let body = if event.is_base64_encoded { BASE64_STANDARD.decode(body)? } else { body.into_bytes() };
        request = request.body(body);
    }
    let response = request.send().await;
    let response = response.with_context(|| format!("nothing answers at {base}: is `make dev` running?"))?;
    let status = response.status();
    println!("{status}");
    println!("{}", response.text().await?);
    if !status.is_success() {
        bail!("it was refused");
    }
    Ok(())
}

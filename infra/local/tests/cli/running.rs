//! A `joiner dev` that is ready, and what one does with it.

use std::time::Instant;

use futures_util::{StreamExt, stream::FuturesUnordered};
use reqwest::{RequestBuilder, StatusCode};
use serde_json::Value;
use tokio::runtime::{Builder, Runtime};

use crate::child::{Child, Ended, LIMIT, Start, joiner, repository};

pub(crate) struct Dev {
    child: Child,
    url: String,
    http: reqwest::Client,
    runtime: Runtime,
}

/// An HTTP answer, read whole.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) json: Value,
}

/// `joiner dev` with the project's template, on a free port.
pub(crate) fn dev() -> Start {
    dev_with_template(repository("template.yaml").to_str().expect("the repository's path is UTF-8"))
}

pub(crate) fn dev_with_template(template: &str) -> Start {
    joiner(&["dev", "--port", "0", "--template", template])
}

impl Start {
    pub(crate) fn ready(self) -> Dev {
        let mut child = self.starts();
        child.says("Ready in");
        let line = child.said().iter().find_map(|line| line.strip_prefix("  gateway   "));
        let url = line.expect("the gateway's line comes before the ready line").to_owned();
        let runtime = Builder::new_current_thread().enable_all().build();
        Dev { child, url, http: okta::http_client(LIMIT), runtime: runtime.expect("a runtime can be made") }
    }
}

impl Dev {
    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    pub(crate) fn said(&self) -> &[String] {
        self.child.said()
    }

    /// Waits for a line on standard output that starts so.
    pub(crate) fn says(&mut self, start: &str) -> String {
        self.child.says(start)
    }

    pub(crate) fn get(&self, path: &str) -> Answer {
        self.calls(self.http.get(format!("{}{path}", self.url)))
    }

    /// Posts to the webhook, whatever it is.
    pub(crate) fn posts(&self, body: &str, headers: &[(&str, &str)]) -> Answer {
        self.calls(self.post(body.to_owned(), headers))
    }

    /// Posts a body that has to be accepted; returns its status URL.
    pub(crate) fn hires(&self, body: &Value, headers: &[(&str, &str)]) -> String {
        status_url(&self.posts(&body.to_string(), headers))
    }

    /// Wants the person to be forgotten; returns the command's status URL. The id needs no escapes in a path.
    pub(crate) fn forgets(&self, id: &str) -> String {
        status_url(&self.calls(self.http.delete(format!("{}/v1/users/{id}", self.url))))
    }

    /// Posts them all at once; returns their status URLs, in the order of the answers.
    pub(crate) fn hires_all(&self, bodies: &[Value]) -> Vec<String> {
        let posts = bodies.iter().map(|body| self.answer(self.post(body.to_string(), &[])));
        let answers = self.runtime.block_on(posts.collect::<FuturesUnordered<_>>().collect::<Vec<_>>());
        answers.into_iter().map(|answer| status_url(&answer.expect("it answers"))).collect()
    }

    /// Posts them all at once and interrupts the process at the first answer. Returns the status URLs of those that
    /// were accepted all the same.
    pub(crate) fn hires_and_is_interrupted(&self, bodies: &[Value]) -> Vec<String> {
        let posts = bodies.iter().map(|body| self.answer(self.post(body.to_string(), &[])));
        self.runtime.block_on(async {
            let mut answers = posts.collect::<FuturesUnordered<_>>();
            let first = answers.next().await;
            self.interrupt();
            let others = answers.collect::<Vec<_>>().await;
            let answers = first.into_iter().chain(others).flatten();
            answers.filter(|answer| answer.status == StatusCode::ACCEPTED).map(|a| status_url(&a)).collect()
        })
    }

    pub(crate) fn calls(&self, request: RequestBuilder) -> Answer {
        self.runtime.block_on(self.answer(request)).expect("it answers")
    }

    pub(crate) fn http(&self) -> &reqwest::Client {
        &self.http
    }

    /// Asks until the request has ended, one way or the other; returns its report.
    pub(crate) fn outcome(&self, status_url: &str) -> Value {
        self.until(status_url, |report| matches!(report["status"].as_str(), Some("enriched" | "failed")))
    }

    /// Asks until the answer fits.
    pub(crate) fn until(&self, path: &str, fits: impl Fn(&Value) -> bool) -> Value {
        let deadline = Instant::now() + LIMIT;
        loop {
            let Answer { json, .. } = self.get(path);
            if fits(&json) {
                return json;
            }
            assert!(Instant::now() < deadline, "{path} never fits: {json}");
        }
    }

    /// Ctrl-C.
    pub(crate) fn interrupt(&self) {
        self.child.signal("INT");
    }

    /// Waits for its end.
    pub(crate) fn ends(self) -> Ended {
        self.child.ends()
    }

    /// Ctrl-C, and it ends well.
    pub(crate) fn stops(self) -> Ended {
        self.interrupt();
        let ended = self.ends().well();
        assert_eq!(ended.stdout.last().map(String::as_str), Some("Stopped."), "{ended:#?}");
        ended
    }

    pub(crate) fn terminates(self) -> Ended {
        self.child.signal("TERM");
        self.ends()
    }

    fn post(&self, body: String, headers: &[(&str, &str)]) -> RequestBuilder {
        let url = format!("{}/v1/hr/webhook", self.url);
        let request = self.http.post(url).header("Content-Type", "application/json").body(body);
        headers.iter().fold(request, |request, (name, value)| request.header(*name, *value))
    }

    async fn answer(&self, request: RequestBuilder) -> reqwest::Result<Answer> {
        let response = request.send().await?;
        Ok(Answer { status: response.status(), json: response.json().await? })
    }
}

fn status_url(answer: &Answer) -> String {
    assert_eq!(answer.status, StatusCode::ACCEPTED, "{answer:?}");
    answer.json["status_url"].as_str().expect("a 202 has one").to_owned()
}

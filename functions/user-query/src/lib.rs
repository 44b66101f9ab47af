//! Answers what is asked of people and of requests (`routes.rs`), and whatever no route takes.

use api::{Api, Call, Problem, cursor::Signer, json, link_to_next, raw_json};
use aws::Aws;
use cache::Cache;
use contracts::{CorrelationId, Email, EmployeeId, Text};
use lambda_http::{Body, Request, Response, http::StatusCode};
use onboarding::{
    CheckHealth, FindRequest, Store,
    breakers::Reads,
    find_users::{self, FindUsers, Page},
    store::{self, Filter},
};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use runtime::{Clock, ConfigError, Vars, telemetry};

#[cfg(feature = "schema")]
mod describe;
mod routes;

use routes::{PATHS, ROUTES};

#[cfg(feature = "schema")]
pub use describe::describe;

#[derive(Debug, Clone)]
pub struct Function {
    api: Api<Self>,
    users: FindUsers,
    requests: FindRequest,
    reads: Reads,
    health: CheckHealth,
}

impl lambda::Function for Function {
    const NAME: &'static str = env!("CARGO_PKG_NAME");
    type Event = Request;

    fn from_vars(vars: &Vars, clock: Clock) -> Result<Self, ConfigError> {
        let aws = Aws::from_vars(vars)?;
        let cache = Cache::from_vars(vars, &aws)?;
        let store = Store::from_vars(vars, &aws)?;
        let reads = Reads::from_vars(vars, cache.clone(), clock)?;
        Ok(Self {
            api: Api::from_vars(Self::NAME, &ROUTES, vars, &aws, clock)?.catch_all(PATHS),
            users: FindUsers::new(
                store.clone(),
                reads.clone(),
                cache.clone(),
                Signer::from_vars(vars, &aws)?,
            ),
            requests: FindRequest::new(store.clone()),
            reads,
            health: CheckHealth::new(store, cache, clock),
        })
    }

    async fn handle(&self, request: Request) -> Response<Body> {
        self.api.serve(self, request).await
    }
}

impl Function {
    async fn user(&self, call: &Call) -> Result<Response<Body>, Problem> {
        let id = EmployeeId::parse(call.path("id")).map_err(|_| unknown_user())?;
        let found = self.users.get(&id).await.map_err(|error| away(&error))?;
        found.map(|user| raw_json(StatusCode::OK, user)).ok_or_else(unknown_user)
    }

    async fn history(&self, call: &Call) -> Result<Response<Body>, Problem> {
        let id = EmployeeId::parse(call.path("id")).map_err(|_| unknown_user())?;
        let page = self.users.history(&id, call.query("cursor"), call.limit()?).await.map_err(unread)?;
        let page = page.ok_or_else(unknown_user)?;
        let id = utf8_percent_encode(id.as_str(), NON_ALPHANUMERIC);
        Ok(answer(&page, "history", &format!("/v1/users/{id}/history"), &[("limit", call.query("limit"))]))
    }

    async fn list(&self, call: &Call) -> Result<Response<Body>, Problem> {
        let expected = "1 to 256 characters without control characters or outer spaces";
        let filter = Filter {
            department: call.parsed("department", expected, |text| Text::parse(text).ok())?,
            email: call.parsed("email", "an e-mail address", |text| Email::parse(text).ok())?,
        };
        let page = self.users.list(&filter, call.query("cursor"), call.limit()?).await.map_err(unread)?;
        let query = ["department", "email", "limit"].map(|name| (name, call.query(name)));
        Ok(answer(&page, "users", call.route(), &query))
    }

    async fn request(&self, call: &Call) -> Result<Response<Body>, Problem> {
        let unknown = || Problem {
            // A record that was accepted a moment ago may still be on its way.
            retry_after: Some(std::time::Duration::from_secs(1)),
            ..Problem::not_found(
                "request_not_found",
                "No event with this correlation id has been taken off the topic.",
            )
        };
        let id = CorrelationId::parse(call.path("id")).map_err(|_| unknown())?;
        let report = self.reads.read(self.requests.find(id)).await.map_err(|error| away(&error))?;
        report.map(|report| json(StatusCode::OK, &report)).ok_or_else(unknown)
    }

    async fn healthz(&self) -> Result<Response<Body>, Problem> {
        let health = self.health.check().await;
        Ok(json(health.status.http_status(), &health))
    }
}

/// A page as an object of its items, which are JSON already, and of the cursor of the next one.
fn answer(page: &Page, name: &str, path: &str, query: &[(&str, Option<&str>)]) -> Response<Body> {
    let next = serde_json::to_string(&page.next).expect("a string or nothing is JSON");
    let body = format!(r#"{{"{name}":[{}],"next_cursor":{next}}}"#, page.items.join(","));
    let mut response = raw_json(StatusCode::OK, body);
    if page.next.is_some() {
        link_to_next(&mut response, path, &[query, &[("cursor", page.next.as_deref())]].concat());
    }
    response
}

fn unknown_user() -> Problem {
    Problem::not_found("user_not_found", "There is no user with this id.")
}

fn unread(error: find_users::Error) -> Problem {
    match error {
        find_users::Error::Cursor(error) => error.into(),
        find_users::Error::Store(error) => away(&error),
    }
}

fn away(error: &store::Error) -> Problem {
    tracing::error!(error = telemetry::chain(error), "a query was not answered");
    Problem::unavailable()
}

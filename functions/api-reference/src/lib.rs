//! Answers how to call the API, as OpenAPI and as a page, and the JSON Schemas of the messages on Joiner's topics. All of it
//! is compiled in.

use std::sync::{Arc, LazyLock};

use api::{Api, Call, Problem, health::Readiness, json};
use aws::Aws;
use lambda_http::{Body, Request, Response, http::StatusCode};
use runtime::{Clock, ConfigError, Vars};
use serde::Serialize;

#[cfg(feature = "schema")]
mod describe;
mod document;
mod page;
mod routes;
mod schemas;

use document::Document;
use routes::ROUTES;
use schemas::{Schema, SchemaList};

#[cfg(feature = "schema")]
pub use describe::describe;

/// As `docs/openapi.yaml` has it.
const OPENAPI: &str = include_str!(concat!(env!("OUT_DIR"), "/openapi.json"));

#[derive(Debug, Clone)]
pub struct Function {
    api: Api<Self>,
    /// Made when it is asked for first.
    page: Arc<LazyLock<String>>,
}

/// Whether what is asked for can be answered: with nothing to wait for, always.
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(rename = "ReferenceHealth"))]
struct Health {
    status: Readiness,
}

impl lambda::Function for Function {
    const NAME: &'static str = env!("CARGO_PKG_NAME");
    type Event = Request;

    fn from_vars(vars: &Vars, clock: Clock) -> Result<Self, ConfigError> {
        let aws = Aws::from_vars(vars)?;
        Ok(Self {
            api: Api::from_vars(Self::NAME, &ROUTES, vars, &aws, clock)?,
            page: Arc::new(LazyLock::new(page::render)),
        })
    }

    async fn handle(&self, request: Request) -> Response<Body> {
        self.api.serve(self, request).await
    }
}

impl Function {
    fn reference(&self, call: &Call) -> Response<Body> {
        Document { media_type: "text/html; charset=utf-8", text: &self.page }.answer(call)
    }
}

fn openapi(call: &Call) -> Response<Body> {
    Document { media_type: "application/json", text: OPENAPI }.answer(call)
}

fn list(call: &Call) -> Response<Body> {
    let text = serde_json::to_string(&SchemaList::all()).expect("names and numbers are JSON");
    Document { media_type: "application/json", text: &text }.answer(call)
}

fn schema(call: &Call) -> Result<Response<Body>, Problem> {
    let found = Schema::find(call.path("subject"), call.path("version"));
    let schema = found.ok_or_else(|| {
        Problem::not_found("schema_not_found", "There is no message of this name and version.")
    })?;
    Ok(Document { media_type: "application/schema+json", text: schema.json }.answer(call))
}

fn healthz() -> Response<Body> {
    json(StatusCode::OK, &Health { status: Readiness::Ready })
}

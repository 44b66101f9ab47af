use api::{
    Problem,
    health::{Dependency, Readiness, Up, probe},
    json,
};
use lambda_http::{Body, Response};
use serde::Serialize;

use crate::Function;

/// Whether jobs can be stored and shown.
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(rename = "FactJobsHealth"))]
pub(crate) struct Health {
    status: Readiness,
    /// The table of jobs.
    store: Dependency,
}

impl Function {
    pub(crate) async fn healthz(&self) -> Result<Response<Body>, Problem> {
        let store = probe("store", self.store.ping()).await;
        let status = Readiness::of(Up { required: store.is_up(), optional: true });
        Ok(json(status.http_status(), &Health { status, store }))
    }
}

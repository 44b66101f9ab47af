use api::openapi::Description;
use lambda_http::http::StatusCode;
use serde_json::{Map, Value};

use crate::{Health, routes::ROUTES, schemas::SchemaList};

/// What [`Function`](crate::Function) answers.
pub fn describe(description: &mut Description) {
    description.add(&ROUTES);
    let _complete = description
        .operation("showReference", "How to call the API, as a page")
        .answers_as::<String>("text/html", StatusCode::OK, "For people.", &["ETag"])
        .can_be_revalidated();
    let _complete = description
        .operation("showOpenApi", "How to call the API, as OpenAPI 3.1")
        .answers_as::<Map<String, Value>>("application/json", StatusCode::OK, "This document.", &["ETag"])
        .can_be_revalidated();
    let _complete = description
        .operation("listSchemas", "The messages on Joiner's topics")
        .answers::<SchemaList>(StatusCode::OK, "All of them, by name, with their versions.", &["ETag"])
        .can_be_revalidated();
    let _complete = description
        .operation("showSchema", "The JSON Schema of a message")
        .description(
            "`subject` is the topic, or the type of the CloudEvents that share one; `version` a number, or `latest`. What \
             is added to a version later breaks nothing: docs/api-versions.md.",
        )
        .path::<String>("subject", "user.enrichment.requested")
        .path::<String>("version", "latest")
        .answers_as::<Map<String, Value>>(
            "application/schema+json",
            StatusCode::OK,
            "JSON Schema, draft 2020-12.",
            &["ETag"],
        )
        .can_be_revalidated()
        .refuses(StatusCode::NOT_FOUND, "`schema_not_found`", &[]);
    let _complete = description
        .operation("checkReferenceHealth", "Whether the reference can be answered")
        .answers::<Health>(StatusCode::OK, "It can: it rests on nothing.", &[]);
}

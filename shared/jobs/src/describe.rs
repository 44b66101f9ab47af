//! What the routes of jobs answer, whichever feature's they are.

use api::openapi::{Description, Operation};
use lambda_http::http::StatusCode;
use schemars::JsonSchema;

use crate::{Job, JobId, JobList};

const JOB: &str = "01968f2e-7c00-7000-8000-000000000001";

/// What a function calls its operations.
#[derive(Debug, Clone, Copy)]
pub struct Operations {
    pub start: &'static str,
    pub list: &'static str,
    pub show: &'static str,
    pub stop: &'static str,
    pub resume: &'static str,
}

/// Of jobs with tasks like `T`. How one is started is the feature's to say; it is returned to be described further.
#[must_use]
pub fn describe<'a, T: JsonSchema>(
    description: &'a mut Description,
    of: &Operations,
    start: &'static str,
) -> Operation<'a> {
    let _complete = operation(description, of.list, "Jobs")
        .pages()
        .answers::<JobList<T>>(StatusCode::OK, "The newest first.", &[])
        .refuses(StatusCode::BAD_REQUEST, "`invalid_parameter`, `invalid_cursor`", &[]);
    let each = [
        (of.show, "A job and how far it is", "As it is."),
        (of.stop, "Stops a job after its slice", "Stopped, if it was not done."),
        (of.resume, "Lets a stopped job go on", "Running, if it was not done."),
    ];
    for (id, summary, answer) in each {
        let _complete = operation(description, id, summary)
            .path::<JobId>("id", JOB)
            .answers::<Job<T>>(StatusCode::OK, answer, &[])
            .refuses(StatusCode::NOT_FOUND, "`job_not_found`", &[]);
    }
    operation(description, of.start, start)
        .answers::<Job<T>>(StatusCode::ACCEPTED, "Started; small ones may be done already.", &[])
        .leads_to(StatusCode::ACCEPTED, of.show, "id", "/id")
        .leads_to(StatusCode::ACCEPTED, of.stop, "id", "/id")
        .leads_to(StatusCode::ACCEPTED, of.resume, "id", "/id")
        .refuses(StatusCode::UNPROCESSABLE_ENTITY, "`invalid_fields`: `errors` lists each.", &[])
}

fn operation<'a>(description: &'a mut Description, id: &str, summary: &'static str) -> Operation<'a> {
    description.operation(id, summary).may_be_unavailable()
}

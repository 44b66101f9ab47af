use api::openapi::Description;
use facts::Task;
use jobs::Operations;
use lambda_http::http::StatusCode;

use crate::{health::Health, routes::ROUTES};

const TASKS: [(&str, &str); 2] = [
    ("everybody", r#"{"action": "republish"}"#),
    ("slowly", r#"{"action": "republish", "subjects": "user", "per_second": 20}"#),
];

/// What [`Function`](crate::Function) answers.
pub fn describe(description: &mut Description) {
    description.add(&ROUTES);
    let of = Operations {
        start: "startFactJob",
        list: "listFactJobs",
        show: "showFactJob",
        stop: "stopFactJob",
        resume: "resumeFactJob",
    };
    let start = "Publishes once more what was told of everybody's present version";
    let _complete = jobs::describe::<Task>(description, &of, start)
        .description(
            "For whoever has just begun to read `joiner.events`: docs/facts.md. The facts have the ids that they had, so \
             that those who know them can drop them. It begins within a minute.",
        )
        .body::<Task>(&TASKS)
        .refuses(StatusCode::BAD_REQUEST, "`malformed_json`", &[]);
    let _complete = description
        .operation("checkFactJobsHealth", "Whether jobs on facts can be stored and shown")
        .answers::<Health>(StatusCode::OK, "They can.", &[])
        .answers::<Health>(StatusCode::SERVICE_UNAVAILABLE, "The table of jobs doesn't answer.", &[]);
}

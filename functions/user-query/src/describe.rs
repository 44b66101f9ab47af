use api::openapi::Description;
use contracts::EnrichedUser;
use contracts::{CorrelationId, Email, EmployeeId, Text};
use lambda_http::http::StatusCode;
use onboarding::{Health, HistoryItem, RequestReport};
use serde::Serialize;

use crate::routes::ROUTES;

/// As the function writes it.
#[derive(Serialize, schemars::JsonSchema)]
struct UserList {
    users: Vec<EnrichedUser>,
    next_cursor: Option<String>,
}

/// As the function writes it.
#[derive(Serialize, schemars::JsonSchema)]
struct History {
    history: Vec<HistoryItem>,
    next_cursor: Option<String>,
}

/// What [`Function`](crate::Function) answers.
pub fn describe(description: &mut Description) {
    description.add(&ROUTES);
    let _complete = description
        .operation("listUsers", "People, by employee id")
        .query::<Text>("department", "Only this department; case is ignored.")
        .query::<Email>("email", "Only with this address; case is ignored.")
        .pages()
        .answers::<UserList>(StatusCode::OK, "A page of them.", &["Link"])
        .refuses(StatusCode::BAD_REQUEST, "`invalid_parameter`, `invalid_cursor`", &[])
        .may_be_unavailable();
    let _complete = description
        .operation("showUser", "A person's full profile")
        .path::<EmployeeId>("id", "E2001")
        .answers::<EnrichedUser>(StatusCode::OK, "As it was last stored.", &[])
        .refuses(StatusCode::NOT_FOUND, "`user_not_found`", &[])
        .may_be_unavailable();
    let _complete = description
        .operation("showHistory", "What changed of a person, and by which event")
        .path::<EmployeeId>("id", "E2001")
        .pages()
        .answers::<History>(StatusCode::OK, "A page of events, the newest first.", &["Link"])
        .refuses(StatusCode::BAD_REQUEST, "`invalid_parameter`, `invalid_cursor`", &[])
        .refuses(StatusCode::NOT_FOUND, "`user_not_found`", &[])
        .may_be_unavailable();
    let _complete = description
        .operation("showRequest", "What became of an accepted event")
        .description("Kept for 30 days. `id` is the correlation id of the request that was accepted.")
        .path::<CorrelationId>("id", "hr-job-42")
        .answers::<RequestReport>(StatusCode::OK, "One event, or several if the id was used again.", &[])
        .refuses(
            StatusCode::NOT_FOUND,
            "`request_not_found`: the event has not been taken off its topic, yet or ever.",
            &["Retry-After"],
        )
        .may_be_unavailable();
    for (id, summary) in [
        ("checkUsersHealth", "Whether queries can be answered"),
        ("checkHealth", "The same as /v1/users/healthz"),
    ] {
        let _complete = description
            .operation(id, summary)
            .description(
                "Okta is not asked: `okta` is how it was when the enrichment asked it last, in the last five minutes.",
            )
            .answers::<Health>(StatusCode::OK, "They can; `degraded` while the cache or Okta is away.", &[])
            .answers::<Health>(StatusCode::SERVICE_UNAVAILABLE, "They can't.", &[]);
    }
}

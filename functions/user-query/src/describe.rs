use api::openapi::{Description, Key, Operation};
use contracts::{CorrelationId, Email, EmployeeId, Text};
use lambda_http::http::{Method, StatusCode};
use onboarding::{EnrichedUser, Health, HistoryItem, RequestReport};
use serde::Serialize;

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
    let _complete = get(description, "/v1/users", "listUsers", "People, by employee id")
        .key(Key::Api)
        .query::<Text>("department", "Only this department; case is ignored.")
        .query::<Email>("email", "Only with this address; case is ignored.")
        .pages()
        .answers::<UserList>(StatusCode::OK, "A page of them.", &["Link"])
        .refuses(StatusCode::BAD_REQUEST, "`invalid_parameter`, `invalid_cursor`", &[])
        .may_be_unavailable();
    let _complete = get(description, "/v1/users/{id}", "showUser", "A person's full profile")
        .key(Key::Api)
        .path::<EmployeeId>("id", "E2001")
        .answers::<EnrichedUser>(StatusCode::OK, "As it was last stored.", &[])
        .refuses(StatusCode::NOT_FOUND, "`user_not_found`", &[])
        .may_be_unavailable();
    let _complete = get(
        description,
        "/v1/users/{id}/history",
        "showHistory",
        "What changed of a person, and by which event",
    )
    .key(Key::Api)
    .path::<EmployeeId>("id", "E2001")
    .pages()
    .answers::<History>(StatusCode::OK, "A page of events, the newest first.", &["Link"])
    .refuses(StatusCode::BAD_REQUEST, "`invalid_parameter`, `invalid_cursor`", &[])
    .refuses(StatusCode::NOT_FOUND, "`user_not_found`", &[])
    .may_be_unavailable();
    let _complete = get(description, "/v1/requests/{id}", "showRequest", "What became of an accepted event")
        .description("Kept for 30 days. `id` is the correlation id of the request that was accepted.")
        .key(Key::Api)
        .path::<CorrelationId>("id", "hr-job-42")
        .answers::<RequestReport>(StatusCode::OK, "One event, or several if the id was used again.", &[])
        .refuses(
            StatusCode::NOT_FOUND,
            "`request_not_found`: the event has not been taken off its topic, yet or ever.",
            &["Retry-After"],
        )
        .may_be_unavailable();
    let _complete = get(description, "/v1/healthz", "checkHealth", "Whether queries can be answered")
        .key(Key::Nobodys)
        .description(
            "Okta is not asked: `okta` is how it was when the enrichment asked it last, in the last five minutes.",
        )
        .answers::<Health>(StatusCode::OK, "They can; `degraded` while the cache or Okta is away.", &[])
        .answers::<Health>(StatusCode::SERVICE_UNAVAILABLE, "They can't.", &[]);
}

fn get<'a>(
    description: &'a mut Description,
    path: &'static str,
    id: &'static str,
    summary: &'static str,
) -> Operation<'a> {
    description.operation(&Method::GET, path, id, summary)
}

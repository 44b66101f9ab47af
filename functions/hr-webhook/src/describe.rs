use api::openapi::Description;
use contracts::EmployeeId;
use lambda_http::http::StatusCode;
use onboarding::accept;

use crate::{Accepted, health::Health, routes::ROUTES};

const EXAMPLES: [(&str, &str); 2] = [
    (
        "least",
        r#"{"employee_id": "E1", "first_name": "Ada", "last_name": "Lovelace", "email": "ada@acme.example"}"#,
    ),
    ("most", include_str!("../../../events/hr-webhook/full-profile.body.json")),
];

/// What [`Function`](crate::Function) answers.
pub fn describe(description: &mut Description) {
    description.add(&ROUTES);
    let _complete = description
        .operation("acceptEvent", "Takes an HR event")
        .description(
            "Fields that are not named here are ignored; outer spaces are dropped. Each field keeps the value that was \
             stated last, by `occurred_at`, then by receipt; a repeated event, by `event_id`, changes nothing.",
        )
        .header(
            "Idempotency-Key",
            "A request that is sent again under its key is done once and gets its first answer again, for a day \
             (draft-ietf-httpapi-idempotency-key-header); after it the same key is a new request. Each API key has \
             keys of its own. 1 to 255 visible ASCII characters in double quotes; without \
             spaces, quotes, commas and semicolons they may go without the quotes.",
            r#"^("([ !#-\[\]-~]|\\["\\]){1,255}"|[!#-+\--:<-~]{1,255})$"#,
            "\"8e03978e-40d5-43dd-bc93-6894a57f9324\"",
        )
        .body::<accept::HrEvent>(&EXAMPLES)
        .answers::<Accepted<'static>>(
            StatusCode::ACCEPTED,
            "It is on the brokers' disk quorum. `status_url` says what becomes of it.",
            &["Idempotency-Replayed"],
        )
        .leads_to(StatusCode::ACCEPTED, "showRequest", "id", "/correlation_id")
        .refuses(StatusCode::BAD_REQUEST, "`malformed_json`, `idempotency_key_malformed`", &[])
        .refuses(
            StatusCode::CONFLICT,
            "`idempotency_key_in_flight`: the first request with this key is still being worked on.",
            &["Retry-After"],
        )
        .refuses(
            StatusCode::UNPROCESSABLE_ENTITY,
            "`invalid_fields`: `errors` lists each. `idempotency_key_reused`: the key came with another body.",
            &[],
        )
        .may_be_unavailable();
    let _complete = description
        .operation("forgetUser", "Forgets a person")
        .description(
            "Everything that was received of the person until now is deleted: the profile, its history, and what their \
             dead letters hold. Only another hire brings the person back. What stays on the topics goes with their \
             retention.",
        )
        .path::<EmployeeId>("id", "E2001")
        .answers::<Accepted<'static>>(StatusCode::ACCEPTED, "It will be done, in its place among the person's events.", &[])
        .leads_to(StatusCode::ACCEPTED, "showRequest", "id", "/correlation_id")
        .refuses(StatusCode::NOT_FOUND, "`user_not_found`: nobody can have this id.", &[])
        .may_be_unavailable();
    let _complete = description
        .operation("checkWebhookHealth", "Whether an event would be taken")
        .answers::<Health>(
            StatusCode::OK,
            "It would; `degraded` while the table of `Idempotency-Key`s is away, as repeats are not known then.",
            &[],
        )
        .answers::<Health>(StatusCode::SERVICE_UNAVAILABLE, "The brokers don't answer for the topic.", &[]);
}

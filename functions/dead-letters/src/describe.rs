use api::openapi::{Description, Operation};
use contracts::{EmployeeId, Reason};
use dlq::{Fingerprint, LetterId, LetterState, Task};
use jiff::Timestamp;
use lambda_http::http::StatusCode;
use onboarding::accept;
use schemars::JsonSchema;
use serde::Serialize;

use crate::{
    act::{Discarding, Edited},
    dry_run::{DryRun, Foreseen, ForeseenEdit},
    health::Health,
    routes::ROUTES,
    show::{AuditLog, CountedGroup, GroupList, Letter, LetterList, LetterWithPayload},
};

const LETTER: &str = "0123456789abcdef0123456789abcdef";
const GROUP: &str = "0123456789abcdef";
const DISCARD: &str = r#"{"because": "hired by mistake"}"#;
const TASKS: [(&str, &str); 2] = [
    ("redrive", r#"{"action": "redrive", "filter": {"group": "0123456789abcdef"}}"#),
    (
        "discard",
        r#"{"action": "discard", "because": "a test's", "filter": {"state": "parked"}, "per_second": 10}"#,
    ),
];
const EVENT: &str =
    r#"{"employee_id": "E1", "first_name": "Ada", "last_name": "Lovelace", "email": "ada@acme.example"}"#;

/// As the function writes it.
#[derive(Serialize, JsonSchema)]
#[serde(untagged)]
#[expect(dead_code, reason = "only its schema is needed")]
enum Discarded {
    Letter(Letter<'static>),
    DryRun(Foreseen),
}

/// What [`Function`](crate::Function) answers.
pub fn describe(description: &mut Description) {
    description.add(&ROUTES);
    health(description);
    letters(description);
    acts(description);
    groups(description);
    jobs(description);
    let _complete = operation(description, "listAudit", "What people did to dead letters")
        .pages()
        .answers::<AuditLog>(StatusCode::OK, "The newest first.", &[])
        .refuses(StatusCode::BAD_REQUEST, "`invalid_parameter`, `invalid_cursor`", &[]);
}

fn letters(description: &mut Description) {
    let _complete = operation(description, "listDeadLetters", "What could not be processed, and why")
        .query::<LetterState>("state", "Only in this state.")
        .query::<Reason>("reason", "Only those that failed for this.")
        .query::<Fingerprint>("group", "Only those of one cause.")
        .query::<EmployeeId>("employee_id", "Only a person's.")
        .query::<Timestamp>("parked_after", "Parked at this time or later.")
        .query::<Timestamp>("parked_before", "Parked earlier than this.")
        .pages()
        .answers::<LetterList<'static>>(
            StatusCode::OK,
            "A page of them, the newest first. One that is short, or empty, is the last only if it has no \
                 `next_cursor`: of letters that few share, so many are read at once.",
            &["Link"],
        )
        .refuses(StatusCode::BAD_REQUEST, "`invalid_parameter`, `invalid_cursor`", &[]);
    let _complete = operation(description, "showDeadLetter", "A letter, its history and its record")
        .path::<LetterId>("id", LETTER)
        .answers::<LetterWithPayload<'static>>(StatusCode::OK, "As it is.", &[])
        .refuses(StatusCode::NOT_FOUND, "`dead_letter_not_found`", &[]);
}

fn acts(description: &mut Description) {
    let redrive = "Puts the record on its topic again";
    let _complete = operation(description, "redriveDeadLetter", redrive)
        .path::<LetterId>("id", LETTER)
        .dry_run()
        .answers::<Foreseen>(StatusCode::OK, "A dry run: what would happen.", &[])
        .answers::<Letter<'static>>(StatusCode::ACCEPTED, "It is on its way.", &[])
        .refuses(StatusCode::BAD_REQUEST, "`invalid_parameter`", &[])
        .refuses(StatusCode::NOT_FOUND, "`dead_letter_not_found`", &[])
        .refuses(StatusCode::CONFLICT, "`wrong_state`, `value_left_out`, `payload_gone`", &[]);
    let edit = "Puts another event in the place of what failed, and redrives it";
    let _complete = operation(description, "editDeadLetter", edit)
        .description("The same event of the same person, and as old: `event_id` and `occurred_at` are those that failed.")
        .path::<LetterId>("id", LETTER)
        .dry_run()
        .body::<accept::HrEvent>(&[("least", EVENT)])
        .answers::<ForeseenEdit<'static>>(StatusCode::OK, "A dry run: what would happen.", &[])
        .answers::<Edited<'static>>(StatusCode::ACCEPTED, "It is on its way.", &[])
        .refuses(StatusCode::BAD_REQUEST, "`malformed_json`, `invalid_parameter`", &[])
        .refuses(StatusCode::NOT_FOUND, "`dead_letter_not_found`", &[])
        .refuses(StatusCode::CONFLICT, "`wrong_state`, `payload_gone`", &[])
        .refuses(StatusCode::UNPROCESSABLE_ENTITY, "`invalid_fields`: `errors` lists each.", &[]);
    let discard = "Discards a letter";
    let _complete = operation(description, "discardDeadLetter", discard)
        .description("It is kept for 30 days; a redrive takes it back.")
        .path::<LetterId>("id", LETTER)
        .dry_run()
        .body::<Discarding>(&[("reason", DISCARD)])
        .answers::<Discarded>(StatusCode::OK, "Discarded; of a dry run, what would happen.", &[])
        .refuses(StatusCode::BAD_REQUEST, "`malformed_json`, `invalid_parameter`", &[])
        .refuses(StatusCode::NOT_FOUND, "`dead_letter_not_found`", &[])
        .refuses(StatusCode::CONFLICT, "`wrong_state`", &[])
        .refuses(StatusCode::UNPROCESSABLE_ENTITY, "`invalid_fields`: `errors` lists each.", &[]);
}

fn groups(description: &mut Description) {
    let _complete = operation(description, "listGroups", "Letters by cause")
        .pages()
        .answers::<GroupList>(
            StatusCode::OK,
            "A page of groups, with how many letters are in which state: `at_least` so many, of a large one.",
            &[],
        )
        .refuses(StatusCode::BAD_REQUEST, "`invalid_parameter`, `invalid_cursor`", &[]);
    let _complete = operation(description, "showGroup", "The letters of one cause")
        .path::<Fingerprint>("id", GROUP)
        .answers::<CountedGroup>(StatusCode::OK, "As it is.", &[])
        .refuses(StatusCode::NOT_FOUND, "`group_not_found`", &[]);
}

fn jobs(description: &mut Description) {
    let of = jobs::Operations {
        start: "startJob",
        list: "listJobs",
        show: "showJob",
        stop: "stopJob",
        resume: "resumeJob",
    };
    let start = "Redrives or discards all letters that a filter fits";
    let _complete = jobs::describe::<Task>(description, &of, start)
        .description(
            "Letters that are over or on their way are left alone, unless the filter names their state. A dry run that \
             has no time left says `unknown` of the letters that it didn't look at.",
        )
        .dry_run()
        .pages()
        .body::<Task>(&TASKS)
        .answers::<DryRun>(
            StatusCode::OK,
            "A dry run: what would happen, a page at a time. The last one has no `next_cursor`; any may be short or empty.",
            &[],
        )
        .refuses(StatusCode::BAD_REQUEST, "`malformed_json`, `invalid_parameter`, `invalid_cursor`", &[]);
}

fn health(description: &mut Description) {
    let _complete = description
        .operation("checkDeadLettersHealth", "Whether dead letters can be read and acted on")
        .answers::<Health>(
            StatusCode::OK,
            "They can; `degraded` while the brokers are away, as redrives wait then.",
            &[],
        )
        .answers::<Health>(StatusCode::SERVICE_UNAVAILABLE, "The table of dead letters doesn't answer.", &[]);
}

fn operation<'a>(description: &'a mut Description, id: &str, summary: &'static str) -> Operation<'a> {
    description.operation(id, summary).may_be_unavailable()
}

use api::{
    Route,
    Scope::{DeadLettersRead as Read, DeadLettersWrite as Write},
};

use crate::Function;

type Row = Route<Function>;

pub(crate) static ROUTES: [Row; 14] = [
    Row::get("/v1/dead-letters", "listDeadLetters", Read, |f, call| Box::pin(f.list(call))).query(&[
        "state",
        "reason",
        "group",
        "employee_id",
        "parked_after",
        "parked_before",
        "limit",
        "cursor",
    ]),
    Row::get("/v1/dead-letters/{id}", "showDeadLetter", Read, |f, call| Box::pin(f.show(call))),
    Row::post("/v1/dead-letters/{id}/redrive", "redriveDeadLetter", Write, |f, call| {
        Box::pin(f.redrive(call))
    })
    .query(&["dry_run"]),
    Row::post("/v1/dead-letters/{id}/edit", "editDeadLetter", Write, |f, call| Box::pin(f.edit(call)))
        .query(&["dry_run"]),
    Row::post("/v1/dead-letters/{id}/discard", "discardDeadLetter", Write, |f, call| {
        Box::pin(f.discard(call))
    })
    .query(&["dry_run"]),
    Row::get("/v1/dead-letter-groups", "listGroups", Read, |f, call| Box::pin(f.groups(call)))
        .query(&["limit", "cursor"]),
    Row::get("/v1/dead-letter-groups/{id}", "showGroup", Read, |f, call| Box::pin(f.group(call))),
    Row::get("/v1/dead-letter-jobs", "listJobs", Read, |f, call| Box::pin(f.list_jobs(call)))
        .query(&["limit", "cursor"]),
    Row::post("/v1/dead-letter-jobs", "startJob", Write, |f, call| Box::pin(f.start_job(call)))
        .query(&["dry_run", "limit", "cursor"]),
    Row::get("/v1/dead-letter-jobs/{id}", "showJob", Read, |f, call| Box::pin(f.show_job(call))),
    Row::post("/v1/dead-letter-jobs/{id}/stop", "stopJob", Write, |f, call| Box::pin(f.stop_job(call))),
    Row::post("/v1/dead-letter-jobs/{id}/resume", "resumeJob", Write, |f, call| Box::pin(f.resume_job(call))),
    Row::get("/v1/dead-letter-audit", "listAudit", Read, |f, call| Box::pin(f.audit(call)))
        .query(&["limit", "cursor"]),
    Row::open("/v1/dead-letters/healthz", "checkDeadLettersHealth", |f, _| Box::pin(f.healthz())),
];

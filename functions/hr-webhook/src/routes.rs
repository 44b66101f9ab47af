use api::{
    Route,
    Scope::{HrWrite, UsersErase},
};

use crate::Function;

type Row = Route<Function>;

pub(crate) static ROUTES: [Row; 3] = [
    Row::post("/v1/hr/webhook", "acceptEvent", HrWrite, |f, call| Box::pin(f.take(call))),
    // A command among a person's events, so it is published by whoever publishes those.
    Row::delete("/v1/users/{id}", "forgetUser", UsersErase, |f, call| Box::pin(f.forget(call))),
    Row::open("/v1/hr/healthz", "checkWebhookHealth", |f, _| Box::pin(f.healthz())),
];

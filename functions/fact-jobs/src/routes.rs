use api::{
    Route,
    Scope::{FactsRead as Read, FactsWrite as Write},
};

use crate::Function;

type Row = Route<Function>;

pub(crate) static ROUTES: [Row; 6] = [
    Row::get("/v1/fact-jobs", "listFactJobs", Read, |f, call| Box::pin(f.list(call)))
        .query(&["limit", "cursor"]),
    Row::post("/v1/fact-jobs", "startFactJob", Write, |f, call| Box::pin(f.start(call))),
    Row::get("/v1/fact-jobs/{id}", "showFactJob", Read, |f, call| Box::pin(f.show(call))),
    Row::post("/v1/fact-jobs/{id}/stop", "stopFactJob", Write, |f, call| Box::pin(f.stop(call))),
    Row::post("/v1/fact-jobs/{id}/resume", "resumeFactJob", Write, |f, call| Box::pin(f.resume(call))),
    Row::open("/v1/fact-jobs/healthz", "checkFactJobsHealth", |f, _| Box::pin(f.healthz())),
];

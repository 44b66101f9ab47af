use api::{Route, Scope::UsersRead};

use crate::Function;

type Row = Route<Function>;

pub(crate) static ROUTES: [Row; 6] = [
    Row::get("/v1/users", "listUsers", UsersRead, |f, call| Box::pin(f.list(call))).query(&[
        "department",
        "email",
        "limit",
        "cursor",
    ]),
    Row::get("/v1/users/{id}", "showUser", UsersRead, |f, call| Box::pin(f.user(call))),
    Row::get("/v1/users/{id}/history", "showHistory", UsersRead, |f, call| Box::pin(f.history(call)))
        .query(&["limit", "cursor"]),
    Row::get("/v1/requests/{id}", "showRequest", UsersRead, |f, call| Box::pin(f.request(call))),
    Row::open("/v1/users/healthz", "checkUsersHealth", |f, _| Box::pin(f.healthz())),
    // What it was called before there were others.
    Row::open("/v1/healthz", "checkHealth", |f, _| Box::pin(f.healthz())),
];

/// Every route of the API, written by `make openapi`.
pub(crate) const PATHS: &str = include_str!("routes.txt");

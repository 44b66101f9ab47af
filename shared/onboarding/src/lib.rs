#![doc = include_str!("../README.md")]

pub mod accept;
mod check_health;
pub mod enrich;
mod fail_request;
mod find_request;
pub mod find_users;
mod foresee;
mod merge;
mod okta_health;
mod order;
mod request;
mod retry;
pub mod store;
mod user;

pub use check_health::{CheckHealth, Health};
pub use fail_request::FailRequest;
pub use find_request::{FindRequest, RequestReport};
pub use foresee::{Foresee, Foresight};
pub use okta_health::{LastAsked, OktaHealth, OktaOutcome, OktaStatus};
pub use request::{Outcome, RequestEvent, RequestState};
pub use retry::RetryPolicy;
pub use store::Store;
pub use user::{Application, EmploymentStatus, EnrichedUser, Group, StoredUser};

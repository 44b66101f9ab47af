#![doc = include_str!("../README.md")]

pub mod accept;
mod ask;
mod change;
mod check_health;
mod claim;
mod completion;
mod converge;
mod dead_letters;
mod directory;
pub mod enrich;
mod entry;
mod fail_request;
mod find_request;
pub mod find_users;
mod foresee;
mod noted;
mod okta_health;
mod person;
mod profile;
mod registers;
mod republish;
mod request;
mod request_events;
mod retry;
pub mod store;
#[cfg(test)]
mod tests;
mod told;

pub use change::Change;
pub use check_health::{CheckHealth, Health};
pub use completion::{Completion, CompletionTimes};
pub use dead_letters::{FollowLetters, RepairLetters};
pub use directory::{Account, Directory};
pub use entry::Entry;
pub use find_request::{FindRequest, RequestReport};
pub use find_users::HistoryItem;
pub use okta_health::{LastAsked, OktaHealth, OktaOutcome, OktaStatus};
pub use person::{Forgotten, Person};
pub use registers::{Position, Registers};
pub use republish::Republish;
pub use request::{RequestEvent, RequestState};
pub use request_events::RequestEvents;
pub use retry::RetryPolicy;
pub use store::Store;

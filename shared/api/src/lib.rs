#![doc = include_str!("../README.md")]

mod access;
mod answer;
mod body;
mod call;
pub mod cursor;
pub mod health;
mod key;
#[cfg(feature = "schema")]
pub mod openapi;
mod problem;
mod serve;

pub use access::warn_if_open;
pub use answer::{json, link_to_next, raw_json};
pub use body::object;
pub use call::Call;
pub use key::Caller;
pub use problem::{Fault, Problem};
pub use serve::{Api, CORRELATION_ID, route_of};

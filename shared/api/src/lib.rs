#![doc = include_str!("../README.md")]

mod access;
mod answer;
mod body;
mod call;
pub mod cursor;
mod headers;
pub mod health;
mod key;
#[cfg(feature = "schema")]
pub mod openapi;
mod paths;
mod principal;
mod problem;
mod route;
mod scope;
mod serve;

pub use access::warn_if_open;
pub use answer::{json, link_to_next, raw_json};
pub use body::object;
pub use call::{Call, MAX_BODY_BYTES};
pub use headers::CORRELATION_ID;
pub use principal::{Kind, Principal};
pub use problem::{Fault, Problem};
pub use route::{Answering, Deprecation, Handler, Route};
pub use scope::Scope;
pub use serve::Api;

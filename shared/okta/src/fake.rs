//! A directory that behaves like Okta's, served over HTTP: it checks tokens, pages, limits rates, and its search
//! index lags behind. For tests and the local cloud.
//!
//! [`Directory`] is the state, which whoever holds it can change at any time; [`serve`] and [`Server`] answer from
//! it. [`Behaviour`] is how it does in general, [`Fault`] what goes wrong with one request.

mod answer;
mod behaviour;
mod company;
mod directory;
mod names;
mod person;
mod random;
mod routes;
mod server;
mod tag;
mod traffic;

pub use behaviour::{Behaviour, Fault};
pub use directory::Directory;
pub use person::Person;
pub use server::{Server, Token, serve};

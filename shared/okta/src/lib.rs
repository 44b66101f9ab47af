#![doc = include_str!("../README.md")]

mod answer;
mod client;
mod config;
mod error;
#[cfg(feature = "fake")]
pub mod fake;
mod link;
mod model;
mod trace;

pub use client::{Client, http_client};
pub use config::{Config, is_private};
pub use error::{Error, Limit};
pub use model::{AppLink, Group, GroupProfile, Profile, User, UserStatus};

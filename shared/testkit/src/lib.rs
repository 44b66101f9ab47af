#![doc = include_str!("../README.md")]
#![expect(clippy::missing_panics_doc, clippy::unwrap_used, reason = "a test that can't go on has failed")]

mod config;
mod employee;
mod hr;
mod storage;
mod told;
mod world;

pub use employee::Employee;
pub use hr::Hr;
pub use joiner::Reading;
pub use told::Told;
pub use world::{Answer, Setup, World, path_of};

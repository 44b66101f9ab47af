#![doc = include_str!("../README.md")]

mod config;
#[cfg(feature = "embedded")]
pub mod embedded;
mod error;
mod item;
pub mod rows;
mod table;
mod transaction;

pub use aws_sdk_dynamodb::Client;

pub use config::{Config, client};
pub use error::Error;
pub use item::{
    Inserted, Put, Written, from_item, from_items, insert, insert_or_known, put, replace, to_item,
    unless_condition_failed,
};
pub use table::{Index, TableSpec, delete, ensure, ping};
pub use transaction::{Committed, Transaction};

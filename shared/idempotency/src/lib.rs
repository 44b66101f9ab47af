#![doc = include_str!("../README.md")]

mod config;
mod entry;
mod key;
mod keyed;
mod memory;
mod store;

pub use config::Config;
pub use key::Malformed;
pub use keyed::Keyed;
pub use memory::Memory;

#[cfg(test)]
mod tests;

#![doc = include_str!("../README.md")]

mod find;
mod letter;
mod park;
mod read;
mod store;

pub use find::{Error as FindError, Find, Page};
pub use letter::{Bytes, DeadLetter, LetterId, LetterState, Payload};
pub use park::Park;
pub use store::Store;

#![doc = include_str!("../README.md")]

mod dead_letter;
mod employee;
mod enrichment_requested;
mod headers;
mod newtype;
#[cfg(feature = "schema")]
mod schema;
pub mod topic;

pub use dead_letter::{
    DEAD_LETTER_PREFIX, FailureHeaders, InvalidFailureHeader, Origin, Reason, RedriveHeaders,
};
pub use employee::{Details, Employee};
pub use enrichment_requested::{DecodeError, EnrichmentRequestedV1, EventType};
pub use headers::{MessageHeaders, TraceParent, header};
pub use newtype::{CorrelationId, Country, Email, EmployeeId, EventId, Invalid, Text, TimeZone};

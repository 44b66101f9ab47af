#![doc = include_str!("../README.md")]

mod actor;
mod dead_letter;
mod enrichment_requested;
mod fact;
mod failed_topic;
mod field;
mod headers;
mod letter_state;
#[cfg(feature = "schema")]
pub mod message;
mod newtype;
mod outcome;
#[cfg(feature = "schema")]
mod schema;
pub mod topic;
mod user;
mod version;

pub use actor::Actor;
pub use dead_letter::{
    DEAD_LETTER_PREFIX, FailureHeaders, InvalidFailureHeader, Origin, Reason, RedriveHeaders,
};
pub use enrichment_requested::{DecodeError, EnrichmentRequestedV2, EventType, Warning, WarningCode};
pub use fact::{
    Cause, DeadLetterFact, FactType, Facts, RequestFact, Subject, SubjectKind, UserFact, cloud_event,
};
pub use failed_topic::{FailedTopic, Said};
pub use field::{Field, Kind, Stated, Value, ValueOf};
pub use headers::{MessageHeaders, TraceParent, header};
pub use letter_state::LetterState;
pub use newtype::{CorrelationId, Country, Email, EmployeeId, EventId, Invalid, Text, TimeZone};
pub use outcome::Outcome;
pub use user::{
    Application, Details, EmploymentStatus, EnrichedUser, Enrichment, EnrichmentState, Group, Missing,
    Unasked,
};
pub use version::UnknownVersion;

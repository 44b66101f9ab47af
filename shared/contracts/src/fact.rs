//! What happened: the messages of `joiner.events`, CloudEvents 1.0 in Kafka's binary mode.
//! <https://github.com/cloudevents/spec/blob/v1.0.2/cloudevents/bindings/kafka-protocol-binding.md>

use std::borrow::Cow;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use strum::VariantArray;

use crate::{CorrelationId, EventId, header, version::schema_id};

mod dead_letter;
mod request;
mod user;

pub use dead_letter::DeadLetterFact;
pub use request::RequestFact;
pub use user::UserFact;

/// What happened. The names are part of the contract.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, VariantArray)]
pub enum FactType {
    /// Somebody is known now.
    #[serde(rename = "user.created")]
    UserCreated,
    /// Something else of them reads otherwise than before.
    #[serde(rename = "user.updated")]
    UserUpdated,
    /// What Okta says of them is here, too.
    #[serde(rename = "user.completed")]
    UserCompleted,
    /// Their employment has ended.
    #[serde(rename = "user.terminated")]
    UserTerminated,
    /// They were forgotten: whoever keeps something of them drops it.
    #[serde(rename = "user.erased")]
    UserErased,
    #[serde(rename = "request.enriched")]
    RequestEnriched,
    /// Its event is a dead letter.
    #[serde(rename = "request.failed")]
    RequestFailed,
    /// A record could not be processed, or failed again when it was redriven.
    #[serde(rename = "dead_letter.parked")]
    DeadLetterParked,
    /// It was redriven in vain as often as that is done by itself.
    #[serde(rename = "dead_letter.quarantined")]
    DeadLetterQuarantined,
    /// Its record went through.
    #[serde(rename = "dead_letter.resolved")]
    DeadLetterResolved,
    /// A person decided that it isn't needed, or its person was forgotten.
    #[serde(rename = "dead_letter.discarded")]
    DeadLetterDiscarded,
}

/// What one write tells: facts of one subject that have their time and content in common, in their order. They are
/// written with it, and published after it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Facts {
    pub types: Vec<FactType>,
    pub subject: Subject,
    /// Sorts a subject's writes.
    pub position: String,
    pub time: Timestamp,
    pub cause: Cause,
    /// JSON.
    pub data: String,
}

/// Whom or what a fact is of. Facts of one subject are published in their order.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Subject {
    pub kind: SubjectKind,
    pub id: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SubjectKind {
    User,
    Request,
    DeadLetter,
}

/// The event that made it so, as far as there is one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cause {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub correlation_id: Option<CorrelationId>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub event_id: Option<EventId>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub traceparent: Option<String>,
}

/// Names of the headers of CloudEvents.
pub mod cloud_event {
    pub const SPEC_VERSION: &str = "ce_specversion";
    pub const ID: &str = "ce_id";
    pub const TYPE: &str = "ce_type";
    pub const SOURCE: &str = "ce_source";
    pub const SUBJECT: &str = "ce_subject";
    pub const TIME: &str = "ce_time";
    pub const DATA_SCHEMA: &str = "ce_dataschema";
    pub const DATA_VERSION: &str = "ce_dataversion";
    pub const CONTENT_TYPE: &str = "content-type";
}

impl FactType {
    pub const ALL: &'static [Self] = <Self as VariantArray>::VARIANTS;

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::UserCreated => "user.created",
            Self::UserUpdated => "user.updated",
            Self::UserCompleted => "user.completed",
            Self::UserTerminated => "user.terminated",
            Self::UserErased => "user.erased",
            Self::RequestEnriched => "request.enriched",
            Self::RequestFailed => "request.failed",
            Self::DeadLetterParked => "dead_letter.parked",
            Self::DeadLetterQuarantined => "dead_letter.quarantined",
            Self::DeadLetterResolved => "dead_letter.resolved",
            Self::DeadLetterDiscarded => "dead_letter.discarded",
        }
    }

    /// Of its data: the version of the schema.
    pub(crate) const fn data_version(self) -> &'static str {
        match self {
            Self::UserCreated
            | Self::UserUpdated
            | Self::UserCompleted
            | Self::UserTerminated
            | Self::UserErased
            | Self::RequestEnriched
            | Self::RequestFailed
            | Self::DeadLetterParked
            | Self::DeadLetterQuarantined
            | Self::DeadLetterResolved
            | Self::DeadLetterDiscarded => "1",
        }
    }
}

impl SubjectKind {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::User => "user",
            Self::Request => "request",
            Self::DeadLetter => "dead_letter",
        }
    }
}

impl Subject {
    pub fn user(id: &crate::EmployeeId) -> Self {
        Self { kind: SubjectKind::User, id: id.to_string() }
    }

    pub fn request(id: &CorrelationId) -> Self {
        Self { kind: SubjectKind::Request, id: id.to_string() }
    }

    pub fn dead_letter(id: &str) -> Self {
        Self { kind: SubjectKind::DeadLetter, id: id.to_owned() }
    }
}

impl Facts {
    /// The same for the same fact, however often it is published. Says nothing of the subject, whose id may be an
    /// address.
    pub fn id(&self, fact: FactType) -> String {
        let mut hash = Sha256::new();
        for part in [self.subject.kind.as_str(), &self.subject.id, &self.position, fact.as_str()] {
            hash.update(part);
            hash.update([0]);
        }
        uuid::Builder::from_custom_bytes(hash.finalize()[..16].try_into().expect("it is 32 bytes long"))
            .into_uuid()
            .to_string()
    }

    /// Of the message that tells this one of them.
    pub fn headers(&self, fact: FactType) -> impl Iterator<Item = (&'static str, Cow<'_, str>)> {
        let Self { subject, time, cause, .. } = self;
        let version = fact.data_version();
        let required = [
            (cloud_event::SPEC_VERSION, Cow::Borrowed("1.0")),
            (cloud_event::ID, Cow::Owned(self.id(fact))),
            (cloud_event::TYPE, Cow::Borrowed(fact.as_str())),
            (cloud_event::SOURCE, Cow::Borrowed("/joiner")),
            (cloud_event::SUBJECT, Cow::Borrowed(subject.id.as_str())),
            (cloud_event::TIME, Cow::Owned(time.to_string())),
            (cloud_event::DATA_SCHEMA, Cow::Owned(schema_id(fact.as_str(), version))),
            (cloud_event::DATA_VERSION, Cow::Borrowed(version)),
            (cloud_event::CONTENT_TYPE, Cow::Borrowed("application/json")),
        ];
        let correlation_id = cause.correlation_id.as_ref();
        let correlation_id = correlation_id.map(|id| (header::CORRELATION_ID, Cow::Borrowed(id.as_str())));
        let event_id = cause.event_id.as_ref().map(|id| (header::EVENT_ID, Cow::Borrowed(id.as_str())));
        let trace = cause.traceparent.as_deref().map(|trace| (header::TRACEPARENT, Cow::Borrowed(trace)));
        required.into_iter().chain(correlation_id).chain(event_id).chain(trace)
    }
}

#[cfg(test)]
mod tests;

//! Every message that Joiner puts onto its topics, with the JSON Schema of its type. A new message, or a new version of one,
//! is a row of [`MESSAGES`]; `docs/schemas/` is written from them.

use schemars::{JsonSchema, Schema, generate::SchemaSettings};

use crate::{
    DeadLetterFact, EnrichmentRequestedV2, FactType, RequestFact, UserFact, topic, version::schema_id,
};

/// The newest version of a message.
#[derive(Debug, Clone, Copy)]
pub struct Message {
    /// The topic's name; of a fact its type, as there are several on one topic.
    pub subject: &'static str,
    /// From 1 on.
    pub version: &'static str,
    pub readers: Readers,
    schema: fn() -> Schema,
}

/// For whom a message's schema must go on to hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Readers {
    /// Joiner alone: it has to read what is stored.
    Joiner,
    /// Other systems, too: what they know of the message has to hold for new ones.
    Everybody,
}

pub const MESSAGES: &[Message] = &[
    Message::command::<EnrichmentRequestedV2>(
        topic::ENRICHMENT_REQUESTED,
        EnrichmentRequestedV2::SCHEMA_VERSION,
    ),
    Message::fact::<UserFact>(FactType::UserCreated),
    Message::fact::<UserFact>(FactType::UserUpdated),
    Message::fact::<UserFact>(FactType::UserCompleted),
    Message::fact::<UserFact>(FactType::UserTerminated),
    Message::fact::<UserFact>(FactType::UserErased),
    Message::fact::<RequestFact>(FactType::RequestEnriched),
    Message::fact::<RequestFact>(FactType::RequestFailed),
    Message::fact::<DeadLetterFact>(FactType::DeadLetterParked),
    Message::fact::<DeadLetterFact>(FactType::DeadLetterQuarantined),
    Message::fact::<DeadLetterFact>(FactType::DeadLetterResolved),
    Message::fact::<DeadLetterFact>(FactType::DeadLetterDiscarded),
];

impl Message {
    /// What Joiner is to do: its own functions write and read it.
    pub const fn command<T: JsonSchema>(topic: &'static str, version: &'static str) -> Self {
        let schema = || root::<T>(SchemaSettings::draft2020_12().for_deserialize());
        Self { subject: topic, version, readers: Readers::Joiner, schema }
    }

    /// What happened: other systems read it. Its subject is its type.
    pub const fn fact<T: JsonSchema>(fact: FactType) -> Self {
        let schema = || root::<T>(SchemaSettings::draft2020_12().for_serialize());
        Self { subject: fact.as_str(), version: fact.data_version(), readers: Readers::Everybody, schema }
    }

    pub fn schema(&self) -> Schema {
        let mut schema = (self.schema)();
        schema.insert("$id".to_owned(), schema_id(self.subject, self.version).into());
        schema
    }
}

fn root<T: JsonSchema>(settings: SchemaSettings) -> Schema {
    settings.into_generator().into_root_schema_for::<T>()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_fact_has_a_schema() {
        for fact in FactType::ALL {
            assert!(MESSAGES.iter().any(|message| message.subject == fact.as_str()), "{fact:?}");
        }
    }
}

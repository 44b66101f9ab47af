use contracts::EnrichmentRequestedV1;
use serde::Serialize;

use crate::{
    order::{self, Decision},
    store::{self, Store},
};

/// Says what the enrichment would do with a record, and does nothing.
#[derive(Debug, Clone)]
pub struct Foresee {
    store: Store,
    okta: okta::Client,
}

/// What would happen to a record.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(tag = "would", rename_all = "snake_case")]
pub enum Foresight {
    /// The person would be stored anew.
    Apply,
    /// Nothing: it has been applied.
    BeDuplicate,
    /// Nothing: something newer has been applied.
    BeSuperseded,
    /// It would fail as it is.
    Fail { because: String },
    /// Okta can't be asked now, or there was no time to.
    BeUnknown { because: String },
}

impl Foresee {
    pub fn new(store: Store, okta: okta::Client) -> Self {
        Self { store, okta }
    }

    pub async fn foresee(&self, value: Option<&[u8]>) -> Result<Foresight, store::Error> {
        let fail = |because: String| Ok(Foresight::Fail { because });
        let Some(value) = value else { return fail("the record has no value".to_owned()) };
        let event = match EnrichmentRequestedV1::decode(value) {
            Ok(event) => event,
            Err(error) => return fail(error.to_string()),
        };
        let stored = self.store.user(&event.employee.id).await?;
        match order::decide(stored.as_ref().map(|stored| &stored.last), &event) {
            Decision::Duplicate => return Ok(Foresight::BeDuplicate),
            Decision::Superseded => return Ok(Foresight::BeSuperseded),
            Decision::Apply => {}
        }
        Ok(match self.okta.find_user(event.employee.email.as_str()).await {
            Ok(Some(_)) => Foresight::Apply,
            // Who has left needs no account.
            Ok(None) if event.event_type == contracts::EventType::Terminated => Foresight::Apply,
            Ok(None) => Foresight::Fail { because: "Okta knows nobody with this e-mail address".to_owned() },
            Err(error) => Foresight::BeUnknown { because: error.to_string() },
        })
    }
}

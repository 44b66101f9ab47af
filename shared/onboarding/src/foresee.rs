use contracts::{EnrichmentRequestedV2, EventType, Outcome, Reason};
use runtime::Clock;
use serde::Serialize;
use tokio::time::Instant;

use crate::{
    ask,
    enrich::{EMAIL_TAKEN, USER_NOT_FOUND},
    converge::{self, Answer, Draft, Place},
    retry::{Exhausted, RetryPolicy},
    store::{self, Store},
};

/// Says what the enrichment would do with a record: the same decision, shown instead of written.
#[derive(Debug, Clone)]
pub struct Foresee {
    store: Store,
    okta: okta::Client,
    clock: Clock,
}

/// What would happen to a record.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(untagged)]
pub enum Foresight {
    Known(Outcome),
    Unknown(Unknown),
}

/// Okta can't be asked now, or there was no time to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(tag = "outcome", rename = "unknown")]
pub struct Unknown {
    pub because: String,
}

impl Foresee {
    pub fn new(store: Store, okta: okta::Client, clock: Clock) -> Self {
        Self { store, okta, clock }
    }

    /// Asks Okta once, until `give_up`.
    pub async fn foresee(&self, value: Option<&[u8]>, give_up: Instant) -> Result<Foresight, store::Error> {
        let Some(value) = value else { return Ok(fails(Reason::Undecodable, "the record has no value")) };
        let event = match EnrichmentRequestedV2::decode(value) {
            Ok(event) => event,
            Err(error) => return Ok(fails(error.reason(), &error.to_string())),
        };
        let (person, known) = tokio::try_join!(
            self.store.person(&event.employee_id),
            self.store.entry(&event.employee_id, &event.event_id),
        )?;
        let place = Place::of(&event, person.as_ref(), known.as_ref());
        let all = if place == Place::InsteadOfKnown || event.event_type == EventType::Erased {
            self.store.entries(&event.employee_id).await?
        } else {
            Vec::new()
        };
        let now = self.clock.now();
        if event.event_type == EventType::Erased {
            let written = converge::forget(&event, person, &all, now);
            return Ok(Foresight::Known(written.map_or(Outcome::NothingNew, |written| written.outcome)));
        }
        let draft = Draft::new(&event, person, known, &all, now);
        let answer = match draft.asks_for() {
            None => None,
            Some(email) => match ask::account(&self.okta, email, RetryPolicy::ONCE, give_up).await {
                Ok(Some(account)) => {
                    if draft.is_taken(&account, &self.store.employed_with(email).await?) {
                        return Ok(fails(Reason::EmailTaken, EMAIL_TAKEN));
                    }
                    Some(Answer::Account(account))
                }
                Ok(None) if draft.has_left() => Some(Answer::Nobody),
                Ok(None) => {
                    return Ok(fails(Reason::UserNotFound, USER_NOT_FOUND));
                }
                Err(Exhausted { error, .. }) => {
                    return Ok(Foresight::Unknown(Unknown { because: error.to_string() }));
                }
            },
        };
        let written = draft.answered(&event, answer, now);
        // Of a repeat the outcome is what its first delivery changed.
        Ok(Foresight::Known(if written.is_new { written.outcome } else { Outcome::NothingNew }))
    }
}

fn fails(reason: Reason, message: &str) -> Foresight {
    Foresight::Known(Outcome::Failed { reason, message: message.to_owned() })
}

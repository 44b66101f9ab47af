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

#[cfg(test)]
mod tests {
    use contracts::EventType;
    use jiff::{SignedDuration, Timestamp};
    use okta::fake::Fault;
    use runtime::Clock;

    use super::*;
    use crate::{
        enrich::tests::okta,
        merge::{merge, tests::event},
        store::Memory,
    };

    #[tokio::test]
    async fn an_event_would_do_what_the_enrichment_would_make_of_it() {
        let (server, _directory) = okta().await;
        let store = Store::Memory(Memory::default());
        let foresee = Foresee::new(store.clone(), okta::Client::new(server.config(), Clock::system()));
        let would =
            async |event: &EnrichmentRequestedV1| foresee.foresee(Some(&event.encode())).await.unwrap();
        assert_eq!(would(&event()).await, Foresight::Apply);
        assert_eq!(store.user(&event().employee.id).await.unwrap(), None, "it does nothing");
        store.save(&merge(&event(), None, None, Timestamp::UNIX_EPOCH), None).await.unwrap();
        assert_eq!(would(&event()).await, Foresight::BeDuplicate);
        let mut older = event();
        older.event_id = contracts::EventId::parse("evt-0").unwrap();
        older.occurred_at -= SignedDuration::from_secs(1);
        assert_eq!(would(&older).await, Foresight::BeSuperseded);
    }

    #[tokio::test]
    async fn who_has_left_needs_no_account_and_who_comes_does() {
        let (server, directory) = okta().await;
        let client = okta::Client::new(server.config(), Clock::system());
        let foresee = Foresee::new(Store::Memory(Memory::default()), client);
        assert!(directory.remove("00u1"));
        let mut left = event();
        left.event_type = EventType::Terminated;
        assert_eq!(foresee.foresee(Some(&left.encode())).await.unwrap(), Foresight::Apply);
        let come = foresee.foresee(Some(&event().encode())).await.unwrap();
        assert!(matches!(come, Foresight::Fail { .. }), "{come:?}");
    }

    #[tokio::test]
    async fn what_cannot_be_read_would_fail_and_what_okta_does_not_say_is_unknown() {
        let (server, directory) = okta().await;
        let client = okta::Client::new(server.config(), Clock::system());
        let foresee = Foresee::new(Store::Memory(Memory::default()), client);
        for value in [None, Some(&b"not json"[..])] {
            let seen = foresee.foresee(value).await.unwrap();
            assert!(matches!(seen, Foresight::Fail { .. }), "{seen:?}");
        }
        directory.fail_next(Fault::Status(503));
        let seen = foresee.foresee(Some(&event().encode())).await.unwrap();
        assert!(matches!(seen, Foresight::BeUnknown { .. }), "{seen:?}");
    }
}

use contracts::{EnrichmentRequestedV2, EventType, Outcome, Reason};
use recovery::{Foresight, Unknown};
use runtime::Clock;
use tokio::time::Instant;

use crate::{
    ask,
    claim::{self, Standing},
    converge::{self, Answer, Draft, Place},
    enrich::{ACCOUNT_TOO_LARGE, EMAIL_TAKEN, USER_NOT_FOUND},
    retry::{Exhausted, RetryPolicy},
    store::{self, Store},
};

/// Says what the enrichment would do with a record: the same decision, shown instead of written.
#[derive(Debug, Clone)]
pub(crate) struct Foresee {
    store: Store,
    okta: okta::Client,
    clock: Clock,
}

impl Foresee {
    pub(crate) fn new(store: Store, okta: okta::Client, clock: Clock) -> Self {
        Self { store, okta, clock }
    }

    /// `version` is the value's, by its header. Asks Okta once, until `give_up`, past its breaker: whoever
    /// looks wants to know how Okta is now.
    pub(crate) async fn foresee(
        &self,
        version: Option<&str>,
        value: Option<&[u8]>,
        give_up: Instant,
    ) -> Result<Foresight, store::Error> {
        let Some(value) = value else { return Ok(fails(Reason::Undecodable, "the record has no value")) };
        let event = match EnrichmentRequestedV2::decode(version, value) {
            Ok(event) => event,
            Err(error) => return Ok(fails(error.reason(), &error.to_string())),
        };
        let (person, known) = self.store.person_and_entry(&event).await?;
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
            Some(email) => match ask::account(&self.okta, email, RetryPolicy::ONCE, give_up, None).await {
                Ok(Some(account)) if !account.fits() => {
                    return Ok(fails(Reason::Unstorable, ACCOUNT_TOO_LARGE));
                }
                Ok(Some(account)) => match claim::standing(&self.store, &account, &draft).await? {
                    Standing::Theirs | Standing::Free(_) => Some(Answer::Account(account)),
                    Standing::Taken if draft.has_left() => Some(Answer::Taken),
                    Standing::Taken => return Ok(fails(Reason::EmailTaken, EMAIL_TAKEN)),
                },
                Ok(None) if draft.has_left() => Some(Answer::Nobody),
                Ok(None) => {
                    return Ok(fails(Reason::UserNotFound, USER_NOT_FOUND));
                }
                Err(Exhausted { error, .. }) => {
                    return Ok(Foresight::Unknown(Unknown { because: error.to_string() }));
                }
            },
        };
        Ok(Foresight::Known(draft.answered(&event, answer, now).outcome))
    }
}

fn fails(reason: Reason, message: &str) -> Foresight {
    Foresight::Known(Outcome::Failed { reason, message: message.to_owned() })
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use contracts::{EventId, Field};
    use jiff::SignedDuration;
    use okta::fake::Fault;

    use super::*;
    use crate::{
        enrich::tests::okta,
        store::Memory,
        tests::{account, event, made_of, with},
    };

    fn foresee(server: &okta::fake::Server) -> Foresee {
        let client = okta::Client::new(server.config(), Clock::system());
        Foresee::new(Store::Memory(Memory::default()), client, Clock::system())
    }

    async fn would(foresee: &Foresee, event: &EnrichmentRequestedV2) -> Foresight {
        let give_up = Instant::now() + Duration::from_secs(30);
        foresee.foresee(None, Some(&event.encode()), give_up).await.unwrap()
    }

    fn fields(foresight: Foresight) -> Vec<String> {
        match foresight {
            Foresight::Known(Outcome::Changed { fields }) => fields,
            other => panic!("{other:?}"),
        }
    }

    #[tokio::test]
    async fn an_event_would_do_what_the_enrichment_would_make_of_it() {
        let (server, _directory) = okta().await;
        let foresee = foresee(&server);
        assert!(fields(would(&foresee, &event()).await).contains(&"oktaId".to_owned()));
        let id = event().employee_id;
        assert_eq!(foresee.store.person(&id).await.unwrap(), None, "it does nothing");
        let written = made_of(&event(), None, Some(Answer::Account(account("ACTIVE"))));
        foresee.store.commit(&written.person, None, Some(&written.entry)).await.unwrap();
        let nothing_new = Foresight::Known(Outcome::NothingNew);
        let mut repeat = event();
        repeat.received_at += SignedDuration::from_secs(60);
        assert_eq!(would(&foresee, &repeat).await, nothing_new);
        let mut older = with(event(), Field::LastName, "King");
        older.event_id = EventId::parse("evt-0").unwrap();
        older.occurred_at = Some(event().stated_at() - SignedDuration::from_secs(1));
        assert_eq!(would(&foresee, &older).await, nothing_new);
        older.edition = 1;
        older.event_id = event().event_id;
        assert!(fields(would(&foresee, &older).await).contains(&"name".to_owned()), "a correction");
    }

    #[tokio::test]
    async fn who_has_left_needs_no_account_and_who_comes_does() {
        let (server, directory) = okta().await;
        let foresee = foresee(&server);
        assert!(directory.remove("00u1"));
        let mut left = event();
        left.event_type = EventType::Terminated;
        assert!(fields(would(&foresee, &left).await).contains(&"employmentStatus".to_owned()));
        let come = would(&foresee, &event()).await;
        let Foresight::Known(Outcome::Failed { reason, .. }) = come else { panic!("{come:?}") };
        assert_eq!(reason, Reason::UserNotFound);
    }

    #[tokio::test]
    async fn what_cannot_be_read_would_fail_and_what_okta_does_not_say_is_unknown() {
        let (server, directory) = okta().await;
        let foresee = foresee(&server);
        let event = event().encode();
        for (version, value, expected) in [
            (None, None, Reason::Undecodable),
            (None, Some(&b"not json"[..]), Reason::Undecodable),
            (Some("3"), Some(&event[..]), Reason::UnknownVersion),
        ] {
            let seen = foresee.foresee(version, value, Instant::now()).await.unwrap();
            let Foresight::Known(Outcome::Failed { reason, .. }) = seen else { panic!("{seen:?}") };
            assert_eq!(reason, expected);
        }
        for _ in 0..3 {
            directory.fail_next(Fault::Status(503));
        }
        let seen = would(&foresee, &self::event()).await;
        assert!(matches!(seen, Foresight::Unknown(_)), "{seen:?}");
    }
}

use std::sync::atomic::{AtomicU32, Ordering::Relaxed};

use contracts::{Actor, DEAD_LETTER_PREFIX, RedriveHeaders};
use kafka::{Outgoing, Producer};
use recovery::Correction;
use runtime::{Clock, telemetry};

use crate::{
    Error,
    audit::Deed,
    letter::{DeadLetter, LetterId},
    life::{LetterState, Step},
    payload::{Bytes, Payload},
    store::{Part, Saved, Store},
    write::{ROUNDS, Writer},
};

/// Puts letters' records on their topic again. First it is written that a record is on its way, then it is published, then
/// that the brokers have it: wherever a process ends, the sweep knows what is left to do, and the worst is a second
/// copy of a record that is applied once.
#[derive(Debug, Clone)]
pub struct Redrive {
    writer: Writer,
    producer: Producer,
}

impl Redrive {
    pub fn new(store: Store, producer: Producer, clock: Clock) -> Self {
        Self { writer: Writer { store, clock }, producer }
    }

    /// Because a person wants it. If the brokers are away, the sweep publishes it when they are back.
    pub async fn redrive(&self, id: &LetterId, by: &Actor) -> Result<DeadLetter, Error> {
        self.writer.record_of(id, by, Deed::Redrive { letter: id.clone() }).await?;
        self.for_job(id, by, |_state| true).await.map(|(letter, _publication)| letter)
    }

    /// With what a person has put in its place. The payload that had failed is kept beside it.
    pub async fn redrive_edited(
        &self,
        id: &LetterId,
        correction: &Correction,
        by: &Actor,
    ) -> Result<DeadLetter, Error> {
        let Correction { ids, edition, .. } = correction;
        let Writer { store, clock } = &self.writer;
        for round in 0..ROUNDS {
            let mut letter = get(store, id).await?;
            let (failed, failed_edition) = store.current(id).await?.ok_or(Error::PayloadGone)?;
            if failed_edition >= *edition {
                return Err(Error::Overtaken);
            }
            let edited = failed.corrected(correction);
            let original = store.payload(id, Part::Original).await?.is_none().then_some(&failed);
            // By these the sweep asks what became of it.
            letter.correlation_id.get_or_insert_with(|| ids.correlation_id.clone());
            letter.event_id.get_or_insert_with(|| ids.event_id.clone());
            letter.employee_id.get_or_insert_with(|| ids.employee_id.clone());
            letter.step(Step::Redrive, by, clock.now(), Some("edited".to_owned()))?;
            if round == 0 {
                self.writer.record(by, Deed::Edit { letter: id.clone() }).await?;
            }
            if store.save_edited(&mut letter, &edited, *edition, original).await? == Saved::Yes {
                self.publish_newest(&mut letter).await?;
                return Ok(letter);
            }
        }
        Err(Error::Contended)
    }

    /// As part of a job, which is in the audit already.
    pub(crate) async fn for_job(
        &self,
        id: &LetterId,
        by: &Actor,
        wanted: impl Fn(LetterState) -> bool,
    ) -> Result<(DeadLetter, Publication), Error> {
        match self.writer.store.payload(id, Part::Current).await? {
            Some(payload) if payload.has_value() => self.by_hand(id, by, wanted).await,
            Some(_) => Err(Error::ValueLeftOut),
            None if self.writer.store.get(id).await?.is_some() => Err(Error::PayloadGone),
            None => Err(Error::Unknown),
        }
    }

    /// If its state is one that is `wanted`.
    async fn by_hand(
        &self,
        id: &LetterId,
        by: &Actor,
        wanted: impl Fn(LetterState) -> bool,
    ) -> Result<(DeadLetter, Publication), Error> {
        let Writer { store, clock } = &self.writer;
        for _ in 0..ROUNDS {
            let mut letter = get(store, id).await?;
            if !wanted(letter.life.state) {
                return Err(Error::Overtaken);
            }
            letter.step(Step::Redrive, by, clock.now(), None)?;
            if store.save(&mut letter).await? == Saved::Yes {
                let publication = self.publish_newest(&mut letter).await?;
                return Ok((letter, publication));
            }
        }
        Err(Error::Contended)
    }

    /// Because its time has come.
    pub(crate) async fn by_schedule(&self, letter: &mut DeadLetter) -> Result<Publication, Error> {
        if letter.step(Step::RedriveBySchedule, &Actor::schedule(), self.writer.clock.now(), None).is_err()
            || self.writer.store.save(letter).await? == Saved::Conflict
        {
            return Ok(Publication::NotOurs);
        }
        self.publish_newest(letter).await
    }

    /// Because nobody knows whether the brokers have its newest redrive.
    pub(crate) async fn republish(&self, letter: &mut DeadLetter) -> Result<Publication, Error> {
        if letter.life.is_overdue(self.writer.clock.now()) {
            return self.quarantine(letter, "the brokers never acknowledged its record").await;
        }
        if letter.step(Step::Republish, &Actor::schedule(), self.writer.clock.now(), None).is_err()
            || self.writer.store.save(letter).await? == Saved::Conflict
        {
            return Ok(Publication::NotOurs);
        }
        self.publish_newest(letter).await
    }

    /// Publishes the newest redrive of a letter for which that is written already.
    async fn publish_newest(&self, letter: &mut DeadLetter) -> Result<Publication, Error> {
        let Some(payload) = self.payload(&letter.id).await? else {
            return self.quarantine(letter, "its payload is gone").await;
        };
        if letter.life.expiring {
            self.writer.store.expire_payload(letter, self.writer.clock.now()).await?;
        }
        match self.publish(letter, &payload).await {
            Ok(()) => {}
            Err(kafka::Error::TooLarge(_)) => {
                return self.quarantine(letter, "its record is too large for its topic").await;
            }
            Err(error @ kafka::Error::Unacknowledged(_)) => {
                let (dead_letter_id, error) = (letter.id.as_str(), telemetry::chain(&error));
                tracing::warn!(dead_letter_id, error, "a redrive waits for the brokers");
                return Ok(Publication::Unacknowledged);
            }
        }
        let now = self.writer.clock.now();
        letter.step(Step::Published, &Actor::schedule(), now, None)?;
        // A conflict is its coming back already, or a person's decision: both know more than this.
        self.writer.store.save(letter).await?;
        Ok(Publication::Yes)
    }

    /// No sweep could publish it either: it waits for a person.
    async fn quarantine(&self, letter: &mut DeadLetter, because: &'static str) -> Result<Publication, Error> {
        letter.step(
            Step::Quarantine,
            &Actor::schedule(),
            self.writer.clock.now(),
            Some(because.to_owned()),
        )?;
        // A conflict is a person's decision, who knows more than this.
        if self.writer.store.save(letter).await? == Saved::Yes {
            let (dead_letter_id, state) = (letter.id.as_str(), letter.life.state.name());
            tracing::error!(dead_letter_id, state, because, "a dead letter can't be redriven");
        }
        Ok(Publication::NotOurs)
    }

    /// Key, value and headers as they were: the record is who it was, at the back of its employee's order.
    async fn publish(&self, letter: &DeadLetter, payload: &Payload) -> Result<(), kafka::Error> {
        let key = payload.key.as_ref().map(Bytes::to_vec);
        let value = payload.value.as_ref().map(Bytes::to_vec);
        let record = Outgoing { topic: letter.topic.source, key: key.as_deref(), value: value.as_deref() };
        let redrive = RedriveHeaders { letter_id: letter.id.as_str(), redrive: letter.life.redrives };
        let own = payload.headers.iter().map(|(name, value)| (name.as_str(), value.to_vec()));
        let own = own.filter(|(name, _)| !name.starts_with(DEAD_LETTER_PREFIX));
        let added = redrive.pairs().map(|(name, value)| (name, value.into_bytes()));
        self.producer.publish(record, own.chain(added)).await?;
        tracing::info!(
            dead_letter_id = letter.id.as_str(),
            redrive = letter.life.redrives,
            "redrove a dead letter"
        );
        Ok(())
    }

    async fn payload(&self, id: &LetterId) -> Result<Option<Payload>, Error> {
        Ok(self.writer.store.payload(id, Part::Current).await?.filter(Payload::has_value))
    }

    /// Ends what is on its way to the brokers, before the process ends.
    pub async fn flush(&self) {
        self.producer.flush(kafka::SHUTDOWN_LIMIT).await;
    }
}

/// A letter that may be redriven, as far as its person goes.
async fn get(store: &Store, id: &LetterId) -> Result<DeadLetter, Error> {
    let letter = store.get(id).await?.ok_or(Error::Unknown)?;
    if letter.forgotten { Err(Error::PayloadGone) } else { Ok(letter) }
}

/// What became of an attempt to publish.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Publication {
    Yes,
    /// It is written that it has to be published.
    Unacknowledged,
    /// Somebody else has gone on with it, or a person has to.
    NotOurs,
}

/// Whether the brokers were away, as far as one pass over many letters has seen. Each further letter would wait as long
/// for an acknowledgement, and take the time of what needs no brokers.
#[derive(Debug, Default)]
pub(crate) struct Brokers {
    /// Records since the last one that they acknowledged.
    unacknowledged: AtomicU32,
}

/// Fewer may be refused for themselves, or have a partition without a leader.
pub(crate) const AWAY_AFTER: u32 = 3;

impl Brokers {
    pub(crate) fn are_away(&self) -> bool {
        self.unacknowledged.load(Relaxed) >= AWAY_AFTER
    }

    pub(crate) fn note(&self, publication: Publication) {
        match publication {
            Publication::Yes => self.unacknowledged.store(0, Relaxed),
            Publication::Unacknowledged => {
                self.unacknowledged.fetch_add(1, Relaxed);
            }
            Publication::NotOurs => {}
        }
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::store::tests::{brokers_that_are_nowhere, letter, second, store};
    use contracts::{CorrelationId, EmployeeId, EventId, Reason};
    use recovery::EventIds;

    /// Its brokers are nowhere.
    pub(crate) fn redrive(store: &Store, clock: Clock) -> Redrive {
        Redrive::new(store.clone(), brokers_that_are_nowhere(clock), clock)
    }

    pub(crate) fn correction(employee_id: &str, value: &[u8], edition: u64) -> Correction {
        let ids = EventIds {
            correlation_id: CorrelationId::parse("c-1").unwrap(),
            employee_id: EmployeeId::parse(employee_id).unwrap(),
            event_id: EventId::parse("evt-1").unwrap(),
        };
        let (key, value) = (employee_id.to_owned(), value.to_vec());
        Correction { ids, edition, key, value, headers: vec![], warnings: vec![] }
    }

    #[tokio::test]
    async fn of_two_corrections_of_one_letter_the_later_one_is_kept_and_what_had_failed_beside_it() {
        let store = store().await;
        let (letter, payload) = letter(1, Reason::Invalid, "E1", second(1));
        store.insert(&letter, &payload).await.unwrap();
        let (redrive, by) = (redrive(&store, Clock::fixed(second(2))), Actor::caller("somebody"));
        let edit = async |text: &str, edition| {
            redrive.redrive_edited(&letter.id, &correction("E1", text.as_bytes(), edition), &by).await
        };
        edit("first", 1).await.unwrap();
        let edited = edit("later", 3).await.unwrap();
        assert_eq!((edited.life.state, edited.life.redrives), (LetterState::Redriven, 2));
        assert!(matches!(edit("earlier", 2).await, Err(Error::Overtaken)));
        let kept = async |part| store.payload(&letter.id, part).await.unwrap().unwrap();
        assert_eq!(kept(Part::Current).await.value, Some(Bytes::Text("later".to_owned())));
        assert_eq!(kept(Part::Original).await, payload);
    }

    #[tokio::test]
    async fn what_is_not_there_can_be_redriven_neither_as_it_was_nor_edited() {
        let store = store().await;
        let redrive = redrive(&store, Clock::fixed(second(0)));
        let id = LetterId::parse("0123456789abcdef0123456789abcdef").unwrap();
        let by = Actor::caller("somebody");
        let edited = redrive.redrive_edited(&id, &correction("E1", b"{}", 1), &by).await;
        let answers = [redrive.redrive(&id, &by).await, edited];
        for answer in answers {
            assert!(matches!(answer, Err(Error::Unknown)), "{answer:?}");
        }
        assert_eq!(store.audit(None, 9).await.unwrap().len(), 0);
    }

    #[test]
    fn the_brokers_are_away_when_they_acknowledged_none_of_three_records_in_a_row() {
        use Publication::{NotOurs, Unacknowledged, Yes};
        for (publication, away) in [
            (&[Unacknowledged, Unacknowledged] as &[_], false),
            (&[Unacknowledged, Unacknowledged, Unacknowledged], true),
            (&[Unacknowledged, NotOurs, Unacknowledged, Unacknowledged], true),
            (&[Unacknowledged, Unacknowledged, Yes, Unacknowledged, Unacknowledged], false),
        ] {
            let brokers = Brokers::default();
            for publication in publication {
                brokers.note(*publication);
            }
            assert_eq!(brokers.are_away(), away, "{publication:?}");
        }
    }
}

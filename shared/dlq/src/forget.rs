use contracts::{Actor, EmployeeId, header};
use jiff::Timestamp;
use runtime::Clock;

use crate::{
    Error,
    filter::Filter,
    letter::{DeadLetter, LetterId},
    life::Step,
    store::{Listed, Part, Saved, Store},
    write::ROUNDS,
};

/// Takes what is personal out of the letters of somebody who is to be forgotten. That there was a letter stays.
#[derive(Debug, Clone)]
pub struct Forget {
    store: Store,
    clock: Clock,
}

/// Letters a page.
const PAGE: usize = 100;

const NOTE: &str = "the person was forgotten, and what the record held with them";

impl Forget {
    pub fn new(store: Store, clock: Clock) -> Self {
        Self { store, clock }
    }

    /// Of all the person's letters whose records are as old as `until`, or older. Done twice it does the rest.
    pub async fn forget(&self, employee_id: &EmployeeId, until: Timestamp) -> Result<(), Error> {
        let filter = Filter { employee_id: Some(employee_id.clone()), ..Filter::default() };
        let mut after = None;
        loop {
            let Listed { letters, next } = self.store.list(&filter, after.as_ref(), PAGE).await?;
            for letter in &letters {
                self.letter(letter, until).await?;
            }
            match next {
                Some(next) => after = Some(next),
                None => return Ok(()),
            }
        }
    }

    /// Of one letter. It says that it is forgotten before its payload goes: from then on nothing takes the place of that.
    pub async fn letter(&self, letter: &DeadLetter, until: Timestamp) -> Result<(), Error> {
        if self.is_newer(letter, until).await? {
            return Ok(());
        }
        self.mark(&letter.id).await?;
        Ok(self.store.delete_payload(&letter.id).await?)
    }

    /// Whether its record was received after the command. It was published no earlier, by a clock that counts milliseconds.
    async fn is_newer(&self, letter: &DeadLetter, until: Timestamp) -> Result<bool, Error> {
        let published_at = letter.origin.timestamp;
        if published_at.as_millisecond() < until.as_millisecond() {
            return Ok(false);
        }
        let stored = self.store.get(&letter.id).await?;
        if stored.is_some_and(|letter| letter.forgotten) {
            return Ok(false);
        }
        let payload = self.store.payload(&letter.id, Part::Current).await?;
        let said = payload.and_then(|payload| {
            let value = payload.value.as_ref()?.to_vec();
            (letter.topic.read)(payload.header(header::SCHEMA_VERSION), &value)
        });
        Ok(said.map_or(published_at, |said| said.received_at) > until)
    }

    async fn mark(&self, id: &LetterId) -> Result<(), Error> {
        for _ in 0..ROUNDS {
            let Some(mut letter) = self.store.get(id).await? else { return Ok(()) };
            if !letter.life.state.is_over() {
                letter.step(Step::Discard, &Actor::pipeline(), self.clock.now(), Some(NOTE.to_owned()))?;
            }
            letter.forget();
            if self.store.save(&mut letter).await? == Saved::Yes {
                return Ok(());
            }
        }
        Err(Error::Contended)
    }
}

#[cfg(test)]
mod tests {
    use contracts::Reason;

    use super::*;
    use crate::{
        LetterState,
        payload::Payload,
        redrive::tests::{correction, redrive},
        store::tests::{letter, second, store},
    };

    #[tokio::test]
    async fn the_payloads_of_a_persons_letters_are_gone_and_those_of_others_as_they_were() {
        let store = store().await;
        for (offset, employee) in [(1, "E1"), (2, "E2"), (3, "E1")] {
            let (letter, payload) = letter(offset, Reason::Invalid, employee, second(1));
            store.insert(&letter, &payload).await.unwrap();
        }
        let forget = Forget::new(store.clone(), Clock::fixed(second(5)));
        for _ in 0..2 {
            forget.forget(&EmployeeId::parse("E1").unwrap(), Timestamp::MAX).await.unwrap();
        }
        let letters = store.list(&Filter::default(), None, 10).await.unwrap().letters;
        assert_eq!(letters.len(), 3);
        for letter in letters {
            let payload = store.payload(&letter.id, Part::Current).await.unwrap();
            let is_theirs = letter.employee_id.as_ref().is_some_and(|id| id.as_str() == "E1");
            assert_eq!(payload.is_none(), is_theirs);
            let state = if is_theirs { LetterState::Discarded } else { LetterState::Parked };
            assert_eq!(letter.life.state, state);
        }
    }

    #[tokio::test]
    async fn what_is_newer_than_the_command_stays() {
        let store = store().await;
        let (letter, payload) = letter(1, Reason::Invalid, "E1", second(1));
        store.insert(&letter, &payload).await.unwrap();
        let before = letter.origin.timestamp - std::time::Duration::from_secs(1);
        let forget = Forget::new(store.clone(), Clock::fixed(second(5)));
        forget.forget(&EmployeeId::parse("E1").unwrap(), before).await.unwrap();
        assert!(store.payload(&letter.id, Part::Current).await.unwrap().is_some());
    }

    /// A letter of Ada's event, which was received 300 ns into a millisecond, and published in it.
    fn received_at_300_ns() -> (DeadLetter, Payload) {
        let (mut letter, mut payload) = letter(1, Reason::Invalid, "E1", second(1));
        letter.origin.timestamp = "2026-01-31T18:42:01.002Z".parse().unwrap();
        let event = serde_json::json!({
            "eventId": "evt-1", "eventType": "hired", "correlationId": "c-1", "employeeId": "E1",
            "receivedAt": "2026-01-31T18:42:01.0020003Z", "stated": {}
        });
        payload.value = Some(event.to_string().into_bytes().into());
        (letter, payload)
    }

    #[tokio::test]
    async fn of_one_millisecond_it_goes_by_when_the_event_was_received() {
        for (until, stays) in
            [("2026-01-31T18:42:01.0020001Z", true), ("2026-01-31T18:42:01.0020003Z", false)]
        {
            let store = store().await;
            let (letter, payload) = received_at_300_ns();
            store.insert(&letter, &payload).await.unwrap();
            let forget = Forget::new(store.clone(), Clock::fixed(second(5)));
            forget.letter(&letter, until.parse().unwrap()).await.unwrap();
            let kept = store.payload(&letter.id, Part::Current).await.unwrap();
            assert_eq!(kept.is_some(), stays, "{until}");
        }
    }

    #[tokio::test]
    async fn what_was_received_before_the_command_and_published_after_it_is_forgotten() {
        let store = store().await;
        let (mut letter, payload) = received_at_300_ns();
        letter.origin.timestamp += std::time::Duration::from_secs(2);
        store.insert(&letter, &payload).await.unwrap();
        let forget = Forget::new(store.clone(), Clock::fixed(second(5)));
        forget.letter(&letter, "2026-01-31T18:42:02Z".parse().unwrap()).await.unwrap();
        assert_eq!(store.payload(&letter.id, Part::Current).await.unwrap(), None);
    }

    /// Wherever the edit is when the person is forgotten, it has to read or to write after it.
    #[tokio::test]
    async fn an_edit_that_was_begun_before_leaves_nothing_of_the_person() {
        let store = store().await;
        let (letter, payload) = received_at_300_ns();
        store.insert(&letter, &payload).await.unwrap();
        let forget = Forget::new(store.clone(), Clock::fixed(second(5)));
        let mut read = store.get(&letter.id).await.unwrap().unwrap();
        forget.letter(&letter, Timestamp::MAX).await.unwrap();
        read.step(Step::Redrive, &Actor::caller("somebody"), second(6), None).unwrap();
        let saved = store.save_edited(&mut read, &payload, 1, Some(&payload)).await.unwrap();
        assert_eq!(saved, Saved::Conflict);
        for part in [Part::Current, Part::Original] {
            assert_eq!(store.payload(&letter.id, part).await.unwrap(), None, "{part:?}");
        }
        assert_eq!(store.get(&letter.id).await.unwrap().unwrap().life.state, LetterState::Discarded);
    }

    /// As a delivery that was killed in between leaves it.
    #[tokio::test]
    async fn what_a_forgotten_letter_still_holds_is_neither_sent_nor_edited() {
        let store = store().await;
        let (letter, payload) = received_at_300_ns();
        store.insert(&letter, &payload).await.unwrap();
        let forget = Forget::new(store.clone(), Clock::fixed(second(5)));
        forget.mark(&letter.id).await.unwrap();
        let (redrive, by) = (redrive(&store, Clock::fixed(second(6))), Actor::caller("somebody"));
        let edited = redrive.redrive_edited(&letter.id, &correction("E1", b"{}", 1), &by).await;
        for refused in [edited, redrive.redrive(&letter.id, &by).await] {
            assert!(matches!(refused, Err(Error::PayloadGone)), "{refused:?}");
        }
        assert_eq!(store.get(&letter.id).await.unwrap().unwrap().life.state, LetterState::Discarded);
        forget.letter(&letter, second(0)).await.unwrap();
        assert_eq!(
            store.payload(&letter.id, Part::Current).await.unwrap(),
            None,
            "a redelivery does the rest"
        );
    }
}

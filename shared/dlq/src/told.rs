//! Which facts a letter's state tells. Pure.

use contracts::{Cause, DeadLetterFact, FactType, Facts, LetterState, Subject, topic};

use crate::letter::DeadLetter;

impl DeadLetter {
    /// What is to be told of its state, unless that was done: from now on it counts as told, with the write that follows.
    pub(crate) fn tell(&mut self) -> Option<Facts> {
        let fact_type = self.fact_type()?;
        let position = self.position();
        if self.told.as_ref() == Some(&position) {
            return None;
        }
        self.told = Some(position);
        Some(self.facts(fact_type))
    }

    /// What a new letter tells.
    pub(crate) fn told_as_new(&self) -> Option<Facts> {
        Some(self.facts(self.fact_type()?))
    }

    /// On its way through its topic it tells nothing. Nor does it if its record was a fact itself: that would never end.
    fn fact_type(&self) -> Option<FactType> {
        if self.topic.source == topic::EVENTS {
            return None;
        }
        match self.life.state {
            LetterState::Parked | LetterState::Scheduled => Some(FactType::DeadLetterParked),
            LetterState::Quarantined => Some(FactType::DeadLetterQuarantined),
            LetterState::Resolved => Some(FactType::DeadLetterResolved),
            LetterState::Discarded => Some(FactType::DeadLetterDiscarded),
            LetterState::Redriven => None,
        }
    }

    /// It comes to a state again by another redrive only, and is over after it was at rest.
    pub(crate) fn position(&self) -> String {
        format!("{:010}#{}", self.life.redrives, u8::from(self.life.state.is_over()))
    }

    fn facts(&self, fact_type: FactType) -> Facts {
        let fact = DeadLetterFact {
            id: self.id.as_str().to_owned(),
            state: self.life.state,
            failed_topic: self.topic.name.to_owned(),
            reason: self.reason,
            message: self.message.clone(),
            attempts: self.attempts,
            redrives: self.life.redrives,
            failed_at: self.failed_at,
            parked_at: self.parked_at,
            next_attempt: self.life.next_attempt(),
            correlation_id: self.correlation_id.clone(),
            event_id: self.event_id.clone(),
            employee_id: self.employee_id.clone(),
        };
        Facts {
            types: vec![fact_type],
            subject: Subject::dead_letter(self.id.as_str()),
            position: self.position(),
            time: self.history.last().map_or(self.parked_at, |entry| entry.at),
            cause: Cause {
                correlation_id: self.correlation_id.clone(),
                event_id: self.event_id.clone(),
                traceparent: None,
            },
            data: serde_json::to_string(&fact).expect("a struct has no key that JSON can't hold"),
        }
    }
}

#[cfg(test)]
mod tests {
    use contracts::{Actor, Reason};

    use super::*;
    use crate::{
        life::Step,
        store::tests::{letter, second},
    };

    fn type_of(facts: Option<Facts>) -> Option<FactType> {
        facts.map(|facts| facts.types[0])
    }

    #[test]
    fn a_state_is_told_once_and_the_next_one_after_it() {
        let (mut letter, _payload) = letter(1, Reason::OktaUnavailable, "E1", second(1));
        let first = letter.told_as_new().unwrap();
        let fact: DeadLetterFact = serde_json::from_str(&first.data).unwrap();
        assert_eq!((first.types[0], fact.next_attempt), (FactType::DeadLetterParked, letter.life.due_at));
        assert_eq!(type_of(letter.tell()), None, "a new letter is told as such");
        let mut positions = vec![first.position];
        for (step, expected) in [
            (Step::Redrive, None),
            (Step::Published, None),
            (Step::Returned { redrive: 1, retriable: false }, Some(FactType::DeadLetterParked)),
            (Step::Discard, Some(FactType::DeadLetterDiscarded)),
            (Step::Expired, None),
            (Step::Redrive, None),
            (Step::Quarantine, Some(FactType::DeadLetterQuarantined)),
            (Step::Redrive, None),
            (Step::Resolve, Some(FactType::DeadLetterResolved)),
        ] {
            letter.step(step, &Actor::schedule(), second(2), None).unwrap();
            let facts = letter.tell();
            positions.extend(facts.as_ref().map(|facts| facts.position.clone()));
            assert_eq!(type_of(facts), expected, "{step:?}");
            assert_eq!(type_of(letter.tell()), None, "{step:?} again");
        }
        assert!(positions.is_sorted_by(|one, next| one < next), "{positions:?}");
    }
}

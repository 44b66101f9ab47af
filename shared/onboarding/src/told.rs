//! Which facts a write tells. Pure.

use std::iter;

use crate::{
    person::Person,
    request::{RequestEvent, RequestState},
};
use contracts::{
    Cause, CorrelationId, EmploymentStatus, EnrichedUser, EnrichmentRequestedV2, EnrichmentState, EventId,
    FactType, Facts, Outcome, RequestFact, Subject, UserFact,
};

/// What the event has made of somebody: a reader sees `after` where it saw `before`. In the order in which they are
/// published.
pub(crate) fn types(before: Option<&EnrichedUser>, after: Option<&EnrichedUser>) -> Vec<FactType> {
    let Some(after) = after else {
        return before.map(|_| FactType::UserErased).into_iter().collect();
    };
    let has_left = |user: &EnrichedUser| user.employment_status == EmploymentStatus::Terminated;
    let is_complete = |user: &EnrichedUser| user.enrichment.state == EnrichmentState::Complete;
    let created = before.is_none().then_some(FactType::UserCreated);
    let terminated = (has_left(after) && !before.is_some_and(has_left)).then_some(FactType::UserTerminated);
    let completed =
        (is_complete(after) && !before.is_some_and(is_complete)).then_some(FactType::UserCompleted);
    let types: Vec<_> = [created, terminated, completed].into_iter().flatten().collect();
    if types.is_empty() { vec![FactType::UserUpdated] } else { types }
}

/// That somebody was forgotten. What was received later, and is `left`, is told anew, as if it were another's.
pub(crate) fn types_of_forgetting(left: Option<&EnrichedUser>) -> Vec<FactType> {
    let anew = left.map(|left| types(None, Some(left)));
    iter::once(FactType::UserErased).chain(anew.into_iter().flatten()).collect()
}

/// That the event has made the person's version. A reader saw `user` a moment before it was one.
pub(crate) fn version(
    person: &Person,
    user: Option<EnrichedUser>,
    changed: Vec<String>,
    event: &EnrichmentRequestedV2,
) -> Facts {
    let Person { version, updated_at, correlation_id, told, .. } = person;
    let user = user.map(|user| EnrichedUser {
        version: *version,
        updated_at: *updated_at,
        correlation_id: correlation_id.clone(),
        ..user
    });
    of_version(person, told.clone(), user, changed, cause(&event.correlation_id, &event.event_id))
}

/// The person's version once more, under the ids that it was told under, to whoever did not read that. `None` of somebody
/// of whom nothing is left. What changed, and by which event, is with whoever was told first.
pub(crate) fn again(person: &Person) -> Option<Facts> {
    let user = person.user()?;
    let types = if person.told.is_empty() { types(None, Some(&user)) } else { person.told.clone() };
    let correlation_id = Some(person.correlation_id.clone());
    let cause = Cause { correlation_id, event_id: None, traceparent: None };
    Some(of_version(person, types, Some(user), Vec::new(), cause))
}

fn of_version(
    person: &Person,
    types: Vec<FactType>,
    user: Option<EnrichedUser>,
    changed: Vec<String>,
    cause: Cause,
) -> Facts {
    let Person { id, version, generation, updated_at, .. } = person;
    // It changes without a version, of which this is told.
    let user = user.map(|mut user| {
        user.enrichment.next_attempt = None;
        user
    });
    let fact = UserFact { id: id.clone(), version: *version, generation: *generation, user, changed };
    Facts {
        types,
        subject: Subject::user(id),
        // A person's versions go on when they were forgotten.
        position: format!("{version:020}"),
        time: *updated_at,
        cause,
        data: json(&fact),
    }
}

/// How an event of a request has ended; `None` while it hasn't. `failure` tells an event's failures apart.
pub(crate) fn ended(id: &CorrelationId, event: &RequestEvent, failure: &str) -> Option<Facts> {
    let RequestState::Ended(outcome) = &event.state else { return None };
    let (fact_type, position) = match outcome {
        Outcome::Failed { .. } => (FactType::RequestFailed, format!("{}#{failure}", event.key())),
        Outcome::Changed { .. } | Outcome::NothingNew => {
            (FactType::RequestEnriched, format!("{}#enriched", event.key()))
        }
    };
    let fact = RequestFact {
        correlation_id: id.clone(),
        event_id: event.event_id.clone(),
        employee_id: event.employee_id.clone(),
        outcome: outcome.clone(),
        next_attempt: event.next_attempt,
    };
    Some(Facts {
        types: vec![fact_type],
        subject: Subject::request(id),
        position,
        time: event.updated_at,
        cause: cause(id, &event.event_id),
        data: json(&fact),
    })
}

fn cause(correlation_id: &CorrelationId, event_id: &EventId) -> Cause {
    let correlation_id = Some(correlation_id.clone());
    Cause { correlation_id, event_id: Some(event_id.clone()), traceparent: None }
}

fn json(fact: &impl serde::Serialize) -> String {
    serde_json::to_string(fact).expect("a struct has no key that JSON can't hold")
}

#[cfg(test)]
mod tests {
    use contracts::{
        Enrichment,
        FactType::{UserCompleted, UserCreated, UserErased, UserTerminated, UserUpdated},
        Reason,
    };

    use super::*;
    use crate::{
        converge::Answer,
        tests::{account, event, made_of},
    };

    fn user(answer: Option<Answer>) -> EnrichedUser {
        made_of(&event(), None, answer).person.user().unwrap()
    }

    #[test]
    fn a_write_tells_what_a_reader_would_call_it() {
        let pending = user(Some(Answer::None(Reason::OktaUnavailable)));
        let complete = user(Some(Answer::Account(account("ACTIVE"))));
        let left = EnrichedUser {
            employment_status: EmploymentStatus::Terminated,
            enrichment: Enrichment { state: EnrichmentState::Left, ..complete.enrichment.clone() },
            ..complete.clone()
        };
        for (before, after, expected) in [
            (None, Some(&pending), vec![UserCreated]),
            (None, Some(&complete), vec![UserCreated, UserCompleted]),
            (None, Some(&left), vec![UserCreated, UserTerminated]),
            (Some(&pending), Some(&complete), vec![UserCompleted]),
            (Some(&complete), Some(&complete), vec![UserUpdated]),
            (Some(&complete), Some(&pending), vec![UserUpdated]),
            (Some(&complete), Some(&left), vec![UserTerminated]),
            (Some(&left), Some(&left), vec![UserUpdated]),
            (Some(&left), Some(&pending), vec![UserUpdated]),
            (Some(&left), Some(&complete), vec![UserCompleted]),
            (Some(&complete), None, vec![UserErased]),
        ] {
            assert_eq!(types(before, after), expected);
        }
    }

    #[test]
    fn each_version_has_its_place_and_tells_the_whole_user_and_what_changed() {
        let written = made_of(&event(), None, Some(Answer::Account(account("ACTIVE"))));
        let facts = written.facts.unwrap();
        assert_eq!(
            (facts.types.as_slice(), facts.position.as_str()),
            ([UserCreated, UserCompleted].as_slice(), "00000000000000000001")
        );
        let fact: UserFact = serde_json::from_str(&facts.data).unwrap();
        assert_eq!((fact.version, fact.generation, &fact.user), (1, 0, &written.person.user()));
        assert!(fact.changed.contains(&"oktaId".to_owned()), "{:?}", fact.changed);
        assert_eq!(facts.cause.event_id.unwrap(), event().event_id);
    }

    #[test]
    fn a_version_that_is_told_again_is_the_same_fact_without_what_is_known_of_its_event() {
        let written = made_of(&event(), None, Some(Answer::Account(account("ACTIVE"))));
        let (first, person) = (written.facts.unwrap(), written.person);
        let again = again(&person).unwrap();
        let ids = |facts: &Facts| facts.types.iter().map(|fact| facts.id(*fact)).collect::<Vec<_>>();
        assert_eq!((ids(&again), again.time), (ids(&first), first.time));
        let told = |facts: &Facts| serde_json::from_str::<UserFact>(&facts.data).unwrap();
        assert_eq!(told(&again), UserFact { changed: Vec::new(), ..told(&first) });
        assert_eq!(again.cause, Cause { event_id: None, ..first.cause });
    }

    #[test]
    fn who_was_stored_before_there_were_facts_is_told_as_somebody_new() {
        let mut person = made_of(&event(), None, Some(Answer::Account(account("ACTIVE")))).person;
        person.told = Vec::new();
        assert_eq!(again(&person).unwrap().types, [UserCreated, UserCompleted]);
    }

    #[test]
    fn of_who_was_forgotten_nothing_is_told_again() {
        let person = made_of(&event(), None, None).person;
        let mut forget = event();
        forget.event_type = contracts::EventType::Erased;
        let gone = crate::converge::forget(&forget, Some(person), &[], crate::tests::now()).unwrap();
        assert_eq!(again(&gone.person), None);
    }
}

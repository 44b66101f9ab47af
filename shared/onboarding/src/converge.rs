//! What an event makes of a person. Pure: the enrichment writes it, a dry run shows it, and both ask Okta in between.

use contracts::{
    Email, EmploymentStatus, EnrichedUser, EnrichmentRequestedV2, EventType, Facts, Outcome, Reason,
};
use jiff::Timestamp;

use crate::{
    change::{self, Change},
    directory::{Account, Directory},
    entry::Entry,
    person::{Forgotten, Person},
    registers::{self, Registers, Statements},
    told,
};

/// Where an event stands among those that were applied.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Place {
    New,
    /// It was applied, or another copy of it that counts rather than this one.
    Known,
    /// Another copy of it was applied, and this one counts: the person has to be made anew of all entries.
    InsteadOfKnown,
    /// It speaks of somebody who was forgotten, and does not bring them back.
    OfForgotten,
}

/// A person with what HR says, before Okta is asked.
#[derive(Debug, Clone)]
pub(crate) struct Draft {
    before: Option<EnrichedUser>,
    person: Person,
    entry: Entry,
    place: Place,
    /// Whether any of the event's statements holds.
    holds: bool,
}

/// What Okta said.
#[derive(Debug)]
pub(crate) enum Answer {
    Account(Account),
    /// An account that another has.
    Taken,
    Nobody,
    /// It said nothing that we can use, for this reason.
    None(Reason),
}

/// A person as they are to be written, with the event's entry.
#[derive(Debug)]
pub(crate) struct Written {
    pub(crate) person: Person,
    pub(crate) entry: Entry,
    /// Whether there is anything to write.
    pub(crate) is_new: bool,
    pub(crate) outcome: Outcome,
    /// What there is to tell of it.
    pub(crate) facts: Option<Facts>,
}

impl Place {
    pub(crate) fn of(event: &EnrichmentRequestedV2, person: Option<&Person>, known: Option<&Entry>) -> Self {
        if let Some(person) = person
            && let Some(forgotten) = &person.forgotten
        {
            let is_gone = person.hr.is_empty();
            if event.received_at <= forgotten.received_at || (is_gone && event.event_type != EventType::Hired)
            {
                return Self::OfForgotten;
            }
        }
        let before = person
            .and_then(|person| person.applied_before.iter().find(|entry| entry.event_id == event.event_id));
        match known.or(before) {
            None => Self::New,
            Some(known) if known.counts_before(event) => Self::Known,
            Some(_) => Self::InsteadOfKnown,
        }
    }
}

impl Draft {
    /// `all` are the person's entries where the event takes the place of a known one, and none elsewhere.
    pub(crate) fn new(
        event: &EnrichmentRequestedV2,
        person: Option<Person>,
        known: Option<Entry>,
        all: &[Entry],
        now: Timestamp,
    ) -> Self {
        let place = Place::of(event, person.as_ref(), known.as_ref());
        let before = person.as_ref().and_then(Person::user);
        let mut person = person
            .unwrap_or_else(|| Person::unknown(event.employee_id.clone(), event.correlation_id.clone(), now));
        let known = known.or_else(|| {
            let at = person.applied_before.iter().position(|entry| entry.event_id == event.event_id)?;
            Some(person.applied_before.remove(at))
        });
        let new = Entry::new(event, now);
        let (entry, holds) = match place {
            Place::New => {
                let holds = merge(&mut person.hr, &new);
                (new, holds)
            }
            Place::InsteadOfKnown => {
                let others = all.iter().filter(|entry| entry.event_id != event.event_id);
                let all = others.chain(&person.applied_before).chain([&new]);
                person.hr = made_of(all, person.forgotten.as_ref());
                (
                    match known {
                        Some(known) => known.corrected(new),
                        None => new,
                    },
                    true,
                )
            }
            Place::Known | Place::OfForgotten => (known.unwrap_or(new), false),
        };
        Self { before, person, entry, place, holds }
    }

    /// For whom Okta has to be asked. A repeat, and an event that is older than all that is known, cost nothing of its rate
    /// limit.
    pub(crate) fn asks_for(&self) -> Option<&Email> {
        let waits = self.person.okta.missing.is_some() && self.place != Place::OfForgotten;
        self.person.email().filter(|_| self.holds || waits)
    }

    /// Whether it is a person who need not be known to Okta.
    pub(crate) fn has_left(&self) -> bool {
        self.person.has_left()
    }

    pub(crate) fn person(&self) -> &Person {
        &self.person
    }

    /// Whether the account was theirs before the event.
    pub(crate) fn held(&self, account: &Account) -> bool {
        self.before.as_ref().is_some_and(|user| {
            user.employment_status == EmploymentStatus::Employed && user.okta_id.as_ref() == Some(&account.id)
        })
    }

    /// `answer` is `None` if Okta was not asked.
    pub(crate) fn answered(
        mut self,
        event: &EnrichmentRequestedV2,
        answer: Option<Answer>,
        now: Timestamp,
    ) -> Written {
        self.note(answer, now);
        let Self { before, mut person, mut entry, place, .. } = self;
        let after = person.user();
        let changes = change::between(before.as_ref(), after.as_ref());
        let outcome = outcome(&changes);
        let facts = (!changes.is_empty()).then(|| {
            person.next_version(event, told::types(before.as_ref(), after.as_ref()), now);
            let fields = changes.iter().map(|change| change.field().to_owned()).collect();
            told::version(&person, after, fields, event)
        });
        let is_new = match place {
            Place::New | Place::InsteadOfKnown => true,
            Place::Known => !changes.is_empty(),
            Place::OfForgotten => false,
        };
        person.writes += 1;
        entry.note(&person, changes, now);
        Written { person, entry, is_new, outcome, facts }
    }

    fn note(&mut self, answer: Option<Answer>, now: Timestamp) {
        let has_left = self.has_left();
        let is_back = is_back(self.before.as_ref(), &self.person);
        let okta = &mut self.person.okta;
        // What somebody had who comes back may be another's by now: it is theirs again when Okta names it and it is claimed.
        // The version before left those without an account, too, what they had.
        if is_back || okta.missing == Some(Reason::EmailTaken) {
            okta.account = None;
        }
        let before = (okta.missing, self.before.as_ref().map(|user| user.enrichment.state));
        match answer {
            Some(Answer::Account(account)) => {
                (okta.account, okta.read_at, okta.missing) = (Some(account), Some(now), None);
            }
            Some(answer @ (Answer::Taken | Answer::Nobody)) => {
                let is_taken = matches!(answer, Answer::Taken);
                let reason = if is_taken { Reason::EmailTaken } else { Reason::UserNotFound };
                // Accounts are often deleted before HR closes the record.
                let missing = (!has_left).then_some(reason);
                (okta.account, okta.read_at, okta.missing) = (None, Some(now), missing);
            }
            Some(Answer::None(reason)) => okta.missing = Some(reason),
            None => {}
        }
        let missing = okta.missing;
        let state = self.person.state();
        if (missing, state) != before {
            self.person.okta.since = now;
            self.person.okta.next_attempt = None;
        }
    }
}

/// The person without anything that was received until the command; `None` if that is so already.
pub(crate) fn forget(
    event: &EnrichmentRequestedV2,
    person: Option<Person>,
    all: &[Entry],
    now: Timestamp,
) -> Option<Written> {
    let before = person.as_ref().and_then(Person::user);
    let mut person = person
        .unwrap_or_else(|| Person::unknown(event.employee_id.clone(), event.correlation_id.clone(), now));
    if person.forgotten.as_ref().is_some_and(|forgotten| forgotten.received_at >= event.received_at) {
        return None;
    }
    person.generation += 1;
    person.forgotten = Some(Forgotten { event_id: event.event_id.clone(), received_at: event.received_at });
    person.hr = made_of(all.iter(), person.forgotten.as_ref());
    let is_back = is_back(before.as_ref(), &person);
    if person.hr.is_empty() {
        person.okta = Directory::unread(now);
    } else if is_back {
        // The termination is forgotten, and what they had may be another's by now.
        person.okta = Directory { missing: Some(Reason::OktaUnavailable), ..Directory::unread(now) };
    }
    let left = person.user();
    let outcome = outcome(&change::between(before.as_ref(), left.as_ref()));
    person.next_version(event, told::types_of_forgetting(left.as_ref()), now);
    let facts = Some(told::version(&person, left, Vec::new(), event));
    person.writes += 1;
    person.applied_before = person.applied_before.into_iter().map(Entry::forgotten).collect();
    let entry = Entry { version: person.version, ..Entry::new(event, now) };
    Some(Written { person, entry, is_new: true, outcome, facts })
}

fn is_back(before: Option<&EnrichedUser>, now: &Person) -> bool {
    !now.has_left() && before.is_some_and(|user| user.employment_status == EmploymentStatus::Terminated)
}

pub(crate) fn outcome<'a>(changes: impl IntoIterator<Item = &'a Change>) -> Outcome {
    let mut fields = Vec::new();
    for field in changes.into_iter().map(Change::field) {
        // One that was written early may be written once more when Okta has answered.
        if !fields.iter().any(|known| known == field) {
            fields.push(field.to_owned());
        }
    }
    if fields.is_empty() { Outcome::NothingNew } else { Outcome::Changed { fields } }
}

fn made_of<'a>(entries: impl Iterator<Item = &'a Entry>, forgotten: Option<&Forgotten>) -> Registers {
    let mut hr = Registers::default();
    for entry in entries {
        if forgotten.is_none_or(|forgotten| entry.received_at > forgotten.received_at) {
            merge(&mut hr, entry);
        }
    }
    hr
}

fn merge(hr: &mut Registers, entry: &Entry) -> bool {
    let (position, stated) = (&entry.position(), &entry.stated);
    let employment = registers::employment(entry.event_type, stated);
    hr.merge(Statements { position, stated, employment })
}

#[cfg(test)]
mod tests;

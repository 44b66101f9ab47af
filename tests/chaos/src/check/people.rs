//! Each person, write by write and at the end, held to what the events make that were applied until then.

use std::collections::{BTreeMap, BTreeSet};

use super::{Checker, Rule};
use crate::{
    evidence::{Accepted, Entry, Letter, Person, User, Write},
    reference::{self, shown},
};

/// The events that were applied to one person.
type Applied<'a> = BTreeMap<&'a str, &'a Accepted>;

impl<'a> Checker<'a> {
    pub(super) fn people(&mut self) {
        let written = self.writes.keys().copied();
        let entered = self.entries.keys().map(|(employee, _)| *employee);
        let shown = self.evidence.users.keys().map(String::as_str);
        let employees: BTreeSet<_> = written.chain(entered).chain(shown).collect();
        for employee in employees {
            self.writes_of(employee);
            self.user_of(employee);
        }
    }

    /// They count up from 1, and so do the versions in which something changed. Each person is what the events make that
    /// were applied until then.
    fn writes_of(&mut self, employee: &str) {
        let writes = self.writes.get(employee).cloned().unwrap_or_default();
        let mut applied = Applied::new();
        let mut entered = BTreeMap::new();
        let mut before: Option<&Write> = None;
        for write in writes {
            let number = write.number;
            match number.checked_sub(before.map_or(0, |before| before.number)) {
                Some(1) => {}
                Some(0) | None => {
                    self.find(Rule::AppliedTwice, format!("{employee} has two writes {number}"));
                }
                Some(_) => self.find(Rule::Lost, format!("{employee} has no write before {number}")),
            }
            for entry in &write.entries {
                entered.insert(entry.event.id.as_str(), entry);
                let event = &entry.event.id;
                let Some(accepted) = self.copy(entry) else {
                    self.find(
                        Rule::Altered,
                        format!("{employee} write {number} is of {event}, which nobody sent"),
                    );
                    continue;
                };
                // With Okta's answer, which it had waited for, it is written once more.
                let is_repeat = applied.insert(&accepted.event.id, accepted) == Some(accepted);
                if is_repeat && before.and_then(seen) == seen(write) {
                    self.find(Rule::AppliedTwice, format!("{employee} write {number}: {event} once more"));
                }
            }
            self.version(before, write);
            let events: Vec<_> = applied.values().copied().collect();
            let what = format!("{employee} write {number}");
            self.compare(&what, write.person.as_ref(), reference::person(&events).as_ref(), &events);
            before = Some(write);
        }
        self.history_of(employee, &entered);
    }

    /// What was entered last of each event is what is there.
    fn history_of(&mut self, employee: &str, entered: &BTreeMap<&str, &Entry>) {
        let stored = self.entries.iter().filter(|((of, _), _)| *of == employee);
        let stored: BTreeMap<_, _> = stored.map(|((_, event), entry)| (*event, *entry)).collect();
        for event in entered.keys().filter(|event| !stored.contains_key(*event)) {
            self.find(Rule::Lost, format!("{event} was written to the history, and is not there"));
        }
        for (event, _) in stored.into_iter().filter(|(event, entry)| entered.get(event) != Some(entry)) {
            self.find(Rule::Lost, format!("{event} came into the history without its person"));
        }
    }

    fn copy(&self, entry: &Entry) -> Option<&'a Accepted> {
        let copies = self.copies.get(&super::key(&entry.event))?;
        let is_it = |accepted: &Accepted| {
            (accepted.edition, accepted.received_at) == (entry.edition, entry.received_at)
        };
        copies.iter().map(|(accepted, _)| *accepted).find(|accepted| is_it(accepted))
    }

    fn version(&mut self, before: Option<&Write>, write: &Write) {
        let Write { employee, version, .. } = write;
        let had = before.map_or(0, |before| before.version);
        let changed = before.and_then(seen) != seen(write);
        match version.checked_sub(had) {
            Some(0) if !changed => {}
            Some(1) if changed => {}
            Some(0) => self.find(Rule::Lost, format!("{employee} changed within version {version}")),
            Some(1) => {
                self.find(Rule::AppliedTwice, format!("{employee} version {version} is as the one before"));
            }
            Some(_) => self.find(Rule::Lost, format!("{employee} has no version {}", had + 1)),
            None => self.find(Rule::AppliedTwice, format!("{employee} has version {version} after {had}")),
        }
    }

    /// What the API shows is the newest version, and says what HR said.
    fn user_of(&mut self, employee: &str) {
        let entries = self.entries.iter().filter(|((of, _), _)| *of == employee);
        let events: Vec<_> = entries.filter_map(|(_, entry)| self.copy(entry)).collect();
        let expected = reference::person(&events);
        let last = self.writes.get(employee).and_then(|writes| writes.last().copied());
        match (self.evidence.users.get(employee), last) {
            (None, Some(_)) if expected.is_some() => {
                self.find(Rule::Lost, format!("{employee} was written and is not there"));
            }
            (None, _) => {}
            (Some(_), None) => self.find(Rule::Altered, format!("nobody has written {employee}")),
            (Some(user), Some(last)) => {
                self.compare(employee, Some(&user.person), expected.map(shown).as_ref(), &events);
                if user.version > last.version {
                    let (is, was) = (user.version, last.version);
                    self.find(
                        Rule::AppliedTwice,
                        format!("{employee} has version {is}, and {was} was written"),
                    );
                } else if user.version < last.version || user.correlation_id != last.correlation_id {
                    let (is, was) = (user.version, last.version);
                    self.find(Rule::OlderOverNewer, format!("{employee} has version {is}, and had {was}"));
                }
                self.state(employee, user);
            }
        }
    }

    /// Who has left has left, who waits has a letter, and who is complete is known to Okta.
    fn state(&mut self, employee: &str, user: &User) {
        let is_theirs = |letter: &Letter| {
            let mut copies = self.copies.range((employee, "")..).take_while(|((of, _), _)| *of == employee);
            copies.any(|(_, copies)| copies.iter().any(|(_, of)| of.is_some_and(|of| of.id == letter.id)))
        };
        let wrong = match user.state.as_str() {
            "left" => (!user.person.has_left).then_some("is said to have left, and has not"),
            _ if user.person.has_left => Some("has left, and is not said to have"),
            "complete" if self.evidence.strangers.contains(employee) => {
                Some("is said to be complete, and Okta doesn't know them")
            }
            "complete" => None,
            "pending" => {
                let waits =
                    self.evidence.letters.iter().any(|letter| is_theirs(letter) && !letter.is_resolved());
                (!waits && user.person.fields.contains_key("email")).then_some("waits, and nothing will come")
            }
            _ => Some("is in an unknown state"),
        };
        let tally = &mut self.verdict.tally;
        tally.pending += usize::from(user.state == "pending");
        tally.left += usize::from(user.state == "left");
        if let Some(wrong) = wrong {
            self.find(Rule::WrongState, format!("{employee} {wrong}"));
        }
    }

    /// Field by field: an older statement's value is told from one that nobody stated.
    fn compare(&mut self, who: &str, is: Option<&Person>, expected: Option<&Person>, events: &[&Accepted]) {
        let nobody = Person::default();
        let (is, expected) = (is.unwrap_or(&nobody), expected.unwrap_or(&nobody));
        match (is.has_left, expected.has_left) {
            (false, true) => self.find(Rule::BroughtBack, format!("{who} is employed, and has left")),
            (true, false) => {
                self.find(Rule::OlderOverNewer, format!("{who} has left, and is employed again"));
            }
            (false, false) | (true, true) => {}
        }
        let names: BTreeSet<_> = is.fields.keys().chain(expected.fields.keys()).collect();
        for name in names.into_iter().filter(|name| is.fields.get(*name) != expected.fields.get(*name)) {
            let was_said = |value: &String| {
                events.iter().any(|accepted| match accepted.event.stated.get(name) {
                    Some(said) => said.as_ref() == Some(value),
                    // The API's one name is first and last name.
                    None => name == "name",
                })
            };
            // That a value is not there is as it was before it was stated, or as it was cleared.
            let rule =
                if is.fields.get(name).is_none_or(was_said) { Rule::OlderOverNewer } else { Rule::Altered };
            self.find(rule, format!("{who} has another {name} than the newest statement"));
        }
    }
}

/// What a reader sees of a person.
fn seen(write: &Write) -> Option<(Person, Option<&str>, Option<&str>)> {
    let person = shown(write.person.clone()?);
    Some((person, write.account.as_deref(), write.missing.as_deref()))
}

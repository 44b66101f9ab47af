//! What was told, held to the versions that were written, to the ends of the requests and to the letters' histories.

use std::collections::{BTreeMap, BTreeSet};

use super::{Checker, Rule};
use crate::{
    evidence::{Letter, Request, Told, Write},
    reference::shown,
};

impl<'a> Checker<'a> {
    pub(super) fn told(&mut self) {
        let first = self.first_told();
        let mut subjects: BTreeSet<_> = first.keys().copied().collect();
        subjects.extend(self.writes.keys());
        subjects.extend(self.evidence.requests.keys().map(String::as_str));
        let letters = self.evidence.letters.iter().map(|letter| (letter.id.as_str(), letter));
        let letters: BTreeMap<_, _> = letters.collect();
        subjects.extend(letters.keys());
        for subject in subjects {
            let told = first.get(subject).map_or(&[][..], Vec::as_slice);
            if let Some(letter) = letters.get(subject) {
                self.states_of(letter, told);
            } else if self.evidence.requests.contains_key(subject) {
                self.end_of(subject, told);
            } else {
                self.versions_of(subject, told);
            }
        }
    }

    /// Each fact as it was seen first, by subject. It may come again, and is the same then.
    fn first_told(&mut self) -> BTreeMap<&'a str, Vec<&'a Told>> {
        let mut known = BTreeMap::<&str, &Told>::new();
        let mut first = BTreeMap::<&str, Vec<&Told>>::new();
        for told in &self.evidence.told {
            match known.insert(&told.id, told) {
                None => first.entry(&told.subject).or_default().push(told),
                Some(before) if before == told => {}
                Some(_) => self.find(Rule::WronglyTold, format!("{} is the id of two facts", told.id)),
            }
        }
        first
    }

    /// Each version of a person once, as what it is to a reader, one after the other.
    fn versions_of(&mut self, employee: &str, told: &[&Told]) {
        let writes = self.writes.get(employee).cloned().unwrap_or_default();
        let (mut expected, mut before) = (Vec::new(), None::<&Write>);
        for write in writes {
            // Somebody of whom nothing is said yet has no version.
            if before.map_or(0, |before| before.version) != write.version {
                expected.extend(kinds(before, write).into_iter().map(|kind| (write, kind)));
            }
            before = Some(write);
        }
        for (write, kind) in &expected {
            let version = write.version;
            let found = told.iter().find(|told| told.version == Some(version) && told.kind == *kind);
            match found {
                None => {
                    self.find(Rule::Untold, format!("{employee} version {version}: nobody was told {kind}"));
                }
                Some(told) if told.person != write.person.clone().map(shown) => {
                    let detail = format!("{employee} version {version} was told as somebody else");
                    self.find(Rule::WronglyTold, detail);
                }
                Some(_) => {}
            }
        }
        for told in told {
            let is_so =
                |(write, kind): &(&Write, &str)| told.version == Some(write.version) && told.kind == *kind;
            if !expected.iter().any(is_so) {
                let (kind, version) = (&told.kind, told.version);
                self.find(Rule::WronglyTold, format!("{employee}: {kind} of version {version:?} is not so"));
            }
        }
        let order = |told: &&Told| {
            expected
                .iter()
                .position(|(write, kind)| told.version == Some(write.version) && told.kind == *kind)
        };
        if !told.iter().filter_map(order).is_sorted() {
            self.find(Rule::WronglyTold, format!("{employee} was not told in the order of the versions"));
        }
    }

    /// Each state that it came to, one after the other, but for those on its way through its topic.
    fn states_of(&mut self, letter: &Letter, told: &[&Told]) {
        let mut states: Vec<&str> = letter.states.iter().map(String::as_str).collect();
        states.dedup();
        let expected: Vec<&str> = states.into_iter().filter_map(kind).collect();
        let told: Vec<&str> = told.iter().map(|told| told.kind.as_str()).collect();
        if expected != told {
            let is_missing = told.len() < expected.len();
            let rule = if is_missing { Rule::Untold } else { Rule::WronglyTold };
            self.find(rule, format!("the letter {} came to {expected:?}, and was told {told:?}", letter.id));
        }
    }

    /// That it failed, if it has a letter or had one, and once that it is enriched.
    fn end_of(&mut self, id: &str, told: &[&Told]) {
        let count = |kind: &str| told.iter().filter(|told| told.kind == kind).count();
        let (enriched, failed) = (count("request.enriched"), count("request.failed"));
        let is_enriched = self.evidence.requests[id].is_enriched();
        if enriched + failed < told.len() {
            self.find(Rule::WronglyTold, format!("{id} is a request, and something else was told of it"));
        }
        match (is_enriched, enriched) {
            (true, 1) | (false, 0) => {}
            (true, 0) => self.find(Rule::Untold, format!("nobody was told that {id} is enriched")),
            (true, _) => {
                self.find(Rule::WronglyTold, format!("{id} was told to be enriched {enriched} times"));
            }
            (false, _) => self.find(Rule::WronglyTold, format!("{id} was told to be enriched, and is not")),
        }
        if self.evidence.requests[id] == Request::Failed && failed == 0 {
            self.find(Rule::Untold, format!("nobody was told that {id} failed"));
        }
        let has_letter = self.accepted.get(id).is_some_and(|accepted| {
            let copies = &self.copies[&super::key(&accepted.event)];
            copies.iter().any(|(copy, letter)| copy == accepted && letter.is_some())
        });
        if failed > 0 && !has_letter {
            self.find(Rule::WronglyTold, format!("{id} was told to have failed, and has no letter"));
        }
    }
}

/// What a letter's state is to a reader.
fn kind(state: &str) -> Option<&'static str> {
    match state {
        "parked" | "scheduled" => Some("dead_letter.parked"),
        "quarantined" => Some("dead_letter.quarantined"),
        "resolved" => Some("dead_letter.resolved"),
        "discarded" => Some("dead_letter.discarded"),
        _ => None,
    }
}

/// What a version is to a reader, in its order.
fn kinds(before: Option<&Write>, write: &Write) -> Vec<&'static str> {
    let has_left = |write: &Write| write.person.as_ref().is_some_and(|person| person.has_left);
    let is_complete = |write: &Write| {
        let has_email = write.person.as_ref().is_some_and(|person| person.fields.contains_key("email"));
        has_email && !has_left(write) && write.missing.is_none()
    };
    let before = before.filter(|before| before.person.is_some());
    let was = |state: &dyn Fn(&Write) -> bool| before.is_some_and(state);
    let mut kinds = Vec::new();
    if before.is_none() {
        kinds.push("user.created");
    }
    if has_left(write) && !was(&has_left) {
        kinds.push("user.terminated");
    }
    if is_complete(write) && !was(&is_complete) {
        kinds.push("user.completed");
    }
    if kinds.is_empty() {
        kinds.push("user.updated");
    }
    kinds
}

//! The checker: a model of its own over what was accepted and what is left. It shares no code with what it checks.

mod people;
mod told;

use std::{collections::BTreeMap, fmt};

use crate::{
    evidence::{Accepted, Content, Entry, Event, Evidence, Letter, Logged, Place, Request, Write},
    reference::counts,
};

/// What must not happen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Rule {
    /// An accepted event is neither in the history nor in a letter, or a write is gone.
    Lost,
    AppliedTwice,
    /// A person says what an older statement does.
    OlderOverNewer,
    /// Whoever has left is employed, and nobody has said so.
    BroughtBack,
    /// A person, an entry or an accepted event says something else than HR did.
    Altered,
    /// A profile is said to be complete, pending or left, and isn't.
    WrongState,
    /// A record of poison without a letter of its own.
    LostPoison,
    /// A letter of nothing, a second letter, or one with another content or reason than its record.
    WrongLetter,
    /// Nobody was told of a version or of an end.
    Untold,
    /// Something was told that is not so, or not in its order.
    WronglyTold,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Finding {
    pub(crate) rule: Rule,
    pub(crate) detail: String,
}

#[derive(Debug, Default)]
pub(crate) struct Verdict {
    pub(crate) findings: Vec<Finding>,
    pub(crate) tally: Tally,
}

/// How it ended for the records, to see that the run had something of everything.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Tally {
    pub(crate) changed: usize,
    pub(crate) nothing_new: usize,
    /// And in the history: what HR says is written, what Okta says is missing.
    pub(crate) in_both: usize,
    pub(crate) in_letters: usize,
    pub(crate) poison: usize,
    /// People who are not complete at the end.
    pub(crate) pending: usize,
    pub(crate) left: usize,
    /// Parked letters of events that another delivery of the same record has enriched.
    pub(crate) overtaken_letters: usize,
}

impl Verdict {
    pub(crate) fn breaks(&self, rule: Rule) -> bool {
        self.findings.iter().any(|finding| finding.rule == rule)
    }
}

pub(crate) fn check(evidence: &Evidence) -> Verdict {
    let mut checker = Checker::new(evidence);
    checker.posts();
    checker.letters();
    checker.records();
    checker.entries();
    checker.people();
    checker.told();
    checker.verdict
}

/// An event of a person. HR systems may number events per person.
type EventKey<'a> = (&'a str, &'a str);

struct Checker<'a> {
    evidence: &'a Evidence,
    accepted: BTreeMap<&'a str, &'a Accepted>,
    /// Each event's copies that were accepted, with the letters of those that have one.
    copies: BTreeMap<EventKey<'a>, Vec<(&'a Accepted, Option<&'a Letter>)>>,
    letters: BTreeMap<Place, Vec<&'a Letter>>,
    entries: BTreeMap<EventKey<'a>, &'a Entry>,
    /// By employee, in their order.
    writes: BTreeMap<&'a str, Vec<&'a Write>>,
    verdict: Verdict,
}

impl<'a> Checker<'a> {
    fn new(evidence: &'a Evidence) -> Self {
        let mut letters = BTreeMap::<_, Vec<_>>::new();
        for letter in &evidence.letters {
            letters.entry(letter.origin).or_default().push(letter);
        }
        let mut writes = BTreeMap::<_, Vec<_>>::new();
        for write in &evidence.writes {
            writes.entry(write.employee.as_str()).or_default().push(write);
        }
        for writes in writes.values_mut() {
            writes.sort_by_key(|write| write.number);
        }
        let entries = evidence.entries.iter().map(|entry| (key(&entry.event), entry)).collect();
        let mut checker = Self {
            evidence,
            accepted: BTreeMap::new(),
            copies: BTreeMap::new(),
            letters,
            entries,
            writes,
            verdict: Verdict::default(),
        };
        for logged in &evidence.log {
            if let Content::Accepted(accepted) = &logged.content {
                let letter = checker.letter(logged);
                checker.accepted.insert(&accepted.correlation_id, accepted);
                checker.copies.entry(key(&accepted.event)).or_default().push((accepted, letter));
            }
        }
        checker
    }

    /// What is redriven and fails again comes back to its letter, and makes no other.
    fn letter(&self, logged: &Logged) -> Option<&'a Letter> {
        match &logged.redriven {
            Some(id) => self.evidence.letters.iter().find(|letter| letter.id == *id),
            None => self.letters.get(&logged.place).and_then(|letters| letters.first().copied()),
        }
    }

    fn find(&mut self, rule: Rule, detail: String) {
        self.verdict.findings.push(Finding { rule, detail });
    }

    /// What was answered 202 is on the topic, as it was posted.
    fn posts(&mut self) {
        for (id, post) in &self.evidence.posts {
            match self.accepted.get(id.as_str()) {
                None if post.accepted => {
                    self.find(Rule::Lost, format!("{id} was answered 202 and is not on the topic"));
                }
                Some(accepted) if accepted.event != post.event => {
                    self.find(Rule::Altered, format!("{id} is on the topic with another content"));
                }
                None | Some(_) => {}
            }
        }
    }

    /// Each letter is of one record, the only one, and has its bytes.
    fn letters(&mut self) {
        let log: BTreeMap<_, _> = self.evidence.log.iter().map(|logged| (logged.place, logged)).collect();
        for (place, letters) in &self.letters.clone() {
            if letters.len() > 1 {
                self.find(Rule::WrongLetter, format!("{} letters of the record at {place}", letters.len()));
            }
            for letter in letters {
                let id = &letter.id;
                match log.get(place) {
                    None => self.find(Rule::WrongLetter, format!("{id} is of {place}, where no record is")),
                    Some(logged) if logged.value != letter.value => {
                        self.find(
                            Rule::WrongLetter,
                            format!("{id} has other bytes than its record at {place}"),
                        );
                    }
                    Some(_) => {}
                }
            }
        }
    }

    /// Each record has one of the two ends, or both.
    fn records(&mut self) {
        let mut poison = 0;
        for logged in &self.evidence.log {
            let (place, letter) = (logged.place, self.letter(logged));
            match &logged.content {
                Content::Accepted(accepted) => self.record(place, accepted, letter),
                Content::Poison { reason } => {
                    poison += usize::from(logged.redriven.is_none());
                    self.poison(place, reason, letter);
                }
                Content::Unknown => {
                    self.find(Rule::Altered, format!("nobody has sent the record at {place}"));
                }
            }
        }
        self.verdict.tally.poison = poison;
        let sent = self.evidence.poison;
        if poison < usize::try_from(sent).unwrap_or(usize::MAX) {
            self.find(
                Rule::LostPoison,
                format!("{poison} records of poison are on the topic, {sent} were sent"),
            );
        }
    }

    fn poison(&mut self, place: Place, reason: &str, letter: Option<&Letter>) {
        let Some(Letter { id, reason: given, .. }) = letter else {
            self.find(Rule::LostPoison, format!("the poison at {place} has no letter"));
            return;
        };
        // Where the brokers stay away, Lambda gives up before the function's own letter is through.
        if given != reason && given != "unprocessed" {
            self.find(Rule::WrongLetter, format!("{id} of poison at {place} says {given}"));
        }
    }

    fn record(&mut self, place: Place, accepted: &Accepted, letter: Option<&Letter>) {
        let id = &accepted.correlation_id;
        let is_entered = self.entries.contains_key(&key(&accepted.event));
        let tally = &mut self.verdict.tally;
        let lost = match (self.evidence.requests.get(id), letter) {
            (Some(Request::Changed), _) => {
                tally.changed += 1;
                (!is_entered).then_some("is said to be applied, and is not in the history")
            }
            (Some(Request::NothingNew), _) => {
                tally.nothing_new += 1;
                (!is_entered).then_some("is said to be known, and is not in the history")
            }
            (Some(Request::Failed), Some(_)) if is_entered => {
                tally.in_both += 1;
                None
            }
            (Some(Request::Failed), Some(_)) => {
                tally.in_letters += 1;
                None
            }
            (Some(Request::Failed), None) => Some("failed, and has no letter"),
            (Some(Request::Accepted), _) => Some("is said to be under way when everything is done"),
            (None, _) => Some("is on the topic, and no request tells of it"),
        };
        if let Some(lost) = lost {
            self.find(Rule::Lost, format!("{id} ({place}) {lost}"));
        }
        let enriched = self.evidence.requests.get(id).is_some_and(|request| request.is_enriched());
        match letter {
            Some(letter) if letter.is_resolved() && !enriched => {
                self.find(
                    Rule::Lost,
                    format!("{id} ({place}): its letter is resolved, and it is not enriched"),
                );
            }
            // Killed between publishing the letter and committing the record, a function gets the record once more.
            Some(letter) if !letter.is_resolved() && enriched => {
                self.verdict.tally.overtaken_letters += 1;
            }
            _ => {}
        }
    }

    /// Each entry says what HR did, and is of the copy that counts.
    fn entries(&mut self) {
        for (key @ (_, event), entry) in &self.entries.clone() {
            let Some(copies) = self.copies.get(key) else {
                self.find(Rule::Altered, format!("{event} is in the history, and nobody has sent it"));
                continue;
            };
            let this = (entry.edition, entry.received_at);
            let is_of = |accepted: &Accepted| (accepted.edition, accepted.received_at) == this;
            let found = copies.iter().find(|(accepted, _)| is_of(accepted));
            // What is in a letter may be applied, and need not be.
            let better = copies.iter().find(|(accepted, letter)| {
                letter.is_none() && !counts(this, (accepted.edition, accepted.received_at))
            });
            let (altered, better) =
                (found.is_none_or(|(accepted, _)| accepted.event != entry.event), better.is_some());
            if altered {
                self.find(Rule::Altered, format!("{event} says something else in the history"));
            }
            if better {
                self.find(
                    Rule::AppliedTwice,
                    format!("a later copy of {event} counts, and not the one that was received first"),
                );
            }
        }
    }
}

fn key(event: &Event) -> EventKey<'_> {
    (&event.employee, &event.id)
}

impl Rule {
    pub(crate) const ALL: [Self; 10] = [
        Self::Lost,
        Self::AppliedTwice,
        Self::OlderOverNewer,
        Self::BroughtBack,
        Self::Altered,
        Self::WrongState,
        Self::LostPoison,
        Self::WrongLetter,
        Self::Untold,
        Self::WronglyTold,
    ];
}

impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Lost => "lost",
            Self::AppliedTwice => "applied twice",
            Self::OlderOverNewer => "older over newer",
            Self::BroughtBack => "brought back",
            Self::Altered => "altered",
            Self::WrongState => "wrong state",
            Self::LostPoison => "lost poison",
            Self::WrongLetter => "wrong letters",
            Self::Untold => "untold",
            Self::WronglyTold => "wrongly told",
        })
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}@{}", self.partition, self.offset)
    }
}

#[cfg(test)]
mod tests;

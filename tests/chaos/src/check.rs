//! The checker: a model of its own over what was accepted and what is left. It shares no code with what it checks.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
};

use crate::evidence::{Accepted, Content, Evidence, Letter, Logged, Place, Request, User, Write};

/// What must not happen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Rule {
    /// An accepted event is neither in the stored users nor in a letter.
    Lost,
    AppliedTwice,
    /// The stored user is older than an event that was taken.
    OlderOverNewer,
    /// A version of a user was made by an event that is older than the version before.
    OutOfOrder,
    /// A stored user, or an accepted event, says something else than HR did.
    Altered,
    /// A record of poison without a letter of its own.
    LostPoison,
    /// A letter of nothing, a second letter, or one with another content or reason than its record.
    WrongLetter,
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
    pub(crate) applied: usize,
    pub(crate) duplicate: usize,
    pub(crate) superseded: usize,
    pub(crate) in_letters: usize,
    pub(crate) poison: usize,
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
    checker.writes();
    checker.users();
    checker.verdict
}

struct Checker<'a> {
    evidence: &'a Evidence,
    accepted: BTreeMap<&'a str, &'a Accepted>,
    letters: BTreeMap<Place, Vec<&'a Letter>>,
    /// By employee, in the order of their versions.
    writes: BTreeMap<&'a str, Vec<&'a Write>>,
    verdict: Verdict,
}

impl<'a> Checker<'a> {
    fn new(evidence: &'a Evidence) -> Self {
        let accepted = evidence.log.iter().filter_map(|logged| match &logged.content {
            Content::Accepted(accepted) => Some((accepted.correlation_id.as_str(), accepted)),
            Content::Poison { .. } | Content::Unknown => None,
        });
        let mut letters = BTreeMap::<_, Vec<_>>::new();
        for letter in &evidence.letters {
            letters.entry(letter.origin).or_default().push(letter);
        }
        let mut writes = BTreeMap::<_, Vec<_>>::new();
        for write in &evidence.writes {
            writes.entry(write.employee.as_str()).or_default().push(write);
        }
        for versions in writes.values_mut() {
            versions.sort_by_key(|write| write.version);
        }
        Self { evidence, accepted: accepted.collect(), letters, writes, verdict: Verdict::default() }
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
                None => {}
                Some(accepted) => {
                    let same_time = post.occurred_at.is_none_or(|at| at == accepted.occurred_at);
                    if accepted.event != post.event || !same_time {
                        self.find(Rule::Altered, format!("{id} is on the topic with another content"));
                    }
                }
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

    /// Each record has one of the two ends.
    fn records(&mut self) {
        let mut poison = 0;
        for Logged { place, content, redriven, .. } in &self.evidence.log {
            // What is redriven and fails again comes back to its letter, and makes no other.
            let letter = match redriven {
                Some(id) => self.evidence.letters.iter().find(|letter| letter.id == *id),
                None => self.letters.get(place).and_then(|letters| letters.first().copied()),
            };
            match content {
                Content::Accepted(accepted) => self.record(*place, accepted, letter),
                Content::Poison { reason } => {
                    poison += usize::from(redriven.is_none());
                    self.poison(*place, reason.as_deref(), letter);
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

    fn poison(&mut self, place: Place, reason: Option<&str>, letter: Option<&Letter>) {
        let Some(Letter { id, reason: given, .. }) = letter else {
            self.find(Rule::LostPoison, format!("the poison at {place} has no letter"));
            return;
        };
        // Where the brokers stay away, Lambda gives up before the function's own letter is through.
        if reason.is_some_and(|reason| given != reason && given != "unprocessed") {
            self.find(Rule::WrongLetter, format!("{id} of poison at {place} says {given}"));
        }
    }

    fn record(&mut self, place: Place, accepted: &Accepted, letter: Option<&Letter>) {
        let id = &accepted.correlation_id;
        let (was_written, is_passed) = self.fate(accepted);
        let tally = &mut self.verdict.tally;
        let lost = match (self.evidence.requests.get(id), letter) {
            (Some(Request::Applied), _) => {
                tally.applied += 1;
                (!was_written).then_some("is said to be applied, and made no version")
            }
            (Some(Request::Duplicate), _) => {
                tally.duplicate += 1;
                (!was_written).then_some("is said to be a duplicate of an event that made no version")
            }
            (Some(Request::Superseded), _) => {
                tally.superseded += 1;
                (!is_passed).then_some("is said to be superseded, and nothing newer made a version")
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
            Some(letter) if letter.state == "resolved" && !enriched => {
                self.find(
                    Rule::Lost,
                    format!("{id} ({place}): its letter is resolved, and it is not enriched"),
                );
            }
            // Killed between publishing the letter and committing the record, a function gets the record once more.
            Some(letter) if letter.state != "resolved" && enriched => {
                self.verdict.tally.overtaken_letters += 1;
            }
            _ => {}
        }
    }

    /// Whether the event made a version of its person, and whether a newer one did.
    fn fate(&self, accepted: &Accepted) -> (bool, bool) {
        let (employee, event) = (&accepted.event.employee, &accepted.event.id);
        let writes = self.writes.get(employee.as_str()).into_iter().flatten();
        let made: Vec<_> =
            writes.filter_map(|write| self.accepted.get(write.correlation_id.as_str())).collect();
        let was_written = made.iter().any(|other| other.event.id == *event);
        (was_written, made.iter().any(|other| other.time() > accepted.time()))
    }

    /// Versions count up from 1, each made by another event, none by an older one than before.
    fn writes(&mut self) {
        for (employee, writes) in &self.writes.clone() {
            let (mut events, mut newest, mut before) = (BTreeSet::new(), None, 0);
            for write in writes {
                let (id, version) = (&write.correlation_id, write.version);
                if version == before {
                    self.find(Rule::AppliedTwice, format!("{employee} has two versions {version}"));
                } else if version > before + 1 {
                    self.find(Rule::Lost, format!("{employee} has no version {}", before + 1));
                }
                before = version;
                let Some(accepted) = self.accepted.get(id.as_str()).copied() else {
                    self.find(
                        Rule::Altered,
                        format!("{employee} version {version} is of {id}, which nobody sent"),
                    );
                    continue;
                };
                if !events.insert(&accepted.event.id) {
                    let event = &accepted.event.id;
                    self.find(Rule::AppliedTwice, format!("{employee} version {version}: {event} once more"));
                }
                if newest.is_some_and(|newest| newest > accepted.time()) {
                    self.find(Rule::OutOfOrder, format!("{employee} version {version} is of an older event"));
                }
                newest = newest.max(Some(accepted.time()));
            }
        }
    }

    /// What is stored is the newest version, and says what HR said.
    fn users(&mut self) {
        let employees: BTreeSet<_> =
            self.writes.keys().copied().chain(self.evidence.users.keys().map(String::as_str)).collect();
        for employee in employees {
            let writes = self.writes.get(employee).map_or(&[][..], Vec::as_slice);
            match (self.evidence.users.get(employee), writes.last().copied()) {
                (None, _) => self.find(Rule::Lost, format!("{employee} was written and is not there")),
                (Some(_), None) => self.find(Rule::Altered, format!("nobody has written {employee}")),
                (Some(user), Some(last)) => self.user(employee, user, last, writes.len()),
            }
        }
    }

    fn user(&mut self, employee: &str, user: &User, last: &Write, versions: usize) {
        if usize::try_from(user.version).is_ok_and(|version| version > versions) {
            let version = user.version;
            self.find(
                Rule::AppliedTwice,
                format!("{employee} has version {version} after {versions} events"),
            );
        }
        if user.version < last.version || user.correlation_id != last.correlation_id {
            let (is, was) = (user.version, last.version);
            self.find(Rule::OlderOverNewer, format!("{employee} has version {is}, and had {was}"));
        }
        let Some(accepted) = self.accepted.get(user.correlation_id.as_str()).copied() else {
            self.find(Rule::Altered, format!("{employee} is of a request that nobody sent"));
            return;
        };
        let event = &accepted.event;
        let told = (&event.email, &event.title, &event.department, event.terminated);
        if told != (&user.email, &user.title, &user.department, user.terminated) {
            self.find(Rule::Altered, format!("{employee} says something else than {} did", event.id));
        }
    }
}

impl Rule {
    pub(crate) const ALL: [Self; 7] = [
        Self::Lost,
        Self::AppliedTwice,
        Self::OlderOverNewer,
        Self::OutOfOrder,
        Self::Altered,
        Self::LostPoison,
        Self::WrongLetter,
    ];
}

impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Lost => "lost",
            Self::AppliedTwice => "applied twice",
            Self::OlderOverNewer => "older over newer",
            Self::OutOfOrder => "out of order",
            Self::Altered => "altered",
            Self::LostPoison => "lost poison",
            Self::WrongLetter => "wrong letters",
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

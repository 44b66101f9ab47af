//! The events of one employee, as an HR system tells them: not always in order, once, or with a time.

use std::collections::BTreeMap;

use fastrand::Rng;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Map, Value};

use crate::evidence::Event;

/// Long before any run, so that no webhook takes an event for one from the future.
const FIRST_DAY: i64 = 1_735_689_600;

/// A webhook whose clock is four minutes slow takes an event for up to a minute ahead of ours.
const AHEAD_SECONDS: i64 = 50;

const DEPARTMENTS: [&str; 5] = ["Engineering", "Sales", "Finance", "People", "Médecine du travail"];
const OFFICES: [&str; 3] = ["Malmö", "Oslo", "Bergen"];
const COUNTRIES: [&str; 3] = ["SE", "NO", "DK"];
const GONE: [&str; 4] = ["Terminated", "INACTIVE", "retired", "left"];
const BACK: [&str; 4] = ["Active", "rehired", "On Leave", "employed"];
const OTHER_WORDS: [&str; 2] = ["sabbatical", "probation"];

/// One in so many of an employee's events is followed by a repeat, comes too late, or occurred with the one before.
const REPEATED: u32 = 10;
const LATE: u32 = 8;
const SAME_TIME: u32 = 10;
/// One in so many employees leaves.
const LEAVING: u32 = 3;
/// One in so many updates has a word for the employment, or a null for what can't be cleared.
const IN_WORDS: u32 = 8;
const NOT_CLEARABLE: u32 = 10;

/// An event that HR posts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Posting {
    /// Without its time.
    pub(crate) event: Event,
    pub(crate) when: When,
    /// The webhook's body, without the time.
    pub(crate) body: Map<String, Value>,
}

/// What HR says of when an event occurred.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum When {
    At(Timestamp),
    /// By a clock that is so much ahead, at the first attempt.
    Ahead(SignedDuration),
    Unsaid,
}

/// How an HR system knows the time.
#[derive(Clone, Copy)]
enum Clock {
    Calendar,
    Ahead,
    None,
    Any,
}

/// Hired, updated, maybe gone, maybe back; with repeats, and not always in order.
pub(super) fn life(random: &mut Rng, id: &str, length: usize) -> Vec<Posting> {
    let clock = match random.u32(..10) {
        0 => Clock::None,
        1..=2 => Clock::Ahead,
        3 => Clock::Any,
        _ => Clock::Calendar,
    };
    let leaves = (random.u32(..LEAVING) == 0).then(|| 1 + random.usize(..length.max(1)));
    let returns = leaves.filter(|_| random.bool()).map(|leaves| leaves + 1 + random.usize(..4));
    let mut at = Timestamp::from_second(FIRST_DAY).expect("a day of 2025");
    let mut sent = Vec::<Posting>::with_capacity(length);
    let mut revision = 0;
    while sent.len() < length {
        if !sent.is_empty() && random.u32(..REPEATED) == 0 {
            let mut repeated = sent[random.usize(..sent.len())].clone();
            if random.bool() {
                repeated.when = When::Unsaid;
            }
            sent.push(repeated);
            continue;
        }
        if revision > 0 && random.u32(..SAME_TIME) != 0 {
            at += SignedDuration::from_secs(random.i64(1..100_000));
        }
        let kind = match revision {
            0 => "hired",
            _ if Some(revision) == leaves => "terminated",
            _ if Some(revision) == returns && random.bool() => "hired",
            _ => "updated",
        };
        let mut said = said(random, id, revision, kind);
        if Some(revision) == returns && kind == "updated" {
            said.insert("status", Some(one_of(random, &BACK)));
        }
        let when = clock.when(random, at);
        sent.push(posting(random, id, revision, kind, said, when));
        revision += 1;
    }
    for late in 1..sent.len() {
        if random.u32(..LATE) == 0 {
            sent.swap(late - 1, late);
        }
    }
    // Terminations are entered when somebody gets round to it.
    if let Some(ended) = sent.iter().position(|posting| posting.event.kind == "terminated")
        && random.bool()
    {
        let until = sent.len().min(ended + 1 + random.usize(1..4));
        sent[ended..until].rotate_left(1);
    }
    sent
}

type Said = BTreeMap<&'static str, Option<String>>;

/// A hire says everything, the others what has changed.
fn said(random: &mut Rng, id: &str, revision: usize, kind: &str) -> Said {
    let mut said = Said::from([
        ("firstName", Some(format!("Zoë-{}", random.alphabetic()))),
        ("lastName", Some(id.to_owned())),
        ("email", Some(super::email(id))),
        ("title", Some(format!("Specialist {revision}"))),
        ("department", Some(one_of(random, &DEPARTMENTS))),
        ("office", Some(one_of(random, &OFFICES))),
        ("country", Some(one_of(random, &COUNTRIES))),
    ]);
    if kind != "hired" {
        // Most who leave are only said to have left.
        let share = if kind == "terminated" { 10 } else { 3 };
        said.retain(|_, _| random.u32(..share) == 0);
        for (name, value) in &mut said {
            if is_clearable(name) && random.u32(..4) == 0 {
                *value = None;
            }
        }
    }
    if kind == "updated" && random.u32(..IN_WORDS) == 0 {
        let words: &[&str] = match random.u32(..4) {
            0 => &GONE,
            1 => &BACK,
            2 => &OTHER_WORDS,
            _ => &[],
        };
        said.insert("status", (!words.is_empty()).then(|| one_of(random, words)));
    }
    said
}

fn posting(
    random: &mut Rng,
    id: &str,
    revision: usize,
    kind: &'static str,
    said: Said,
    when: When,
) -> Posting {
    let event_id = format!("evt-{id}-{revision}");
    let mut body = Map::from_iter(
        [("event_id", event_id.as_str()), ("event_type", kind), ("employee_id", id)]
            .map(|(name, value)| (name.to_owned(), value.into())),
    );
    for (name, value) in &said {
        body.insert(sent_as(name).to_owned(), value.clone().into());
    }
    if kind == "updated" && !said.contains_key("email") && random.u32(..NOT_CLEARABLE) == 0 {
        body.insert("email".to_owned(), Value::Null);
    }
    let stated = said.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
    let event =
        Event { id: event_id, employee: id.to_owned(), kind: kind.to_owned(), occurred_at: None, stated };
    Posting { event, when, body }
}

fn is_clearable(name: &str) -> bool {
    !matches!(name, "firstName" | "lastName" | "email")
}

fn sent_as(name: &'static str) -> &'static str {
    match name {
        "firstName" => "first_name",
        "lastName" => "last_name",
        name => name,
    }
}

fn one_of(random: &mut Rng, of: &[&str]) -> String {
    of[random.usize(..of.len())].to_owned()
}

impl Clock {
    fn when(self, random: &mut Rng, at: Timestamp) -> When {
        let ahead = When::Ahead(SignedDuration::from_secs(random.i64(0..AHEAD_SECONDS)));
        match self {
            Self::Calendar => When::At(at),
            Self::Ahead => ahead,
            Self::None => When::Unsaid,
            Self::Any => [When::At(at), ahead, When::Unsaid][random.usize(..3)],
        }
    }
}

impl Posting {
    pub(crate) fn body(&self, occurred_at: Option<Timestamp>) -> String {
        let mut body = self.body.clone();
        if let Some(at) = occurred_at {
            body.insert("occurred_at".to_owned(), at.to_string().into());
        }
        Value::Object(body).to_string()
    }
}

//! What HR will say, and what else will stand on the topic: all of it from the seed.

use fastrand::Rng;
use jiff::{SignedDuration, Timestamp};
use okta::{UserStatus, fake::Person};
use serde_json::{Value, json};

use crate::evidence::Event;

/// Long before any run, so that no webhook takes an event for one from the future.
const FIRST_DAY: i64 = 1_735_689_600;

const DEPARTMENTS: [&str; 5] = ["Engineering", "Sales", "Finance", "People", "Médecine du travail"];

/// One in so many of an employee's events is followed by a repeat, comes too late, or occurred with the one before.
const REPEATED: u32 = 12;
const LATE: u32 = 8;
const SAME_TIME: u32 = 10;
/// One in so many employees is of an HR system that doesn't say when.
const TIMELESS: u32 = 30;
/// One in so many deliveries is poison.
const POISON: usize = 80;

#[derive(Debug)]
pub(crate) struct Plan {
    pub(crate) people: Vec<Person>,
    /// In the order in which they are sent. Those of one employee wait for each other.
    pub(crate) deliveries: Vec<Delivery>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Delivery {
    Post(Posting),
    Poison(Poison),
}

/// An event that HR posts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Posting {
    pub(crate) event: Event,
    pub(crate) occurred_at: Option<Timestamp>,
    first_name: String,
    kind: &'static str,
}

/// A record that no webhook lets through, put straight onto the topic.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Poison {
    pub(crate) key: Option<String>,
    pub(crate) value: Option<Vec<u8>>,
    /// What its letter has to say. `None`: it depends on the weather.
    pub(crate) reason: Option<&'static str>,
}

impl Plan {
    pub(crate) fn new(seed: u64, employees: usize, events: usize) -> Self {
        let mut random = Rng::with_seed(seed);
        let ids: Vec<_> = (0..employees).map(|number| format!("E{number:05}")).collect();
        let poison = events / POISON;
        let mut timed = Vec::with_capacity(events);
        for (number, id) in ids.iter().enumerate() {
            // All of them together are as many as was asked for.
            let share = (events - poison) * (number + 1) / employees - (events - poison) * number / employees;
            let history = history(&mut random, id, share);
            timed.extend(spread(&mut random, history));
        }
        let bad: Vec<_> =
            (0..poison).map(|number| Delivery::Poison(bad_record(&mut random, number, &ids))).collect();
        timed.extend(bad.into_iter().map(|bad| (random.u64(..), bad)));
        timed.sort_by_key(|(at, _)| *at);
        let people = ids.iter().map(|id| person(id)).collect();
        Self { people, deliveries: timed.into_iter().map(|(_, delivery)| delivery).collect() }
    }
}

/// Over the whole run, in their order.
fn spread(random: &mut Rng, deliveries: Vec<Posting>) -> Vec<(u64, Delivery)> {
    let mut times: Vec<_> = deliveries.iter().map(|_| random.u64(..)).collect();
    times.sort_unstable();
    times.into_iter().zip(deliveries.into_iter().map(Delivery::Post)).collect()
}

/// Hired, updated, maybe terminated; with repeats, and not always in order.
fn history(random: &mut Rng, id: &str, length: usize) -> Vec<Posting> {
    let timeless = random.u32(..TIMELESS) == 0;
    let leaves = random.u32(..4) == 0;
    let mut at = Timestamp::from_second(FIRST_DAY).expect("a day of 2025");
    let mut sent = Vec::<Posting>::with_capacity(length);
    let mut revision = 0;
    while sent.len() < length {
        if !sent.is_empty() && random.u32(..REPEATED) == 0 {
            let repeated = random.choice(&sent).cloned();
            sent.extend(repeated);
            continue;
        }
        if revision > 0 && random.u32(..SAME_TIME) != 0 {
            at += SignedDuration::from_secs(random.i64(1..100_000));
        }
        let kind = match revision {
            0 => "hired",
            _ if leaves && sent.len() + 1 == length => "terminated",
            _ => "updated",
        };
        sent.push(posting(random, id, revision, kind, (!timeless).then_some(at)));
        revision += 1;
    }
    for late in 1..sent.len() {
        if random.u32(..LATE) == 0 {
            sent.swap(late - 1, late);
        }
    }
    sent
}

fn posting(
    random: &mut Rng,
    id: &str,
    revision: usize,
    kind: &'static str,
    at: Option<Timestamp>,
) -> Posting {
    let event = Event {
        id: format!("evt-{id}-{revision}"),
        employee: id.to_owned(),
        email: email(id),
        title: format!("Specialist {revision}"),
        department: (*random.choice(&DEPARTMENTS).expect("there are some")).to_owned(),
        terminated: kind == "terminated",
    };
    Posting { event, occurred_at: at, first_name: format!("Zoë-{}", random.alphabetic()), kind }
}

fn bad_record(random: &mut Rng, number: usize, employees: &[String]) -> Poison {
    // Of somebody whose other events must not suffer from it.
    let key = random.choice(employees).cloned();
    let (value, reason) = match number % 4 {
        0 => (Some((0..40).map(|_| random.u8(128..)).collect()), Some("undecodable")),
        1 => (None, Some("undecodable")),
        2 => (
            Some(json!({"eventId": format!("bad-{number}"), "employee": []}).to_string().into_bytes()),
            Some("invalid"),
        ),
        _ => (Some(unknown_person(number).to_string().into_bytes()), None),
    };
    Poison { key, value, reason }
}

/// Well-formed, of somebody whom Okta doesn't know.
fn unknown_person(number: usize) -> Value {
    json!({
        "eventId": format!("bad-{number}"), "eventType": "hired", "correlationId": format!("bad-{number}"),
        "occurredAt": "2025-06-01T00:00:00Z", "receivedAt": "2025-06-01T00:00:01Z",
        "employee": {
            "id": format!("X{number}"), "firstName": "Nobody", "lastName": "Known",
            "email": format!("nobody-{number}@acme.example"),
        },
    })
}

fn person(id: &str) -> Person {
    Person {
        id: format!("00u{id}"),
        status: UserStatus::Active,
        login: email(id),
        email: email(id),
        first_name: "Zoë".to_owned(),
        last_name: id.to_owned(),
        title: String::new(),
        department: String::new(),
        groups: vec!["Everyone".to_owned()],
        apps: vec!["Slack".to_owned()],
    }
}

fn email(id: &str) -> String {
    format!("{}@acme.example", id.to_lowercase())
}

impl Posting {
    /// The webhook's body.
    pub(crate) fn body(&self) -> String {
        let Event { id, employee, email, title, department, .. } = &self.event;
        let mut body = json!({
            "event_id": id, "event_type": self.kind, "employee_id": employee, "email": email,
            "first_name": self.first_name, "last_name": employee, "title": title, "department": department,
        });
        if let Some(at) = self.occurred_at {
            body["occurred_at"] = at.to_string().into();
        }
        body.to_string()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, BTreeSet};

    use super::*;

    fn postings(plan: &Plan) -> BTreeMap<&str, Vec<&Posting>> {
        let mut of = BTreeMap::<_, Vec<_>>::new();
        for delivery in &plan.deliveries {
            if let Delivery::Post(posting) = delivery {
                of.entry(posting.event.employee.as_str()).or_default().push(posting);
            }
        }
        of
    }

    #[test]
    fn a_seed_is_one_plan_and_another_seed_another() {
        let plan = |seed| Plan::new(seed, 20, 300).deliveries;
        assert_eq!(plan(7), plan(7));
        assert_ne!(plan(7), plan(8));
    }

    #[test]
    fn it_is_as_long_as_was_asked_for_and_everybody_is_in_it() {
        let plan = Plan::new(1, 30, 1000);
        assert_eq!((plan.deliveries.len(), plan.people.len(), postings(&plan).len()), (1000, 30, 30));
    }

    #[test]
    fn it_has_repeats_late_events_ties_leavers_and_all_kinds_of_poison() {
        let plan = Plan::new(1, 200, 3000);
        let (mut repeats, mut late, mut ties, mut timeless) = (0, 0, 0, 0);
        for sent in postings(&plan).values() {
            let mut seen = BTreeSet::new();
            repeats += sent.iter().filter(|posting| !seen.insert(&posting.event.id)).count();
            let pairs = || sent.windows(2).filter(|pair| pair[0].event.id != pair[1].event.id);
            late += pairs().filter(|pair| pair[0].occurred_at > pair[1].occurred_at).count();
            ties += pairs().filter(|pair| pair[0].occurred_at == pair[1].occurred_at).count();
            timeless += usize::from(sent[0].occurred_at.is_none());
        }
        assert!(
            repeats > 100 && late > 100 && ties > 100 && timeless > 1,
            "{repeats} {late} {ties} {timeless}"
        );
        let is_leaving =
            |delivery: &&Delivery| matches!(delivery, Delivery::Post(posting) if posting.event.terminated);
        assert!(plan.deliveries.iter().filter(is_leaving).count() > 20);
        let reasons = plan.deliveries.iter().filter_map(|delivery| match delivery {
            Delivery::Poison(poison) => Some((poison.reason, poison.value.is_some())),
            Delivery::Post(_) => None,
        });
        assert_eq!(reasons.collect::<BTreeSet<_>>().len(), 4);
    }
}

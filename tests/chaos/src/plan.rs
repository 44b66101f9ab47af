//! What HR will say, and what else will stand on the topic: all of it from the seed.

mod life;

use std::collections::BTreeSet;

use fastrand::Rng;
use okta::{UserStatus, fake::Person};
use serde_json::json;

pub(crate) use self::life::{Posting, When};

/// One in so many deliveries is poison.
const POISON: usize = 80;
/// One in so many employees is unknown to Okta.
const STRANGER: usize = 25;

#[derive(Debug)]
pub(crate) struct Plan {
    /// Whom Okta knows.
    pub(crate) people: Vec<Person>,
    pub(crate) strangers: BTreeSet<String>,
    /// In the order in which they are sent. Those of one employee wait for each other.
    pub(crate) deliveries: Vec<Delivery>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Delivery {
    Post(Posting),
    Poison(Poison),
}

/// A record that no webhook lets through, put straight onto the topic.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Poison {
    pub(crate) key: Option<String>,
    pub(crate) value: Option<Vec<u8>>,
    /// What its letter has to say.
    pub(crate) reason: &'static str,
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
            let life = life::life(&mut random, id, share);
            timed.extend(spread(&mut random, life));
        }
        let bad: Vec<_> =
            (0..poison).map(|number| Delivery::Poison(bad_record(&mut random, number, &ids))).collect();
        timed.extend(bad.into_iter().map(|bad| (random.u64(..), bad)));
        timed.sort_by_key(|(at, _)| *at);
        let (strangers, known): (Vec<_>, Vec<_>) =
            ids.into_iter().enumerate().partition(|(number, _)| number % STRANGER == STRANGER - 1);
        Self {
            people: known.iter().map(|(_, id)| person(id)).collect(),
            strangers: strangers.into_iter().map(|(_, id)| id).collect(),
            deliveries: timed.into_iter().map(|(_, delivery)| delivery).collect(),
        }
    }
}

/// Over the whole run, in their order.
fn spread(random: &mut Rng, deliveries: Vec<Posting>) -> Vec<(u64, Delivery)> {
    let mut times: Vec<_> = deliveries.iter().map(|_| random.u64(..)).collect();
    times.sort_unstable();
    times.into_iter().zip(deliveries.into_iter().map(Delivery::Post)).collect()
}

fn bad_record(random: &mut Rng, number: usize, employees: &[String]) -> Poison {
    // Of somebody whose other events must not suffer from it.
    let key = random.choice(employees).cloned();
    let (value, reason) = match number % 4 {
        0 => (Some((0..40).map(|_| random.u8(128..)).collect()), "undecodable"),
        1 => (None, "undecodable"),
        // Of the version before.
        2 => {
            let event = json!({"eventId": format!("bad-{number}"), "employee": []});
            (Some(event.to_string().into_bytes()), "invalid")
        }
        // Of a version to come.
        _ => {
            let event = json!({
                "eventId": format!("bad-{number}"), "eventType": "updated", "correlationId": format!("bad-{number}"),
                "receivedAt": "2025-06-01T00:00:01Z", "employeeId": key, "stated": {"shoeSize": "44"},
            });
            (Some(event.to_string().into_bytes()), "invalid")
        }
    };
    Poison { key, value, reason }
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

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

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
        let employees = (plan.people.len(), plan.strangers.len(), postings(&plan).len());
        assert_eq!((plan.deliveries.len(), employees), (1000, (29, 1, 30)));
    }

    #[test]
    fn it_has_repeats_and_late_events_and_ties_and_times_of_every_kind() {
        let plan = Plan::new(1, 200, 3000);
        let (mut repeats, mut late, mut ties) = ([0, 0], 0, 0);
        let (mut ahead, mut unsaid) = (0, 0);
        for sent in postings(&plan).values() {
            let mut seen = BTreeSet::new();
            for posting in sent {
                let is_repeat = !seen.insert(&posting.event.id);
                repeats[usize::from(posting.when == When::Unsaid)] += usize::from(is_repeat);
                if let When::Ahead(by) = posting.when {
                    assert!((0..60).contains(&by.as_secs()), "a webhook would refuse {by:?}");
                    ahead += 1;
                }
                unsaid += usize::from(posting.when == When::Unsaid && !is_repeat);
            }
            for pair in sent.windows(2).filter(|pair| pair[0].event.id != pair[1].event.id) {
                if let (When::At(one), When::At(next)) = (pair[0].when, pair[1].when) {
                    late += usize::from(one > next);
                    ties += usize::from(one == next);
                }
            }
        }
        let counts = (repeats, late, ties, ahead, unsaid);
        assert!(repeats.iter().all(|repeats| *repeats > 50) && late > 50 && ties > 50, "{counts:?}");
        assert!(ahead > 300 && unsaid > 200, "{counts:?}");
    }

    #[test]
    fn it_has_patches_and_late_leavers_and_words() {
        let plan = Plan::new(1, 200, 3000);
        let postings = postings(&plan);
        let count =
            |is: &dyn Fn(&Posting) -> bool| postings.values().flatten().filter(|posting| is(posting)).count();
        let is_update = |posting: &Posting| posting.event.kind == "updated";
        let clears =
            count(&|posting| is_update(posting) && posting.event.stated.values().any(Option::is_none));
        let in_words = count(&|posting| is_update(posting) && posting.event.stated.contains_key("status"));
        let not_cleared = count(&|posting| posting.body.get("email").is_some_and(serde_json::Value::is_null));
        let leaves = count(&|posting| posting.event.kind == "terminated");
        assert!(clears > 200 && in_words > 100 && not_cleared > 50 && leaves > 30);
        let newer_before = |sent: &[&Posting], ended: usize| {
            let newer = |posting: &&Posting| matches!((posting.when, sent[ended].when), (When::At(before), When::At(ended)) if before > ended);
            sent[..ended].iter().any(newer)
        };
        let late = postings.values().filter(|sent| {
            let ended = sent.iter().position(|posting| posting.event.kind == "terminated");
            ended.is_some_and(|ended| newer_before(sent, ended))
        });
        assert!(late.count() > 10);
    }

    #[test]
    fn it_has_all_kinds_of_poison() {
        let plan = Plan::new(1, 200, 3000);
        let reasons = plan.deliveries.iter().filter_map(|delivery| match delivery {
            Delivery::Poison(poison) => Some((poison.reason, poison.value.is_some())),
            Delivery::Post(_) => None,
        });
        assert_eq!(reasons.collect::<BTreeSet<_>>().len(), 3);
    }
}

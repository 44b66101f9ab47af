//! Bugs put into a log by hand: each has to be found, by its name, and nothing else.

use std::collections::BTreeSet;

use jiff::Timestamp;

use super::*;
use crate::{
    evidence::{Person, Post, Told, User},
    reference::{self, shown},
};

const EMPLOYEES: [&str; 3] = ["E1", "E2", "E3"];

/// Three people with four events each, as they were applied, a repeat, one that came too late, one in a letter, somebody
/// whom Okta doesn't know, and poison: everything as it should be.
fn sound() -> Evidence {
    let mut evidence = Evidence::default();
    for employee in EMPLOYEES {
        for number in 1..=4 {
            record(&mut evidence, event(employee, number), Request::Changed);
            apply(&mut evidence, &id(employee, number), None);
        }
    }
    again(&mut evidence, event("E1", 2), 102, "repeat", Request::NothingNew);
    let late = Event { occurred_at: Some(at(2)), ..update("E2", 5, &[("title", Some("Specialist 5"))]) };
    record(&mut evidence, late, Request::NothingNew);
    apply(&mut evidence, "E2-5", None);
    let failed = record(&mut evidence, update("E3", 5, &[("title", Some("Specialist 5"))]), Request::Failed);
    apply(&mut evidence, "E3-5", Some("okta_malformed"));
    letter(&mut evidence, failed, "okta_malformed");
    evidence.strangers.insert("E4".to_owned());
    let unknown = record(&mut evidence, event("E4", 1), Request::Failed);
    apply(&mut evidence, "E4-1", Some("user_not_found"));
    letter(&mut evidence, unknown, "user_not_found");
    let poison = log(&mut evidence, Some(vec![0xff]), Content::Poison { reason: "undecodable".to_owned() });
    evidence.poison = 1;
    letter(&mut evidence, poison, "undecodable");
    evidence
}

fn at(second: u32) -> Timestamp {
    Timestamp::from_second(1_735_689_600 + i64::from(second)).unwrap()
}

fn id(employee: &str, number: u32) -> String {
    format!("{employee}-{number}")
}

/// Hired, given a title, given another, gone.
fn event(employee: &str, number: u32) -> Event {
    let (kind, stated): (_, &[_]) = match number {
        1 => (
            "hired",
            &[("firstName", Some("Zoë")), ("lastName", Some(employee)), ("email", Some("z@acme.example"))],
        ),
        2 => ("updated", &[("title", Some("Specialist 2")), ("office", Some("Oslo"))]),
        3 => ("updated", &[("title", Some("Specialist 3")), ("office", None)]),
        _ => ("terminated", &[]),
    };
    Event { kind: kind.to_owned(), ..update(employee, number, stated) }
}

fn update(employee: &str, number: u32, stated: &[(&str, Option<&str>)]) -> Event {
    let stated = stated.iter().map(|(name, value)| ((*name).to_owned(), value.map(str::to_owned)));
    Event {
        id: format!("evt-{}", id(employee, number)),
        employee: employee.to_owned(),
        kind: "updated".to_owned(),
        occurred_at: Some(at(number)),
        stated: stated.collect(),
    }
}

fn log(evidence: &mut Evidence, value: Option<Vec<u8>>, content: Content) -> Place {
    let place = Place { partition: 0, offset: i64::try_from(evidence.log.len()).unwrap() };
    evidence.log.push(Logged { place, value, content, redriven: None });
    place
}

/// An event that was posted, accepted, and came to this end.
fn record(evidence: &mut Evidence, event: Event, end: Request) -> Place {
    let (id, received) = (event.id.replace("evt-", ""), 50 + u32::try_from(evidence.log.len()).unwrap());
    again(evidence, event, received, &id, end)
}

fn again(evidence: &mut Evidence, event: Event, received: u32, id: &str, end: Request) -> Place {
    evidence.posts.insert(id.to_owned(), Post { event: event.clone(), accepted: true });
    evidence.requests.insert(id.to_owned(), end);
    let kind = if end.is_enriched() { "request.enriched" } else { "request.failed" };
    tell(evidence, kind, id, None, None);
    let accepted = Accepted { correlation_id: id.to_owned(), event, received_at: at(received), edition: 0 };
    log(evidence, Some(id.as_bytes().to_vec()), Content::Accepted(accepted))
}

/// As the enrichment writes it, and as the API shows it then.
fn apply(evidence: &mut Evidence, id: &str, missing: Option<&str>) {
    let accepted: Vec<_> = evidence
        .log
        .iter()
        .filter_map(|logged| match &logged.content {
            Content::Accepted(accepted) => Some(accepted.clone()),
            Content::Poison { .. } | Content::Unknown => None,
        })
        .collect();
    let this = accepted.iter().find(|accepted| accepted.correlation_id == id).unwrap();
    let (employee, event) = (this.event.employee.clone(), this.event.clone());
    let entry = Entry { event, received_at: this.received_at, edition: this.edition };
    evidence.entries.retain(|known| key(&known.event) != key(&entry.event));
    evidence.entries.push(entry.clone());
    let is_applied = |accepted: &&Accepted| {
        accepted.event.employee == employee
            && evidence.entries.iter().any(|entry| {
                (&entry.event.id, entry.received_at) == (&accepted.event.id, accepted.received_at)
            })
    };
    let person = reference::person(&accepted.iter().filter(is_applied).collect::<Vec<_>>());
    let before = evidence.writes.iter().rfind(|write| write.employee == employee);
    let missing = missing.map(str::to_owned);
    let changed = before.is_none_or(|before| (&before.person, &before.missing) != (&person, &missing));
    let version = before.map_or(0, |before| before.version) + u64::from(changed);
    let correlation_id = match before {
        Some(before) if !changed => before.correlation_id.clone(),
        _ => id.to_owned(),
    };
    let number = before.map_or(0, |before| before.number) + 1;
    let entries = vec![entry];
    let account = None;
    let before = before.cloned();
    evidence.writes.push(Write {
        employee,
        number,
        version,
        correlation_id,
        person,
        account,
        missing,
        entries,
    });
    show(evidence);
    let write = evidence.writes.last().unwrap().clone();
    let (is_told, is_first) = (changed || before.is_none(), before.is_none());
    if is_told {
        for kind in kinds_by_hand(is_first, before.as_ref(), &write) {
            tell(evidence, kind, &write.employee, Some(write.version), write.person.clone().map(shown));
        }
    }
}

/// What these lives are told as: hired, updated, gone; without Okta nobody is complete.
fn kinds_by_hand(is_first: bool, before: Option<&Write>, write: &Write) -> Vec<&'static str> {
    let has_left = |write: &Write| write.person.as_ref().unwrap().has_left;
    match (is_first, &write.missing) {
        (true, None) => vec!["user.created", "user.completed"],
        (true, Some(_)) => vec!["user.created"],
        (false, _) if has_left(write) && !has_left(before.unwrap()) => vec!["user.terminated"],
        (false, None) if before.unwrap().missing.is_some() => vec!["user.completed"],
        (false, _) => vec!["user.updated"],
    }
}

fn tell(evidence: &mut Evidence, kind: &str, subject: &str, version: Option<u64>, person: Option<Person>) {
    let id = format!("{subject} {version:?} {kind}");
    let (kind, subject) = (kind.to_owned(), subject.to_owned());
    evidence.told.push(Told { id, kind, subject, version, person });
}

/// The person of the last write.
fn show(evidence: &mut Evidence) {
    let Write { employee, version, correlation_id, person, missing, .. } =
        evidence.writes.last().unwrap().clone();
    let person = shown(person.unwrap());
    let state = match missing {
        _ if person.has_left => "left",
        Some(_) => "pending",
        None => "complete",
    };
    evidence.users.insert(employee, User { version, correlation_id, person, state: state.to_owned() });
}

fn letter(evidence: &mut Evidence, origin: Place, reason: &str) {
    let value = evidence.log.iter().find(|logged| logged.place == origin).unwrap().value.clone();
    let id = format!("letter-{}", evidence.letters.len());
    let (state, reason) = ("parked".to_owned(), reason.to_owned());
    tell(evidence, "dead_letter.parked", &id, None, None);
    let states = vec![state.clone()];
    evidence.letters.push(Letter { id, state, reason, origin, value, states });
}

const OF_TELLING: [Rule; 2] = [Rule::Untold, Rule::WronglyTold];

/// The rules of what is stored that are broken once a bug is in, each once.
fn broken(bug: impl FnOnce(&mut Evidence)) -> Vec<Rule> {
    all_broken(bug).into_iter().filter(|rule| !OF_TELLING.contains(rule)).collect()
}

/// The same of what was told.
fn broken_by_telling(bug: impl FnOnce(&mut Evidence)) -> Vec<Rule> {
    all_broken(bug).into_iter().filter(|rule| OF_TELLING.contains(rule)).collect()
}

fn all_broken(bug: impl FnOnce(&mut Evidence)) -> BTreeSet<Rule> {
    let mut evidence = sound();
    bug(&mut evidence);
    check(&evidence).findings.into_iter().map(|finding| finding.rule).collect()
}

fn request(evidence: &mut Evidence, id: &str, end: Request) {
    *evidence.requests.get_mut(id).unwrap() = end;
}

fn user<'a>(evidence: &'a mut Evidence, employee: &str) -> &'a mut User {
    evidence.users.get_mut(employee).unwrap()
}

fn last_person<'a>(evidence: &'a mut Evidence, employee: &str) -> &'a mut Person {
    let write = evidence.writes.iter_mut().rfind(|write| write.employee == employee).unwrap();
    write.person.as_mut().unwrap()
}

fn title(of: &mut Person, title: &str) {
    of.fields.insert("title".to_owned(), title.to_owned());
}

/// The record of the letter, once more at the end of the log.
fn redriven(evidence: &mut Evidence, letter: &str) -> Place {
    let origin = evidence.letters.iter().find(|known| known.id == letter).unwrap().origin;
    let original = evidence.log.iter().find(|logged| logged.place == origin).unwrap().clone();
    let place = log(evidence, original.value, original.content);
    evidence.log.last_mut().unwrap().redriven = Some(letter.to_owned());
    place
}

#[test]
fn what_was_redriven_and_failed_again_has_the_letter_that_it_had() {
    let rules = broken(|evidence| {
        for letter in ["letter-0", "letter-2"] {
            redriven(evidence, letter);
        }
    });
    assert_eq!(rules, []);
}

#[test]
fn a_redriven_record_whose_letter_is_gone_is_lost() {
    let rules = broken(|evidence| {
        redriven(evidence, "letter-2");
        evidence.log.last_mut().unwrap().redriven = Some("letter-9".to_owned());
    });
    assert_eq!(rules, [Rule::LostPoison]);
}

#[test]
fn what_is_sound_passes_and_is_counted() {
    let verdict = check(&sound());
    assert_eq!(verdict.findings, []);
    let tally = Tally {
        changed: 12,
        nothing_new: 2,
        in_both: 2,
        in_letters: 0,
        poison: 1,
        pending: 1,
        left: 3,
        overtaken_letters: 0,
    };
    assert_eq!(verdict.tally, tally);
}

#[test]
fn faults_alone_are_no_findings() {
    let nothing_broken = [
        broken(|evidence| {
            // Published, and the acknowledgement was lost: the client was told 503.
            evidence.posts.get_mut("E1-3").unwrap().accepted = false;
        }),
        broken(|evidence| {
            // Never published, and the client knows.
            let mut post = evidence.posts["E1-3"].clone();
            post.accepted = false;
            evidence.posts.insert("refused".to_owned(), post);
        }),
        // The write's answer was lost: the second attempt finds the first one's work.
        broken(|evidence| request(evidence, "E1-3", Request::NothingNew)),
        // Lambda gave up on it, and no table has heard of it.
        broken(|evidence| {
            let place =
                record(evidence, update("E1", 5, &[("title", Some("Specialist 5"))]), Request::Failed);
            letter(evidence, place, "unprocessed");
        }),
        // Redriven after Okta had failed: the same event once more, with Okta's part.
        broken(|evidence| {
            apply(evidence, "E3-5", None);
            request(evidence, "E3-5", Request::Changed);
            evidence.letters[0].state = "resolved".to_owned();
        }),
        // A letter notes when it is tried again.
        broken(|evidence| {
            let mut noted = evidence.writes.last().unwrap().clone();
            (noted.number, noted.entries) = (noted.number + 1, vec![]);
            evidence.writes.push(noted);
        }),
    ];
    assert!(nothing_broken.iter().all(Vec::is_empty), "{nothing_broken:?}");
}

#[test]
fn a_repeat_that_was_processed_before_the_first_gives_way_to_it() {
    let early = |number, received| {
        move |evidence: &mut Evidence| {
            let event = update("E1", 6, &[("title", Some("Specialist 6"))]);
            again(evidence, event, received, number, Request::Changed);
        }
    };
    let in_the_end = |ids: [&str; 2]| {
        broken(|evidence| {
            early("first", 200)(evidence);
            early("second", 201)(evidence);
            for id in ids {
                apply(evidence, id, None);
            }
        })
    };
    assert_eq!(in_the_end(["second", "first"]), []);
    assert_eq!(in_the_end(["first", "second"]), [Rule::AppliedTwice]);
}

#[test]
fn a_dropped_record_is_found_wherever_it_was_dropped() {
    let before_the_topic =
        broken(|evidence| evidence.log.retain(|logged| logged.value.as_deref() != Some(b"repeat")));
    let before_the_request = broken(|evidence| evidence.requests.retain(|id, _| id != "repeat"));
    let half_way = broken(|evidence| request(evidence, "E3-5", Request::Accepted));
    let before_the_letter =
        broken(|evidence| evidence.letters.retain(|letter| letter.reason != "okta_malformed"));
    let from_the_history = broken(|evidence| evidence.entries.retain(|entry| entry.event.id != "evt-E2-5"));
    let from_the_table = broken(|evidence| drop(evidence.users.remove("E2")));
    for rules in
        [before_the_topic, before_the_request, half_way, before_the_letter, from_the_history, from_the_table]
    {
        assert_eq!(rules, [Rule::Lost]);
    }
}

#[test]
fn a_dropped_record_is_found_behind_every_excuse() {
    for excuse in [Request::Changed, Request::NothingNew, Request::Failed, Request::Accepted] {
        let rules = broken(|evidence| {
            record(evidence, update("E1", 9, &[]), excuse);
        });
        assert_eq!(rules, [Rule::Lost], "{excuse:?}");
    }
}

#[test]
fn a_lost_write_is_found() {
    let rules = broken(|evidence| {
        for number in [6, 7] {
            record(evidence, update("E1", number, &[("title", Some("Specialist 6"))]), Request::Changed);
        }
        apply(evidence, "E1-6", None);
        evidence.writes.pop();
        apply(evidence, "E1-7", None);
        let last = evidence.writes.last_mut().unwrap();
        (last.number, last.version) = (6, 6);
        show(evidence);
    });
    assert_eq!(rules, [Rule::Lost]);
}

#[test]
fn a_record_applied_twice_is_found() {
    let once_more = broken(|evidence| {
        let mut last = evidence.writes.iter().rfind(|write| write.employee == "E1").unwrap().clone();
        (last.number, last.version) = (last.number + 1, last.version + 1);
        evidence.writes.push(last);
        show(evidence);
    });
    assert_eq!(once_more, [Rule::AppliedTwice]);
    let within_a_version = broken(|evidence| apply(evidence, "E2-5", None));
    assert_eq!(within_a_version, [Rule::AppliedTwice]);
    let without_a_write = broken(|evidence| user(evidence, "E1").version += 1);
    assert_eq!(without_a_write, [Rule::AppliedTwice]);
}

#[test]
fn two_writers_of_one_version_are_found() {
    let rules = broken(|evidence| evidence.writes.insert(9, evidence.writes[8].clone()));
    assert_eq!(rules, [Rule::AppliedTwice]);
}

#[test]
fn an_older_statement_over_a_newer_one_is_found() {
    let in_the_answer = broken(|evidence| title(&mut user(evidence, "E1").person, "Specialist 2"));
    let in_a_write = broken(|evidence| {
        record(evidence, update("E1", 6, &[("office", Some("Bergen"))]), Request::Changed);
        apply(evidence, "E1-6", None);
        // Held back until the next one was written, which is gone with it.
        title(last_person(evidence, "E1"), "Specialist 2");
        title(&mut user(evidence, "E1").person, "Specialist 2");
    });
    let of_a_version_before = broken(|evidence| user(evidence, "E1").version -= 1);
    let of_the_employment = broken(|evidence| {
        let rehired = Event { kind: "hired".to_owned(), ..update("E1", 6, &[]) };
        record(evidence, rehired, Request::Changed);
        apply(evidence, "E1-6", None);
        last_person(evidence, "E1").has_left = true;
        let last = evidence.writes.last_mut().unwrap();
        last.version -= 1;
        last.correlation_id = "E1-4".to_owned();
        show(evidence);
    });
    for rules in [in_the_answer, in_a_write, of_a_version_before, of_the_employment] {
        assert_eq!(rules, [Rule::OlderOverNewer]);
    }
}

#[test]
fn a_time_that_was_clamped_to_its_receipt_is_found() {
    let rules = broken(|evidence| {
        // HR's clock is ahead; the older one of the two is received later.
        for (number, occurred) in [(6, 300), (7, 240)] {
            let title = format!("Specialist {number}");
            let event = update("E1", number, &[("title", Some(&title))]);
            record(evidence, Event { occurred_at: Some(at(occurred)), ..event }, Request::Changed);
            apply(evidence, &id("E1", number), None);
        }
        title(last_person(evidence, "E1"), "Specialist 7");
        let last = evidence.writes.last_mut().unwrap();
        last.version += 1;
        last.correlation_id = "E1-7".to_owned();
        show(evidence);
    });
    assert_eq!(rules, [Rule::OlderOverNewer]);
}

#[test]
fn a_termination_that_a_silent_update_undoes_is_found() {
    let rules = broken(|evidence| {
        record(evidence, update("E1", 6, &[("title", Some("Specialist 6"))]), Request::Changed);
        apply(evidence, "E1-6", None);
        last_person(evidence, "E1").has_left = false;
        show(evidence);
    });
    assert_eq!(rules, [Rule::BroughtBack]);
}

#[test]
fn a_changed_profile_and_a_made_up_one_are_found() {
    let changed = broken(|evidence| title(&mut user(evidence, "E1").person, "Director"));
    let on_the_topic = broken(|evidence| {
        evidence.posts.get_mut("E1-3").unwrap().event.stated.insert("office".to_owned(), None);
        evidence.posts.get_mut("E1-3").unwrap().event.stated.remove("title");
    });
    let in_the_history = broken(|evidence| {
        for entry in
            evidence.entries.iter_mut().chain(evidence.writes.iter_mut().flat_map(|write| &mut write.entries))
        {
            if entry.event.id == "evt-E1-3" {
                entry.event.stated.clear();
            }
        }
    });
    let made_up = broken(|evidence| {
        let user = evidence.users["E1"].clone();
        evidence.users.insert("E9".to_owned(), user);
    });
    let sent_by_nobody = broken(|evidence| {
        log(evidence, None, Content::Unknown);
    });
    for rules in [changed, on_the_topic, in_the_history, made_up, sent_by_nobody] {
        assert_eq!(rules, [Rule::Altered]);
    }
}

#[test]
fn a_state_that_is_not_so_is_found() {
    let complete = broken(|evidence| user(evidence, "E4").state = "complete".to_owned());
    let waits_for_nothing = broken(|evidence| {
        evidence.letters[1].state = "resolved".to_owned();
        request(evidence, "E4-1", Request::Changed);
    });
    let has_left = broken(|evidence| user(evidence, "E1").state = "complete".to_owned());
    let has_not_left = broken(|evidence| user(evidence, "E4").state = "left".to_owned());
    for rules in [complete, waits_for_nothing, has_left, has_not_left] {
        assert_eq!(rules, [Rule::WrongState]);
    }
}

#[test]
fn lost_poison_is_found() {
    let without_a_letter = broken(|evidence| drop(evidence.letters.pop()));
    let before_the_topic = broken(|evidence| evidence.poison = 2);
    for rules in [without_a_letter, before_the_topic] {
        assert_eq!(rules, [Rule::LostPoison]);
    }
}

#[test]
fn letters_that_are_wrong_are_found() {
    let second = broken(|evidence| evidence.letters.push(evidence.letters[0].clone()));
    let other_bytes = broken(|evidence| evidence.letters[2].value = Some(vec![0xfe]));
    let other_reason = broken(|evidence| evidence.letters[2].reason = "user_not_found".to_owned());
    let of_nothing = broken(|evidence| {
        let nowhere = Letter { origin: Place { partition: 3, offset: 0 }, ..evidence.letters[0].clone() };
        evidence.letters.push(nowhere);
    });
    for rules in [second, other_bytes, other_reason, of_nothing] {
        assert_eq!(rules, [Rule::WrongLetter]);
    }
}

#[test]
fn a_letter_is_resolved_only_by_its_events_enrichment() {
    let too_early = broken(|evidence| evidence.letters[0].state = "resolved".to_owned());
    assert_eq!(too_early, [Rule::Lost]);
    let redriven = broken(|evidence| {
        evidence.letters[0].state = "resolved".to_owned();
        request(evidence, "E3-5", Request::Changed);
        apply(evidence, "E3-5", None);
    });
    assert_eq!(redriven, []);
}

fn told<'a>(evidence: &'a mut Evidence, subject: &str, kind: &str) -> &'a mut Told {
    evidence.told.iter_mut().find(|told| told.subject == subject && told.kind == kind).unwrap()
}

#[test]
fn what_comes_twice_is_told_once() {
    let rules = broken_by_telling(|evidence| {
        let again: Vec<_> = evidence.told.iter().rev().cloned().collect();
        evidence.told.extend(again);
    });
    assert_eq!(rules, []);
}

#[test]
fn what_nobody_was_told_of_is_untold() {
    for (subject, kind) in [
        ("E1", "user.created"),
        ("E1", "user.completed"),
        ("E2", "user.updated"),
        ("E2", "user.terminated"),
        ("E1-2", "request.enriched"),
        ("E3-5", "request.failed"),
    ] {
        let rules = broken_by_telling(|evidence| {
            let id = told(evidence, subject, kind).id.clone();
            evidence.told.retain(|told| told.id != id);
        });
        assert_eq!(rules, [Rule::Untold], "{subject} {kind}");
    }
}

#[test]
fn what_is_not_so_is_wrongly_told() {
    let bugs: [fn(&mut Evidence); 7] = [
        |evidence| tell(evidence, "user.updated", "E1", Some(9), None),
        |evidence| tell(evidence, "user.terminated", "E1", Some(1), None),
        |evidence| tell(evidence, "user.created", "E9", Some(1), None),
        |evidence| tell(evidence, "request.enriched", "E3-5", None, None),
        |evidence| tell(evidence, "request.failed", "E1-1", None, None),
        |evidence| title(told(evidence, "E1", "user.updated").person.as_mut().unwrap(), "Chief"),
        |evidence| {
            let mut other = told(evidence, "E1", "user.created").clone();
            other.version = Some(2);
            evidence.told.push(other);
        },
    ];
    for (number, bug) in bugs.into_iter().enumerate() {
        assert_eq!(broken_by_telling(bug), [Rule::WronglyTold], "bug {number}");
    }
}

#[test]
fn a_letter_is_told_each_state_in_its_order() {
    let redriven = |evidence: &mut Evidence| {
        let states = ["parked", "redriven", "redriven", "scheduled", "redriven", "resolved"];
        evidence.letters[0].states = states.map(str::to_owned).into();
        let id = evidence.letters[0].id.clone();
        for (number, kind) in ["dead_letter.parked", "dead_letter.resolved"].into_iter().enumerate() {
            tell(evidence, kind, &id, None, None);
            evidence.told.last_mut().unwrap().id.push_str(&number.to_string());
        }
    };
    assert_eq!(broken_by_telling(redriven), []);
    let untold = broken_by_telling(|evidence| {
        redriven(evidence);
        evidence.told.pop();
    });
    assert_eq!(untold, [Rule::Untold]);
    let out_of_order = broken_by_telling(|evidence| {
        redriven(evidence);
        let last = evidence.told.len() - 1;
        evidence.told.swap(last - 1, last);
    });
    assert_eq!(out_of_order, [Rule::WronglyTold]);
    let too_much =
        broken_by_telling(|evidence| tell(evidence, "dead_letter.resolved", "letter-0", None, None));
    assert_eq!(too_much, [Rule::WronglyTold]);
}

#[test]
fn a_version_that_is_told_before_an_older_one_is_wrongly_told() {
    let rules = broken_by_telling(|evidence| {
        let of_ada = evidence.told.iter().enumerate().filter(|(_, told)| told.subject == "E1");
        let places: Vec<_> = of_ada.map(|(place, _)| place).collect();
        evidence.told.swap(places[2], places[3]);
    });
    assert_eq!(rules, [Rule::WronglyTold]);
}

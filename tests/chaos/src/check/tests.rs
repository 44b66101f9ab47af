//! Bugs put into a log by hand: each has to be found, by its name, and nothing else.

use jiff::Timestamp;

use super::*;
use crate::evidence::{Event, Post};

const EMPLOYEES: [&str; 3] = ["E1", "E2", "E3"];

/// Three people with four events each, as they were applied, a repeat, one that came too late, one in a letter, and
/// poison: everything as it should be.
fn sound() -> Evidence {
    let mut evidence = Evidence::default();
    for employee in EMPLOYEES {
        for number in 1..=4 {
            record(&mut evidence, employee, number, Request::Applied);
            write(&mut evidence, employee, u64::from(number), &id(employee, number));
        }
        store(&mut evidence, employee, 4, &id(employee, 4));
    }
    again(&mut evidence, "E1", 2, "repeat", Request::Duplicate);
    let late = record(&mut evidence, "E2", 5, Request::Superseded);
    accepted(&mut evidence, late).occurred_at = at(2);
    evidence.posts.get_mut("E2-5").unwrap().occurred_at = Some(at(2));
    let failed = record(&mut evidence, "E3", 5, Request::Failed);
    letter(&mut evidence, failed, "okta_malformed");
    let poison =
        log(&mut evidence, Some(vec![0xff]), Content::Poison { reason: Some("undecodable".to_owned()) });
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

fn event(employee: &str, number: u32) -> Event {
    Event {
        id: format!("evt-{}", id(employee, number)),
        employee: employee.to_owned(),
        email: format!("{employee}@acme.example"),
        title: format!("Specialist {number}"),
        department: "Sales".to_owned(),
        terminated: number == 4,
    }
}

fn log(evidence: &mut Evidence, value: Option<Vec<u8>>, content: Content) -> Place {
    let place = Place { partition: 0, offset: i64::try_from(evidence.log.len()).unwrap() };
    evidence.log.push(Logged { place, value, content, redriven: None });
    place
}

/// An event that was posted, accepted, and came to this end.
fn record(evidence: &mut Evidence, employee: &str, number: u32, end: Request) -> Place {
    again(evidence, employee, number, &id(employee, number), end)
}

fn again(evidence: &mut Evidence, employee: &str, number: u32, id: &str, end: Request) -> Place {
    let (event, occurred_at) = (event(employee, number), at(number));
    let post = Post { event: event.clone(), occurred_at: Some(occurred_at), accepted: true };
    evidence.posts.insert(id.to_owned(), post);
    evidence.requests.insert(id.to_owned(), end);
    let accepted =
        Accepted { correlation_id: id.to_owned(), event, occurred_at, received_at: at(100 + number) };
    log(evidence, Some(id.as_bytes().to_vec()), Content::Accepted(accepted))
}

fn accepted(evidence: &mut Evidence, place: Place) -> &mut Accepted {
    match &mut evidence.log.iter_mut().find(|logged| logged.place == place).unwrap().content {
        Content::Accepted(accepted) => accepted,
        other => panic!("{other:?}"),
    }
}

fn write(evidence: &mut Evidence, employee: &str, version: u64, id: &str) {
    evidence.writes.push(Write { employee: employee.to_owned(), version, correlation_id: id.to_owned() });
}

fn store(evidence: &mut Evidence, employee: &str, number: u32, id: &str) {
    let Event { email, title, department, terminated, .. } = event(employee, number);
    let version = u64::from(number);
    let user = User { version, correlation_id: id.to_owned(), email, title, department, terminated };
    evidence.users.insert(employee.to_owned(), user);
}

fn letter(evidence: &mut Evidence, origin: Place, reason: &str) {
    let value = evidence.log.iter().find(|logged| logged.place == origin).unwrap().value.clone();
    let id = format!("letter-{}", evidence.letters.len());
    let (state, reason) = ("parked".to_owned(), reason.to_owned());
    evidence.letters.push(Letter { id, state, reason, origin, value });
}

/// The rules that are broken once a bug is in, each once.
fn broken(bug: impl FnOnce(&mut Evidence)) -> Vec<Rule> {
    let mut evidence = sound();
    bug(&mut evidence);
    let rules: BTreeSet<_> = check(&evidence).findings.into_iter().map(|finding| finding.rule).collect();
    rules.into_iter().collect()
}

fn request(evidence: &mut Evidence, id: &str, end: Request) {
    *evidence.requests.get_mut(id).unwrap() = end;
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
        for letter in ["letter-0", "letter-1"] {
            redriven(evidence, letter);
        }
    });
    assert_eq!(rules, []);
}

#[test]
fn a_redriven_record_whose_letter_is_gone_is_lost() {
    let rules = broken(|evidence| {
        redriven(evidence, "letter-1");
        evidence.log.last_mut().unwrap().redriven = Some("letter-9".to_owned());
    });
    assert_eq!(rules, [Rule::LostPoison]);
}

#[test]
fn what_is_sound_passes_and_is_counted() {
    let verdict = check(&sound());
    assert_eq!(verdict.findings, []);
    let tally =
        Tally { applied: 12, duplicate: 1, superseded: 1, in_letters: 1, poison: 1, overtaken_letters: 0 };
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
        broken(|evidence| request(evidence, "E1-3", Request::Duplicate)),
    ];
    assert!(nothing_broken.iter().all(Vec::is_empty), "{nothing_broken:?}");
}

#[test]
fn a_dropped_record_is_found_wherever_it_was_dropped() {
    let before_the_topic =
        broken(|evidence| evidence.log.retain(|logged| logged.value.as_deref() != Some(b"repeat")));
    let before_the_request = broken(|evidence| evidence.requests.retain(|id, _| id != "repeat"));
    let half_way = broken(|evidence| request(evidence, "E3-5", Request::Accepted));
    let before_the_letter =
        broken(|evidence| evidence.letters.retain(|letter| letter.reason != "okta_malformed"));
    let before_the_table = broken(|evidence| {
        evidence.writes.pop();
        store(evidence, "E3", 3, "E3-3");
    });
    let from_the_table = broken(|evidence| drop(evidence.users.remove("E2")));
    for rules in
        [before_the_topic, before_the_request, half_way, before_the_letter, before_the_table, from_the_table]
    {
        assert_eq!(rules, [Rule::Lost]);
    }
}

#[test]
fn a_dropped_record_is_found_behind_every_excuse() {
    for excuse in [Request::Applied, Request::Duplicate, Request::Superseded] {
        let rules = broken(|evidence| {
            record(evidence, "E1", 9, excuse);
        });
        assert_eq!(rules, [Rule::Lost], "{excuse:?}");
    }
}

#[test]
fn two_swapped_records_are_found() {
    let rules = broken(|evidence| {
        let ids = ["E1-2", "E1-3"].map(str::to_owned);
        let mut writes = evidence.writes.iter_mut().filter(|write| ids.contains(&write.correlation_id));
        let (first, second) = (writes.next().unwrap(), writes.next().unwrap());
        std::mem::swap(&mut first.correlation_id, &mut second.correlation_id);
    });
    assert_eq!(rules, [Rule::OutOfOrder]);
}

#[test]
fn a_record_applied_twice_is_found() {
    let once_more = broken(|evidence| {
        write(evidence, "E1", 5, "E1-4");
        evidence.users.get_mut("E1").unwrap().version = 5;
    });
    assert_eq!(once_more, [Rule::AppliedTwice]);
    let by_its_repeat = broken(|evidence| {
        evidence.log.iter_mut().for_each(|logged| {
            if let Content::Accepted(accepted) = &mut logged.content
                && accepted.correlation_id == "repeat"
            {
                accepted.event = event("E1", 4);
                (accepted.occurred_at, accepted.received_at) = (at(4), at(200));
            }
        });
        let post = Post { event: event("E1", 4), occurred_at: Some(at(4)), accepted: true };
        evidence.posts.insert("repeat".to_owned(), post);
        write(evidence, "E1", 5, "repeat");
        store(evidence, "E1", 4, "repeat");
        evidence.users.get_mut("E1").unwrap().version = 5;
    });
    assert_eq!(by_its_repeat, [Rule::AppliedTwice]);
}

#[test]
fn two_writers_of_one_version_are_found() {
    let rules = broken(|evidence| evidence.writes.insert(9, evidence.writes[8].clone()));
    assert_eq!(rules, [Rule::AppliedTwice]);
}

#[test]
fn a_version_without_an_event_is_found() {
    let rules = broken(|evidence| evidence.users.get_mut("E1").unwrap().version = 5);
    assert_eq!(rules, [Rule::AppliedTwice]);
}

#[test]
fn an_older_event_over_a_newer_one_is_found() {
    let in_the_end = broken(|evidence| store(evidence, "E1", 3, "E1-3"));
    assert_eq!(in_the_end, [Rule::OlderOverNewer]);
    let by_a_late_one = broken(|evidence| {
        request(evidence, "E2-5", Request::Applied);
        write(evidence, "E2", 5, "E2-5");
        store(evidence, "E2", 5, "E2-5");
    });
    assert_eq!(by_a_late_one, [Rule::OutOfOrder]);
}

#[test]
fn a_changed_profile_and_a_made_up_one_are_found() {
    let changed = broken(|evidence| evidence.users.get_mut("E1").unwrap().title = "Specialist 3".to_owned());
    let on_the_topic = broken(|evidence| {
        let place = evidence.log[0].place;
        accepted(evidence, place).event.department = "Finance".to_owned();
    });
    let made_up = broken(|evidence| store(evidence, "E9", 1, "E1-1"));
    let sent_by_nobody = broken(|evidence| {
        log(evidence, None, Content::Unknown);
    });
    for rules in [changed, on_the_topic, made_up, sent_by_nobody] {
        assert_eq!(rules, [Rule::Altered]);
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
    let other_bytes = broken(|evidence| evidence.letters[1].value = Some(vec![0xfe]));
    let other_reason = broken(|evidence| evidence.letters[1].reason = "user_not_found".to_owned());
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
        request(evidence, "E3-5", Request::Applied);
        write(evidence, "E3", 5, "E3-5");
        store(evidence, "E3", 5, "E3-5");
    });
    assert_eq!(redriven, []);
}

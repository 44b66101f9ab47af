//! The same events, in any order and in any batches, give the same person. What that person is, says a reference that
//! shares no code with the model.

use std::{
    collections::{BTreeMap, BTreeSet},
    pin::pin,
    task::{Context, Poll, Waker},
};

use contracts::{CorrelationId, EmployeeId, EmploymentStatus, EnrichmentState, EventId, Field, Stated};
use proptest::{collection::vec, prelude::*, sample::select};

use super::*;
use crate::store::{Memory, Saved, Store};

/// An event, in nobody's types: its id, its type, when it occurred and was received, its edition, and what it states.
type Told<'a> = (&'a str, &'a str, Option<i64>, i64, u64, BTreeMap<&'a str, Option<&'a str>>);

/// By field, the value and the event that says so. Employment is a field.
type Held = BTreeMap<String, (Option<String>, String)>;

/// Sorts what counts, and lets the later write over the earlier.
fn reference(life: &[Told<'_>]) -> Held {
    let mut counting = BTreeMap::<_, &Told<'_>>::new();
    for told in life {
        let counts = counting.entry(told.0).or_insert(told);
        if told.4 > counts.4 || (told.4 == counts.4 && told.3 < counts.3) {
            *counts = told;
        }
    }
    let mut counting: Vec<_> = counting.into_values().collect();
    counting.sort_by_key(|(id, _, occurred, received, ..)| (occurred.unwrap_or(*received), *received, *id));
    let mut held = Held::new();
    for (id, kind, _, _, _, stated) in counting {
        for (field, value) in stated {
            held.insert((*field).to_owned(), (value.map(str::to_owned), (*id).to_owned()));
        }
        let word = stated.get("status").copied().flatten().unwrap_or_default().to_lowercase();
        let employment = match (*kind, word.as_str()) {
            ("terminated", _)
            | (
                _,
                "terminated" | "inactive" | "former" | "left" | "resigned" | "retired" | "dismissed"
                | "deceased",
            ) => "terminated",
            ("hired", _) | (_, "active" | "employed" | "hired" | "rehired" | "on leave") => "employed",
            _ => continue,
        };
        held.insert("employment".to_owned(), (Some(employment.to_owned()), (*id).to_owned()));
    }
    held
}

const STATEMENTS: &[(&str, Option<&str>)] = &[
    ("title", Some("Engineer")),
    ("title", Some("Director")),
    ("title", None),
    ("country", Some("SE")),
    ("country", Some("NO")),
    ("country", None),
    ("email", Some("ada@acme.example")),
    ("email", Some("countess@acme.example")),
];

const WORDS: &[Option<&str>] = &[
    None,
    Some("Terminated"),
    Some("INACTIVE"),
    Some("former"),
    Some("left"),
    Some("resigned"),
    Some("retired"),
    Some("dismissed"),
    Some("deceased"),
    Some("Active"),
    Some("employed"),
    Some("hired"),
    Some("rehired"),
    Some("On Leave"),
    Some("sabbatical"),
];

/// Few ids, times and values, so that they meet: repeats with another time or none, ties, clocks that are ahead.
fn told() -> impl Strategy<Value = Told<'static>> {
    (
        select(&["evt-1", "evt-2", "evt-3", "evt-4", "evt-5"]),
        select(&["hired", "updated", "updated", "updated", "terminated"]),
        proptest::option::of(0..6_i64),
        0..8_i64,
        select(&[0, 0, 0, 1, 2]),
        vec(select(STATEMENTS), 0..3),
        proptest::option::of(select(WORDS)),
    )
        .prop_map(|(id, kind, occurred, received, edition, stated, word)| {
            let stated = stated.into_iter().chain(word.map(|word| ("status", word))).collect();
            (id, kind, occurred, received, edition, stated)
        })
}

/// Each event with its deliveries: their place among all, and whether a batch ends with it.
fn deliveries() -> impl Strategy<Value = Vec<(Told<'static>, Vec<(u16, bool)>)>> {
    vec((told(), vec(any::<(u16, bool)>(), 1..3)), 1..9)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: ProptestConfig::default().cases.max(10_000), ..Default::default() })]

    #[test]
    fn every_permutation_and_every_split_into_batches_gives_the_same_person(mut deliveries in deliveries()) {
        let mut copies = BTreeSet::new();
        // What was received at one time in one edition is one copy.
        deliveries.retain(|((id, _, _, received, edition, _), _)| copies.insert((*id, *received, *edition)));
        let life: Vec<_> = deliveries.iter().map(|(told, _)| told.clone()).collect();
        let mut order: Vec<_> = deliveries
            .iter()
            .flat_map(|(told, places)| places.iter().map(move |(place, ends)| (place, ends, event(told))))
            .collect();
        order.sort_by_key(|(place, ..)| **place);

        let world = World::default();
        for batch in order.split_inclusive(|(_, ends, _)| **ends) {
            world.apply_batch(&batch.iter().map(|(.., event)| event).collect::<Vec<_>>());
        }

        let expected = reference(&life);
        prop_assert_eq!(&held(&world.person().hr), &expected);
        let ids: BTreeSet<_> = life.iter().map(|told| told.0).collect();
        let entries = world.entries();
        prop_assert!(entries.iter().map(|entry| entry.event_id.as_str()).eq(ids), "an entry for each event");
        let rebuilt = made_of(entries.iter().rev(), None);
        prop_assert_eq!(held(&rebuilt), expected, "and the entries say the same");
    }
}

#[test]
fn a_termination_is_not_undone_by_an_update_without_a_status() {
    let world = World::default();
    world.apply(&hired());
    world.apply(&event(&("evt-2", "terminated", Some(20), 21, 0, stated(&[]))));
    world.apply(&event(&("evt-3", "updated", Some(30), 31, 0, stated(&[("title", Some("Director"))]))));
    assert_eq!(world.reads("employment"), "terminated");
    assert_eq!(world.reads("title"), "Director");
    assert_eq!(world.user().enrichment.state, EnrichmentState::Left);
}

#[test]
fn a_late_termination_behind_a_newer_update_still_ends_the_employment() {
    let world = World::default();
    world.apply(&hired());
    world.apply(&event(&("evt-3", "updated", Some(30), 31, 0, stated(&[("title", Some("Director"))]))));
    world.apply(&event(&("evt-2", "terminated", Some(20), 41, 0, stated(&[("title", Some("Former"))]))));
    assert_eq!(world.reads("employment"), "terminated");
    assert_eq!(world.reads("title"), "Director", "of the newer update");
}

#[test]
fn whoever_was_never_said_to_have_left_is_employed() {
    let world = World::default();
    world.apply(&event(&("evt-1", "updated", Some(10), 11, 0, stated(&[("status", Some("sabbatical"))]))));
    assert!(!held(&world.person().hr).contains_key("employment"));
    assert_eq!(world.user().employment_status, EmploymentStatus::Employed);
}

#[test]
fn an_older_event_received_later_does_not_overwrite_a_newer_one_though_hrs_clock_is_ahead() {
    let world = World::default();
    // Both are said to occur minutes after they were received.
    let newer = ("evt-2", "updated", Some(300), 11, 0, stated(&[("title", Some("Director"))]));
    let older = ("evt-1", "updated", Some(240), 12, 0, stated(&[("title", Some("Engineer"))]));
    world.apply(&event(&newer));
    let written = world.apply(&event(&older));
    assert_eq!(world.reads("title"), "Director");
    assert_eq!(written.outcome, Outcome::NothingNew);
}

#[test]
fn what_occurred_at_one_time_counts_as_it_was_received() {
    let world = World::default();
    world.apply(&event(&("evt-1", "updated", Some(10), 12, 0, stated(&[("title", Some("Director"))]))));
    world.apply(&event(&("evt-2", "updated", Some(10), 11, 0, stated(&[("title", Some("Engineer"))]))));
    assert_eq!(world.reads("title"), "Director");
}

#[test]
fn an_update_clears_what_it_says_is_null_and_leaves_the_rest() {
    let world = World::default();
    world.apply(&hired());
    world.apply(&event(&("evt-2", "updated", Some(20), 21, 0, stated(&[("country", None)]))));
    let user = world.user();
    assert_eq!((user.title.is_some(), user.details.country), (true, None));
    world.apply(&event(&("evt-0", "updated", Some(15), 31, 0, stated(&[("country", Some("NO"))]))));
    assert_eq!(world.user().details.country, None, "an older value does not fill the gap");
}

#[test]
fn a_repeat_received_later_without_occurred_at_changes_nothing() {
    let title = |title| stated(&[("title", Some(title))]);
    let first = ("evt-1", "updated", None, 10, 0, title("Engineer"));
    let newer = ("evt-2", "updated", None, 20, 0, title("Director"));
    let repeat = ("evt-1", "updated", None, 30, 0, title("Engineer"));
    let world = World::default();
    for told in [&first, &newer, &repeat] {
        world.apply(&event(told));
    }
    assert_eq!((world.reads("title"), world.user().version), ("Director".to_owned(), 2));
    let out_of_order = World::default();
    for told in [&repeat, &newer, &first] {
        out_of_order.apply(&event(told));
    }
    assert_eq!(out_of_order.reads("title"), "Director", "also if it is processed before the first");
    assert_eq!(out_of_order.entries()[0].received_at, at(10));
}

#[test]
fn an_edited_event_takes_the_place_of_what_had_failed() {
    let world = World::default();
    world.apply(&hired());
    let wrong = stated(&[("title", Some("Director")), ("country", Some("NO"))]);
    let failed = event(&("evt-2", "updated", Some(20), 21, 0, wrong));
    let edited = event(&("evt-2", "updated", Some(20), 21, 1, stated(&[("title", Some("Head"))])));
    let newer = event(&("evt-3", "updated", Some(30), 31, 0, stated(&[("email", Some("c@acme.example"))])));
    for event in [&failed, &newer, &edited, &failed] {
        world.apply(event);
    }
    assert_eq!(world.reads("title"), "Head");
    assert_eq!(world.reads("country"), "SE", "what only the failed one said is as it was before");
    assert_eq!(world.reads("email"), "c@acme.example");
    let edition = |entry: &Entry| (entry.event_id.to_string(), entry.edition);
    assert_eq!(edition(&world.entries()[1]), ("evt-2".to_owned(), 1));
}

#[test]
fn a_forgotten_person_stays_forgotten_until_hired_again_and_no_older_event_comes_back() {
    let world = World::default();
    world.apply(&hired());
    world.forget("forget", 50);
    assert!(world.person().user().is_none());

    let title = stated(&[("title", Some("Director"))]);
    let nothing_comes_back = [
        ("a redelivery of the hire", hired()),
        ("the hire, sent again", event(&("evt-1", "hired", Some(10), 60, 0, title.clone()))),
        ("and without its time", event(&("evt-1", "hired", None, 61, 0, title.clone()))),
        ("an older hire that comes late", event(&("evt-0", "hired", Some(5), 40, 0, title.clone()))),
        ("an update after it", event(&("evt-2", "updated", Some(62), 62, 0, title.clone()))),
        ("a termination after it", event(&("evt-3", "terminated", Some(63), 63, 0, title.clone()))),
    ];
    for (what, event) in nothing_comes_back {
        let written = world.apply(&event);
        assert_eq!((written.is_new, world.person().user()), (false, None), "{what}");
    }

    world.apply(&event(&("evt-4", "hired", Some(70), 71, 0, stated(&[("email", Some("c@acme.example"))]))));
    let user = world.user();
    assert_eq!(user.email.map(|email| email.as_str().to_owned()).as_deref(), Some("c@acme.example"));
    assert_eq!((user.title, user.details.country), (None, None), "what was said before stays forgotten");
    world.apply(&event(&("evt-5", "updated", Some(40), 80, 0, title)));
    assert_eq!(world.reads("title"), "Director", "whoever is back is spoken of as everybody is");
}

#[test]
fn what_was_received_after_a_person_was_to_be_forgotten_is_kept_when_the_command_comes_late() {
    let world = World::default();
    world.apply(&hired());
    world.apply(&event(&("evt-2", "hired", Some(60), 61, 0, stated(&[("title", Some("Director"))]))));
    world.forget("forget", 50);
    assert_eq!(held(&world.person().hr).len(), 2, "the title and the employment");
    assert_eq!(world.reads("title"), "Director");
    let version = world.user().version;
    world.forget("forget", 50);
    assert_eq!(world.user().version, version, "and a repeat of the command changes nothing");
}

#[test]
fn what_somebody_had_before_they_left_is_not_theirs_when_they_are_back() {
    let terminated = event(&("evt-2", "terminated", Some(100), 40, 0, stated(&[])));
    let back = event(&("evt-3", "updated", Some(110), 61, 0, stated(&[("status", Some("Active"))])));
    let title = event(&("evt-3", "updated", Some(60), 61, 0, stated(&[("title", Some("Director"))])));
    let who_left = || {
        let world = World::default();
        world.apply(&hired());
        world.apply(&terminated);
        assert!(world.user().okta_id.is_some(), "what they had is still shown");
        world
    };
    let (while_okta_is_away, as_it_is_forgotten) = (who_left(), who_left());
    while_okta_is_away.apply_answered(&back, Answer::None(Reason::OktaUnavailable));
    as_it_is_forgotten.apply(&title);
    assert_eq!(as_it_is_forgotten.reads("employment"), "terminated");
    as_it_is_forgotten.forget("forget", 50);
    for world in [while_okta_is_away, as_it_is_forgotten] {
        let user = world.user();
        assert_eq!((user.employment_status, user.okta_id), (EmploymentStatus::Employed, None));
        assert_eq!(user.enrichment.state, EnrichmentState::Pending);
    }
}

#[test]
fn okta_is_asked_only_for_what_holds_or_waits() {
    let world = World::default();
    world.apply(&hired());
    let newer = event(&("evt-2", "updated", Some(20), 21, 0, stated(&[("title", Some("Director"))])));
    assert!(world.draft(&newer).asks_for().is_some());
    world.apply_answered(&newer, Answer::None(Reason::OktaUnavailable));
    let older = event(&("evt-0", "updated", Some(5), 31, 0, stated(&[("title", Some("Engineer"))])));
    assert!(world.draft(&older).asks_for().is_some(), "the person waits for Okta");
    world.apply_answered(&newer, Answer::Account(account()));
    assert!(world.draft(&older).asks_for().is_none());
    assert!(world.draft(&newer).asks_for().is_none());
}

#[test]
fn a_redelivery_changes_nothing_and_its_entry_says_what_the_event_had_changed() {
    let world = World::default();
    world.apply(&hired());
    let event = event(&("evt-2", "updated", Some(20), 21, 0, stated(&[("title", Some("Director"))])));
    let first = world.apply(&event);
    let again = world.apply(&event);
    assert_eq!(first.outcome, Outcome::Changed { fields: vec!["title".to_owned()] });
    assert_eq!((again.is_new, again.outcome), (false, Outcome::NothingNew));
    assert_eq!(again.entry.changes, first.entry.changes);
    assert_eq!(world.user().version, 2);
}

fn hired() -> EnrichmentRequestedV2 {
    let said = stated(&[
        ("firstName", Some("Ada")),
        ("lastName", Some("Lovelace")),
        ("email", Some("ada@acme.example")),
        ("title", Some("Engineer")),
        ("country", Some("SE")),
    ]);
    event(&("evt-1", "hired", Some(10), 11, 0, said))
}

fn stated<'a>(statements: &[(&'a str, Option<&'a str>)]) -> BTreeMap<&'a str, Option<&'a str>> {
    statements.iter().copied().collect()
}

fn event((id, kind, occurred, received, edition, stated): &Told<'_>) -> EnrichmentRequestedV2 {
    EnrichmentRequestedV2 {
        event_id: EventId::parse(*id).unwrap(),
        event_type: EventType::sent(kind).unwrap(),
        correlation_id: CorrelationId::parse(format!("c-{received}-{edition}")).unwrap(),
        occurred_at: occurred.map(at),
        received_at: at(*received),
        edition: *edition,
        employee_id: ada(),
        stated: stated.iter().map(|(name, value)| state(name, *value)).collect(),
        warnings: Vec::new(),
    }
}

fn state(name: &str, value: Option<&str>) -> (Field, Option<contracts::Value>) {
    let field = *Field::ALL.iter().find(|field| field.name() == name).unwrap();
    (field, value.map(|value| field.parse(value).unwrap()))
}

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(1_750_000_000 + second).unwrap()
}

fn ada() -> EmployeeId {
    EmployeeId::parse("E1").unwrap()
}

fn account() -> Account {
    Account {
        id: "00u1".to_owned(),
        status: "ACTIVE".to_owned(),
        title: None,
        department: None,
        groups: Vec::new(),
        applications: Vec::new(),
    }
}

/// The registers as they are stored.
fn held(hr: &Registers) -> Held {
    let hr = serde_json::to_value(hr).unwrap();
    let text = |value: &serde_json::Value| value.as_str().map(str::to_owned);
    let said = |register: &serde_json::Value| {
        let by = usize::try_from(register[1].as_u64().unwrap()).unwrap();
        (text(&register[0]), text(&hr["events"][by]["id"]).unwrap())
    };
    let fields = hr["fields"].as_object().unwrap().iter();
    let fields = fields.map(|(name, register)| (name.clone(), said(register)));
    let employment = hr.get("employment").map(|register| ("employment".to_owned(), said(register)));
    fields.chain(employment).collect()
}

/// One person in a store, and the enrichment without Kafka and Okta.
struct World(Store);

struct Read {
    person: Option<Person>,
    known: Option<Entry>,
    all: Vec<Entry>,
}

impl Default for World {
    fn default() -> Self {
        Self(Store::Memory(Memory::default()))
    }
}

impl World {
    fn read(&self, event: &EnrichmentRequestedV2) -> Read {
        let person = ready(self.0.person(&ada()));
        let known = ready(self.0.entry(&ada(), &event.event_id));
        let all = match Place::of(event, person.as_ref(), known.as_ref()) {
            Place::InsteadOfKnown => self.entries(),
            Place::New | Place::Known | Place::OfForgotten => Vec::new(),
        };
        Read { person, known, all }
    }

    fn draft(&self, event: &EnrichmentRequestedV2) -> Draft {
        let Read { person, known, all } = self.read(event);
        Draft::new(event, person, known, &all, at(100))
    }

    /// `None` if somebody else has written the person since they were read.
    fn write(&self, event: &EnrichmentRequestedV2, read: Read, answer: Option<Answer>) -> Option<Written> {
        let before = read.person.clone();
        let draft = Draft::new(event, read.person, read.known, &read.all, at(100));
        let answer = draft.asks_for().and(answer);
        let written = draft.answered(event, answer, at(100));
        let saved = if written.is_new {
            ready(self.0.commit(&written.person, before.as_ref(), Some(&written.entry)))
        } else {
            Saved::Yes
        };
        (saved == Saved::Yes).then_some(written)
    }

    fn apply(&self, event: &EnrichmentRequestedV2) -> Written {
        self.apply_answered(event, Answer::Account(account()))
    }

    fn apply_answered(&self, event: &EnrichmentRequestedV2, answer: Answer) -> Written {
        self.write(event, self.read(event), Some(answer)).expect("nobody else writes")
    }

    /// By consumers that don't know of each other: all of it is read before any of it is written.
    fn apply_batch(&self, batch: &[&EnrichmentRequestedV2]) {
        let read: Vec<_> = batch.iter().map(|event| self.read(event)).collect();
        for (event, read) in batch.iter().zip(read) {
            if self.write(event, read, Some(Answer::Account(account()))).is_none() {
                self.apply(event);
            }
        }
    }

    fn forget(&self, id: &str, received: i64) {
        let command = EnrichmentRequestedV2 {
            event_type: EventType::Erased,
            stated: Stated::default(),
            ..event(&(id, "updated", None, received, 0, BTreeMap::new()))
        };
        let person = ready(self.0.person(&ada()));
        let Some(written) = forget(&command, person.clone(), &self.entries(), at(100)) else { return };
        ready(self.0.commit(&written.person, person.as_ref(), Some(&written.entry)));
        for entry in self.entries() {
            if entry.received_at <= command.received_at {
                ready(self.0.replace_entry(&entry.forgotten()));
            }
        }
    }

    fn person(&self) -> Person {
        ready(self.0.person(&ada())).unwrap()
    }

    fn user(&self) -> EnrichedUser {
        self.person().user().unwrap()
    }

    fn entries(&self) -> Vec<Entry> {
        ready(self.0.entries(&ada()))
    }

    /// What a field says.
    fn reads(&self, field: &str) -> String {
        held(&self.person().hr).remove(field).and_then(|(value, _)| value).unwrap()
    }
}

/// This store never waits.
fn ready<T>(asked: impl Future<Output = Result<T, crate::store::Error>>) -> T {
    match pin!(asked).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(answer) => answer.unwrap(),
        Poll::Pending => panic!("a store in memory answers at once"),
    }
}

//! The contract: the same tests on every backend. Redis takes part where `make test-real` names one.

mod claims;

use std::collections::BTreeSet;

use aws_sdk_dynamodb::types::AttributeValue;
use contracts::{EventId, Field, Outcome, Reason};
use dynamo::{Index, TableSpec};
use jiff::SignedDuration;

use super::*;
use crate::{
    converge::{Answer, Written},
    request::RequestState,
    tests::{account, event, made_of, with},
};

/// A DynamoDB of its own for one test, over HTTP, and a client of it.
async fn dynamodb() -> (Store, dynamo::Client) {
    let (mut vars, _server) = dynamo::embedded::serve(None, std::future::pending()).await.unwrap();
    vars.extend([("USERS_TABLE", "users"), ("HISTORY_TABLE", "history"), ("REQUESTS_TABLE", "requests")]);
    vars.extend([("OUTBOX_TABLE", "outbox")]);
    let aws = Aws::from_vars(&vars).unwrap();
    let client = dynamo::client(&vars, &aws).unwrap();
    let index = |name: &str, hash: &str, range: &str| Index {
        name: name.to_owned(),
        hash: hash.to_owned(),
        range: Some(range.to_owned()),
    };
    let users = TableSpec {
        name: "users".to_owned(),
        hash: "id".to_owned(),
        range: None,
        indexes: vec![index("by-department", "department_key", "id"), index("by-email", "email_key", "id")],
        ttl: None,
    };
    let history = TableSpec {
        name: "history".to_owned(),
        hash: "employee_id".to_owned(),
        range: Some("event_id".to_owned()),
        indexes: vec![index("by-sequence", "employee_id", "sequence")],
        ttl: None,
    };
    let requests = TableSpec {
        name: "requests".to_owned(),
        hash: "correlation_id".to_owned(),
        range: Some("event_key".to_owned()),
        indexes: vec![],
        ttl: Some("expires_at".to_owned()),
    };
    let outbox = TableSpec {
        name: "outbox".to_owned(),
        hash: "subject".to_owned(),
        range: Some("position".to_owned()),
        indexes: vec![],
        ttl: None,
    };
    for table in [users, history, requests, outbox] {
        dynamo::ensure(&client, &table).await.unwrap();
    }
    (Store::from_vars(&vars, &aws).unwrap(), client)
}

/// A DynamoDB that nobody answers for.
pub(crate) fn away() -> Store {
    let vars = Vars::from_iter(aws::EMULATED)
        .with("AWS_ENDPOINT_URL_DYNAMODB", "http://127.0.0.1:1")
        .with("USERS_TABLE", "users")
        .with("HISTORY_TABLE", "history")
        .with("REQUESTS_TABLE", "requests")
        .with("OUTBOX_TABLE", "outbox");
    Store::from_vars(&vars, &Aws::from_vars(&vars).unwrap()).unwrap()
}

fn redis(url: String) -> Redis {
    let vars = Vars::from_iter(aws::EMULATED).with("STORAGE_URL", url);
    Redis::from_vars(&vars, &Aws::from_vars(&vars).unwrap()).unwrap()
}

pub(crate) async fn stores() -> Vec<Store> {
    let mut stores = vec![Store::Memory(Memory::default()), dynamodb().await.0];
    #[expect(clippy::disallowed_methods, reason = "a test has no main that could read it")]
    if let Ok(url) = std::env::var("TEST_REDIS_URL") {
        stores.push(Store::Redis(redis(url)));
    }
    stores
}

/// Ids that no other test has left in a shared Redis.
struct Fresh(String);

impl Fresh {
    fn new() -> Self {
        Self(runtime::Clock::system().new_id().simple().to_string())
    }

    /// Somebody who was hired.
    fn person(&self, id: &str, department: Option<&str>) -> Written {
        let mut event = with(event(), Field::Email, self.email(id).as_str());
        event.employee_id = EmployeeId::parse(format!("{}-{id}", self.0)).unwrap();
        if let Some(department) = department {
            event = with(event, Field::Department, self.department(department).as_str());
        }
        made_of(&event, None, None)
    }

    fn email(&self, id: &str) -> Email {
        Email::parse(format!("{id}@{}.example", self.0)).unwrap()
    }

    fn department(&self, name: &str) -> Text {
        Text::parse(format!("{name} {}", self.0)).unwrap()
    }

    fn correlation_id(&self) -> CorrelationId {
        CorrelationId::parse(self.0.clone()).unwrap()
    }
}

/// Whether it was noted.
pub(crate) async fn note(store: &Store, id: &CorrelationId, event: &RequestEvent) -> bool {
    match event.state {
        RequestState::Accepted => store.accept_request(id, event).await.unwrap().is_none(),
        RequestState::Ended(_) => store.end_request(id, event, None).await.unwrap(),
    }
}

fn told(employee: &str, state: RequestState) -> RequestEvent {
    RequestEvent {
        event_id: EventId::parse("evt-1").unwrap(),
        employee_id: EmployeeId::parse(employee).unwrap(),
        updated_at: "2026-01-31T18:42:00Z".parse().unwrap(),
        next_attempt: None,
        timeline: Timeline::default(),
        state,
    }
}

/// The person with another title, and the entry of the event that gave it.
fn moved(of: &Person, event_id: &str) -> Written {
    let mut event = with(event(), Field::Title, event_id);
    event.employee_id = of.id.clone();
    event.event_id = EventId::parse(event_id).unwrap();
    event.occurred_at = None;
    made_of(&event, Some(of), None)
}

async fn commit(store: &Store, written: &Written, read: Option<&Person>) -> Saved {
    store.commit(&written.person, read, Some(&written.entry)).await.unwrap()
}

async fn every_page(store: &Store, filter: &Filter, limit: usize) -> Vec<String> {
    let mut ids: Vec<String> = Vec::new();
    loop {
        let after = ids.last().map(|id| EmployeeId::parse(id.clone()).unwrap());
        let page = store.list(filter, after.as_ref(), limit).await.unwrap();
        ids.extend(page.iter().map(|person| person.id.to_string()));
        if page.len() < limit {
            return ids;
        }
    }
}

#[tokio::test]
async fn everybody_of_whom_something_is_left_is_listed_once_also_who_was_written_just_now() {
    for store in stores().await {
        let fresh = Fresh::new();
        let mut expected = BTreeSet::new();
        for id in ["ada", "bob", "cyd", "dee"] {
            let mut written = fresh.person(id, None);
            if id == "cyd" {
                written.person.hr = crate::registers::Registers::default();
            } else {
                expected.insert(written.person.id.to_string());
            }
            commit(&store, &written, None).await;
        }
        for limit in [1, 2, 3, 9] {
            let (mut ids, mut after) = (Vec::new(), None);
            loop {
                let page = store.everybody(after.as_ref(), limit).await.unwrap();
                ids.extend(page.iter().map(EmployeeId::to_string));
                if page.len() < limit {
                    break;
                }
                after = page.last().cloned();
            }
            // Others share a Redis.
            ids.retain(|id| id.starts_with(&fresh.0));
            assert_eq!(ids.len(), expected.len(), "{store:?}");
            assert_eq!(ids.into_iter().collect::<BTreeSet<_>>(), expected, "{store:?}");
        }
    }
}

#[tokio::test]
async fn a_person_and_the_entry_are_read_back_as_they_were() {
    for store in stores().await {
        let mut ada = Fresh::new().person("ada", Some("Engines"));
        let complete = made_of(&event(), None, Some(Answer::Account(account("ACTIVE"))));
        ada.person.okta = complete.person.okta;
        let id = &ada.person.id;
        assert_eq!(store.person(id).await.unwrap(), None);
        assert_eq!(store.entry(id, &ada.entry.event_id).await.unwrap(), None);
        assert_eq!(commit(&store, &ada, None).await, Saved::Yes);
        assert_eq!(store.person(id).await.unwrap().as_ref(), Some(&ada.person), "{store:?}");
        let entry = store.entry(id, &ada.entry.event_id).await.unwrap();
        assert_eq!(entry.as_ref(), Some(&ada.entry), "{store:?}");
        assert_eq!(store.entries(id).await.unwrap(), [ada.entry], "{store:?}");
    }
}

#[tokio::test]
async fn a_person_whom_somebody_else_wrote_is_not_overwritten_and_no_entry_is_left() {
    for store in stores().await {
        let first = Fresh::new().person("ada", None);
        commit(&store, &first, None).await;
        assert_eq!(commit(&store, &first, None).await, Saved::Conflict, "{store:?}");
        let (second, late) = (moved(&first.person, "second"), moved(&first.person, "late"));
        assert_eq!(commit(&store, &second, Some(&first.person)).await, Saved::Yes);
        assert_eq!(commit(&store, &late, Some(&first.person)).await, Saved::Conflict, "{store:?}");
        let id = &first.person.id;
        assert_eq!(store.entry(id, &late.entry.event_id).await.unwrap(), None, "{store:?}");
        assert_eq!(store.person(id).await.unwrap(), Some(second.person));
    }
}

#[tokio::test]
async fn somebody_who_is_not_there_cannot_be_changed() {
    for store in stores().await {
        let first = Fresh::new().person("ada", None);
        let second = moved(&first.person, "second");
        assert_eq!(commit(&store, &second, Some(&first.person)).await, Saved::Conflict, "{store:?}");
    }
}

#[tokio::test]
async fn of_many_writers_exactly_one_wins() {
    for store in stores().await {
        let first = Fresh::new().person("ada", None).person;
        store.commit(&first, None, None).await.unwrap();
        let mut writers = tokio::task::JoinSet::new();
        for number in 0..16 {
            let (store, first) = (store.clone(), first.clone());
            writers.spawn(async move {
                commit(&store, &moved(&first, &format!("evt-{number}")), Some(&first)).await
            });
        }
        let won = writers.join_all().await.into_iter().filter(|saved| *saved == Saved::Yes).count();
        assert_eq!(won, 1, "{store:?}");
        assert_eq!(store.entries(&first.id).await.unwrap().len(), 1, "{store:?}");
    }
}

#[tokio::test]
async fn a_history_is_read_in_pages_the_newest_first_and_without_what_is_not_shown() {
    for store in stores().await {
        let mut person = Fresh::new().person("ada", None);
        commit(&store, &person, None).await;
        for number in 0..12 {
            let next = moved(&person.person, &format!("move-{number}"));
            commit(&store, &next, Some(&person.person)).await;
            person = next;
        }
        let id = &person.person.id;
        let (mut ids, mut before) = (Vec::new(), None);
        loop {
            let page = store.history(id, before, 5).await.unwrap();
            ids.extend(page.iter().map(|entry| entry.event_id.to_string()));
            before = page.last().and_then(|entry| entry.sequence);
            if page.len() < 5 {
                break;
            }
        }
        let moves = (0..12).rev().map(|number| format!("move-{number}"));
        assert_eq!(ids, moves.chain(["evt-1".to_owned()]).collect::<Vec<_>>(), "{store:?}");
        store.replace_entry(&person.entry.clone().forgotten()).await.unwrap();
        let newest = &store.history(id, None, 1).await.unwrap()[0];
        assert_eq!(newest.event_id.as_str(), "move-10", "{store:?}");
    }
}

/// As the version before stored users.
fn stored_before(id: &str, email: &str) -> serde_json::Value {
    serde_json::json!({
        "user": {
            "id": id, "name": "Ada Lovelace", "email": email, "title": null, "department": "Engines",
            "managerEmail": null, "startDate": null, "endDate": null, "employmentStatus": "employed",
            "onboarded": true, "oktaId": "00u1", "oktaStatus": "ACTIVE", "groups": [], "applications": [],
            "details": {"country": "GB"}, "version": 3, "updatedAt": "2026-01-31T18:00:00Z", "correlationId": "c-0"
        },
        "last": {
            "occurred_at": "2026-01-31T17:00:00Z", "received_at": "2026-01-31T17:00:01Z",
            "recent": ["evt-a", "evt-b"]
        }
    })
}

async fn becomes_registers(store: &Store, id: &str) {
    let id = EmployeeId::parse(id).unwrap();
    let read = store.person(&id).await.unwrap().unwrap();
    let user = read.user().unwrap();
    assert_eq!((user.name.unwrap().as_str(), user.version), ("Ada Lovelace", 3), "{store:?}");
    let next = moved(&read, "next");
    assert_eq!(commit(store, &next, Some(&read)).await, Saved::Yes, "{store:?}");
    assert_eq!(commit(store, &next, Some(&read)).await, Saved::Conflict, "{store:?}");
    let stored = store.person(&id).await.unwrap().unwrap();
    assert_eq!((stored.version, stored.writes), (4, 1), "{store:?}");
    let mut ids: Vec<_> =
        store.entries(&id).await.unwrap().into_iter().map(|entry| entry.event_id.to_string()).collect();
    ids.sort();
    assert_eq!(ids, ["evt-a", "evt-b", "next"], "{store:?}: what was applied is remembered");
    assert_eq!(store.history(&id, None, 9).await.unwrap().len(), 1, "{store:?}: no more is known of it");
}

#[tokio::test]
async fn a_user_of_the_version_before_becomes_registers_with_the_next_write() {
    let (store, client) = dynamodb().await;
    let stored = stored_before("E1", "ada@acme.example");
    let mut item: std::collections::HashMap<String, AttributeValue> = dynamo::to_item(&stored).unwrap();
    for (name, value) in [("id", "E1"), ("email_key", "ada@acme.example"), ("department_key", "engines")] {
        item.insert(name.to_owned(), AttributeValue::S(value.to_owned()));
    }
    item.insert("version".to_owned(), AttributeValue::N("3".to_owned()));
    client.put_item().table_name("users").set_item(Some(item)).send().await.unwrap();
    assert_eq!(store.list(&Filter::default(), None, 9).await.unwrap().len(), 1, "it is listed as it is");
    becomes_registers(&store, "E1").await;
}

#[tokio::test]
async fn people_with_one_address_are_found_unless_they_have_left() {
    for store in stores().await {
        let fresh = Fresh::new();
        let (ada, mut bob) = (fresh.person("ada", None), fresh.person("bob", None));
        bob.person.hr = ada.person.hr.clone();
        for written in [&ada, &bob] {
            commit(&store, written, None).await;
        }
        let found = async || store.employed_with(&fresh.email("ADA")).await.unwrap().len();
        assert_eq!(found().await, 2, "{store:?}");
        let mut left = event();
        left.employee_id = bob.person.id.clone();
        left.event_type = contracts::EventType::Terminated;
        left.event_id = EventId::parse("left").unwrap();
        left.stated = contracts::Stated::default();
        let left = made_of(&left, Some(&bob.person), None);
        commit(&store, &left, Some(&bob.person)).await;
        assert_eq!(found().await, 1, "{store:?}");
    }
}

#[tokio::test]
async fn pages_cover_every_user_once() {
    for store in stores().await {
        let fresh = Fresh::new();
        let mut expected = BTreeSet::new();
        for n in 0..23 {
            let person = fresh.person(&format!("{n:02}"), Some("Engines"));
            commit(&store, &person, None).await;
            expected.insert(person.person.id.to_string());
        }
        let in_department = Filter { department: Some(fresh.department("ENGINES")), email: None };
        for filter in [&in_department, &Filter::default()] {
            let listed = every_page(&store, filter, 5).await;
            let ours: Vec<_> = listed.into_iter().filter(|id| id.starts_with(&fresh.0)).collect();
            assert_eq!(ours.len(), 23, "{store:?}: a user is listed twice or not at all");
            assert_eq!(ours.into_iter().collect::<BTreeSet<_>>(), expected);
        }
    }
}

#[tokio::test]
async fn filters_ignore_case_and_combine() {
    for store in stores().await {
        let fresh = Fresh::new();
        for (id, department) in [("ada", Some("Engines")), ("bob", Some("Sales")), ("cy", None)] {
            commit(&store, &fresh.person(id, department), None).await;
        }
        let ids = async |department: Option<&str>, email: Option<&str>| {
            let filter = Filter {
                department: department.map(|name| fresh.department(name)),
                email: email.map(|id| fresh.email(id)),
            };
            let users = store.list(&filter, None, 10).await.unwrap();
            users.iter().map(|user| user.id.to_string().replace(&fresh.0, "")).collect::<Vec<_>>()
        };
        assert_eq!(ids(Some("engines"), None).await, ["-ada"], "{store:?}");
        assert_eq!(ids(None, Some("BOB")).await, ["-bob"], "{store:?}");
        assert_eq!(ids(Some("SALES"), Some("bob")).await, ["-bob"], "{store:?}");
        assert_eq!(ids(Some("Engines"), Some("bob")).await, Vec::<String>::new(), "{store:?}");
    }
}

#[tokio::test]
async fn a_user_who_moves_is_listed_in_the_new_department_only() {
    for store in stores().await {
        let fresh = Fresh::new();
        let before = fresh.person("ada", Some("Engines")).person;
        store.commit(&before, None, None).await.unwrap();
        let mut to_sales = with(event(), Field::Department, fresh.department("Sales").as_str());
        to_sales.employee_id = before.id.clone();
        to_sales.occurred_at = None;
        to_sales.event_id = EventId::parse("evt-2").unwrap();
        commit(&store, &made_of(&to_sales, Some(&before), None), Some(&before)).await;
        let count = async |name: &str| {
            let filter = Filter { department: Some(fresh.department(name)), email: None };
            store.list(&filter, None, 10).await.unwrap().len()
        };
        assert_eq!((count("Engines").await, count("Sales").await), (0, 1), "{store:?}");
    }
}

#[tokio::test]
async fn a_requests_state_only_moves_forward() {
    let failed =
        || RequestState::Ended(Outcome::Failed { reason: Reason::UserNotFound, message: "gone".to_owned() });
    let enriched = || RequestState::Ended(Outcome::Changed { fields: vec!["title".to_owned()] });
    for store in stores().await {
        let id = Fresh::new().correlation_id();
        let record = async |state: RequestState| {
            let noted = note(&store, &id, &told("E1", state)).await;
            (noted, store.request(&id).await.unwrap().shown.remove(0).state)
        };
        assert_eq!(store.request(&id).await.unwrap(), RequestEvents::default());
        for (state, noted, stored) in [
            (RequestState::Accepted, true, RequestState::Accepted),
            (failed(), true, failed()),
            (RequestState::Accepted, false, failed()),
            (enriched(), true, enriched()),
            (enriched(), false, enriched()),
            (failed(), false, enriched()),
        ] {
            assert_eq!(record(state).await, (noted, stored), "{store:?}");
        }
    }
}

#[tokio::test]
async fn a_request_that_is_accepted_again_tells_what_was_noted_of_it() {
    let at = |second| Some(jiff::Timestamp::from_second(second).unwrap());
    for store in stores().await {
        let id = Fresh::new().correlation_id();
        let accepted = |second| RequestEvent {
            timeline: Timeline { taken: at(second), ..Timeline::default() },
            ..told("E1", RequestState::Accepted)
        };
        assert_eq!(store.accept_request(&id, &accepted(1)).await.unwrap(), None, "{store:?}");
        let earlier = store.accept_request(&id, &accepted(2)).await.unwrap();
        assert_eq!(earlier, Some(accepted(1).timeline), "{store:?}");
        let mut ended = told("E1", RequestState::Ended(Outcome::NothingNew));
        ended.timeline = Timeline { stored: at(3), ..earlier.unwrap() };
        assert!(store.end_request(&id, &ended, None).await.unwrap(), "{store:?}");
        assert_eq!(store.request(&id).await.unwrap().shown, [ended], "{store:?}");
    }
}

#[tokio::test]
async fn events_under_one_correlation_id_are_told_apart() {
    for store in stores().await {
        let id = Fresh::new().correlation_id();
        for employee in ["E1", "E2"] {
            note(&store, &id, &told(employee, RequestState::Accepted)).await;
        }
        let employees: Vec<_> =
            store.request(&id).await.unwrap().shown.into_iter().map(|e| e.employee_id).collect();
        assert_eq!(employees.iter().map(EmployeeId::as_str).collect::<Vec<_>>(), ["E1", "E2"], "{store:?}");
    }
}

#[tokio::test]
async fn one_event_of_a_request_is_found_among_the_others() {
    for store in stores().await {
        let id = Fresh::new().correlation_id();
        let (ada, bob) = (told("E1", RequestState::Accepted), told("E2", RequestState::Accepted));
        for event in [&ada, &bob] {
            note(&store, &id, event).await;
        }
        assert_eq!(store.request_event(&id, &bob.key()).await.unwrap(), Some(bob), "{store:?}");
        assert_eq!(store.request_event(&id, "E3#evt-1").await.unwrap(), None, "{store:?}");
        let other = Fresh::new().correlation_id();
        assert_eq!(store.request_event(&other, &ada.key()).await.unwrap(), None, "{store:?}");
    }
}

#[tokio::test]
async fn what_became_of_a_request_is_kept_for_thirty_days() {
    let (store, client) = dynamodb().await;
    let event = told("E1", RequestState::Accepted);
    note(&store, &CorrelationId::parse("c-1").unwrap(), &event).await;
    let items = client.scan().table_name("requests").send().await.unwrap().items.unwrap();
    let month = event.updated_at + SignedDuration::from_hours(720);
    assert_eq!(items[0]["expires_at"], AttributeValue::N(month.as_second().to_string()));
}

#[tokio::test]
async fn every_store_answers_a_ping_and_one_that_is_away_does_not() {
    for store in stores().await {
        store.ping().await.unwrap();
    }
    assert!(matches!(away().ping().await, Err(Error::Unavailable(_))));
}

#[test]
fn the_backend_is_chosen_by_name() {
    let chosen = |backend: Option<&str>| {
        let mut vars = Vars::from_iter(aws::EMULATED);
        vars.extend([("USERS_TABLE", "users"), ("HISTORY_TABLE", "history"), ("REQUESTS_TABLE", "requests")]);
        vars.extend([("OUTBOX_TABLE", "outbox")]);
        vars.extend([("STORAGE_URL", "redis://localhost:6379")]);
        vars.extend(backend.map(|backend| ("STORAGE_BACKEND", backend)));
        Store::from_vars(&vars, &Aws::from_vars(&vars).unwrap())
    };
    for backend in [None, Some("dynamodb")] {
        assert!(matches!(chosen(backend), Ok(Store::DynamoDb(_))), "{backend:?}");
    }
    assert!(matches!(chosen(Some("redis")), Ok(Store::Redis(_))));
    let refused = chosen(Some("memory")).unwrap_err();
    assert!(refused.to_string().contains("STORAGE_BACKEND"), "{refused}");
}

//! The contract: the same tests on every backend. Redis takes part where `make test-real` names one.

use std::collections::BTreeSet;

use aws_sdk_dynamodb::types::AttributeValue;
use contracts::{EventId, Reason};
use dynamo::{Index, TableSpec};
use jiff::{SignedDuration, Timestamp};

use super::*;
use crate::{
    merge::{merge, tests::event},
    request::{Outcome, RequestState},
};

/// A DynamoDB of its own for one test, over HTTP, and a client of it.
async fn dynamodb() -> (Store, dynamo::Client) {
    let (mut vars, _server) = dynamo::embedded::serve(None, std::future::pending()).await.unwrap();
    vars.extend([("USERS_TABLE", "users"), ("REQUESTS_TABLE", "requests")]);
    let aws = Aws::from_vars(&vars).unwrap();
    let client = dynamo::client(&vars, &aws).unwrap();
    let index = |name: &str, hash: &str| Index {
        name: name.to_owned(),
        hash: hash.to_owned(),
        range: Some("id".to_owned()),
    };
    let users = TableSpec {
        name: "users".to_owned(),
        hash: "id".to_owned(),
        range: None,
        indexes: vec![index("by-department", "department_key"), index("by-email", "email_key")],
        ttl: None,
    };
    let requests = TableSpec {
        name: "requests".to_owned(),
        hash: "correlation_id".to_owned(),
        range: Some("event_key".to_owned()),
        indexes: vec![],
        ttl: Some("expires_at".to_owned()),
    };
    for table in [users, requests] {
        dynamo::ensure(&client, &table).await.unwrap();
    }
    (Store::from_vars(&vars, &aws).unwrap(), client)
}

/// A DynamoDB that nobody answers for.
pub(crate) fn away() -> Store {
    let vars = Vars::from_iter(aws::EMULATED)
        .with("AWS_ENDPOINT_URL_DYNAMODB", "http://127.0.0.1:1")
        .with("USERS_TABLE", "users")
        .with("REQUESTS_TABLE", "requests");
    Store::from_vars(&vars, &Aws::from_vars(&vars).unwrap()).unwrap()
}

fn redis(url: String) -> Redis {
    let vars = Vars::from_iter(aws::EMULATED).with("STORAGE_URL", url);
    Redis::from_vars(&vars, &Aws::from_vars(&vars).unwrap()).unwrap()
}

async fn stores() -> Vec<Store> {
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

    fn user(&self, id: &str, department: Option<&str>) -> StoredUser {
        let mut event = event();
        event.employee.id = EmployeeId::parse(format!("{}-{id}", self.0)).unwrap();
        event.employee.email = self.email(id);
        event.employee.department = department.map(|department| self.department(department));
        merge(&event, None, None, Timestamp::UNIX_EPOCH)
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

fn told(employee: &str, state: RequestState) -> RequestEvent {
    RequestEvent {
        event_id: EventId::parse("evt-1").unwrap(),
        employee_id: EmployeeId::parse(employee).unwrap(),
        updated_at: "2026-01-31T18:42:00Z".parse().unwrap(),
        state,
    }
}

fn next_version(of: &StoredUser) -> StoredUser {
    let mut next = of.clone();
    next.user.version += 1;
    next
}

async fn every_page(store: &Store, filter: &Filter, limit: usize) -> Vec<String> {
    let mut ids: Vec<String> = Vec::new();
    loop {
        let after = ids.last().map(|id| EmployeeId::parse(id.clone()).unwrap());
        let page = store.list(filter, after.as_ref(), limit).await.unwrap();
        ids.extend(page.iter().map(|user| user.id.to_string()));
        if page.len() < limit {
            return ids;
        }
    }
}

#[tokio::test]
async fn a_saved_user_is_read_back_as_it_was() {
    for store in stores().await {
        let ada = Fresh::new().user("ada", Some("Engines"));
        assert_eq!(store.user(&ada.user.id).await.unwrap(), None);
        assert_eq!(store.save(&ada, None).await.unwrap(), Saved::Yes);
        assert_eq!(store.user(&ada.user.id).await.unwrap(), Some(ada), "{store:?}");
    }
}

#[tokio::test]
async fn a_user_that_somebody_else_wrote_is_not_overwritten() {
    for store in stores().await {
        let first = Fresh::new().user("ada", None);
        store.save(&first, None).await.unwrap();
        assert_eq!(store.save(&first, None).await.unwrap(), Saved::Conflict, "{store:?}");
        let second = next_version(&first);
        assert_eq!(store.save(&second, Some(&first)).await.unwrap(), Saved::Yes);
        let late = next_version(&first);
        assert_eq!(store.save(&late, Some(&first)).await.unwrap(), Saved::Conflict, "{store:?}");
        assert_eq!(store.user(&first.user.id).await.unwrap(), Some(second));
    }
}

#[tokio::test]
async fn a_user_that_is_not_there_cannot_be_updated() {
    for store in stores().await {
        let first = Fresh::new().user("ada", None);
        let second = next_version(&first);
        assert_eq!(store.save(&second, Some(&first)).await.unwrap(), Saved::Conflict, "{store:?}");
    }
}

#[tokio::test]
async fn of_many_writers_exactly_one_wins() {
    for store in stores().await {
        let first = Fresh::new().user("ada", None);
        store.save(&first, None).await.unwrap();
        let mut writers = tokio::task::JoinSet::new();
        for _ in 0..16 {
            let (store, first) = (store.clone(), first.clone());
            writers.spawn(async move { store.save(&next_version(&first), Some(&first)).await.unwrap() });
        }
        let won = writers.join_all().await.into_iter().filter(|saved| *saved == Saved::Yes).count();
        assert_eq!(won, 1, "{store:?}");
    }
}

#[tokio::test]
async fn pages_cover_every_user_once() {
    for store in stores().await {
        let fresh = Fresh::new();
        let mut expected = BTreeSet::new();
        for n in 0..23 {
            let user = fresh.user(&format!("{n:02}"), Some("Engines"));
            store.save(&user, None).await.unwrap();
            expected.insert(user.user.id.to_string());
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
            store.save(&fresh.user(id, department), None).await.unwrap();
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
        let before = fresh.user("ada", Some("Engines"));
        store.save(&before, None).await.unwrap();
        let mut after = next_version(&before);
        after.user.department = Some(fresh.department("Sales"));
        store.save(&after, Some(&before)).await.unwrap();
        let count = async |name: &str| {
            let filter = Filter { department: Some(fresh.department(name)), email: None };
            store.list(&filter, None, 10).await.unwrap().len()
        };
        assert_eq!((count("Engines").await, count("Sales").await), (0, 1), "{store:?}");
    }
}

#[tokio::test]
async fn a_requests_state_only_moves_forward() {
    let failed = || RequestState::Failed { reason: Reason::UserNotFound, message: "gone".to_owned() };
    let enriched = || RequestState::Enriched { outcome: Outcome::Applied };
    for store in stores().await {
        let id = Fresh::new().correlation_id();
        let record = async |state: RequestState| {
            store.record_request(&id, &told("E1", state)).await.unwrap();
            store.request(&id).await.unwrap().remove(0).state
        };
        assert_eq!(store.request(&id).await.unwrap(), []);
        assert_eq!(record(RequestState::Accepted).await, RequestState::Accepted);
        assert_eq!(record(failed()).await, failed(), "{store:?}");
        assert_eq!(record(RequestState::Accepted).await, failed(), "{store:?}");
        assert_eq!(record(enriched()).await, enriched(), "{store:?}");
        assert_eq!(record(failed()).await, enriched(), "{store:?}");
    }
}

#[tokio::test]
async fn events_under_one_correlation_id_are_told_apart() {
    for store in stores().await {
        let id = Fresh::new().correlation_id();
        for employee in ["E1", "E2"] {
            store.record_request(&id, &told(employee, RequestState::Accepted)).await.unwrap();
        }
        let employees: Vec<_> =
            store.request(&id).await.unwrap().into_iter().map(|e| e.employee_id).collect();
        assert_eq!(employees.iter().map(EmployeeId::as_str).collect::<Vec<_>>(), ["E1", "E2"], "{store:?}");
    }
}

#[tokio::test]
async fn one_event_of_a_request_is_found_among_the_others() {
    for store in stores().await {
        let id = Fresh::new().correlation_id();
        let (ada, bob) = (told("E1", RequestState::Accepted), told("E2", RequestState::Accepted));
        for event in [&ada, &bob] {
            store.record_request(&id, event).await.unwrap();
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
    store.record_request(&CorrelationId::parse("c-1").unwrap(), &event).await.unwrap();
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
        vars.extend([("USERS_TABLE", "users"), ("REQUESTS_TABLE", "requests")]);
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

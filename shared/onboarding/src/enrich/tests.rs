//! What to do when something is away: in every one of these, nobody but Lambda still has the record.

use std::time::Duration;

use aws::Aws;
use okta::fake::{Directory as FakeOkta, Fault, Person, Server};
use runtime::Vars;

use super::*;
use crate::{merge::tests::event, store::Memory};

/// An enrichment whose brokers are away, with a fake Okta that knows Ada.
async fn enrichment(store: Store) -> (Enrich, Server, FakeOkta) {
    let clock = Clock::system();
    let directory = FakeOkta::empty(clock);
    directory.add(Person {
        id: "00u1".to_owned(),
        status: okta::UserStatus::Active,
        login: "ada@acme.example".to_owned(),
        email: "ada@acme.example".to_owned(),
        first_name: "Ada".to_owned(),
        last_name: "Lovelace".to_owned(),
        title: String::new(),
        department: String::new(),
        groups: vec![],
        apps: vec![],
    });
    let server = Server::start(directory.clone(), "token").await;
    let vars = Vars::from_iter([
        ("KAFKA_BOOTSTRAP_SERVERS", "127.0.0.1:1"),
        ("KAFKA_ACK_TIMEOUT_SECONDS", "0.1"),
        ("RETRY_BASE_SECONDS", "0.001"),
    ]);
    let aws = emulated();
    let enrich = Enrich {
        store,
        cache: Cache::from_vars(&vars, &aws).unwrap(),
        okta: okta::Client::new(server.config(), clock),
        producer: Producer::from_vars(&vars, &aws, clock).unwrap(),
        retry: RetryPolicy::from_vars(&vars).unwrap(),
        clock,
    };
    (enrich, server, directory)
}

fn emulated() -> Aws {
    Aws::from_vars(&Vars::from_iter(aws::EMULATED)).unwrap()
}

fn record(value: Vec<u8>) -> Record {
    Record {
        topic: topic::ENRICHMENT_REQUESTED.to_owned(),
        partition: 0,
        offset: 1,
        timestamp: 0,
        timestamp_type: "CREATE_TIME".to_owned(),
        key: Some(b"E1".to_vec()),
        value: Some(value),
        headers: vec![],
    }
}

fn soon() -> Instant {
    Instant::now() + Duration::from_secs(30)
}

fn memory() -> Store {
    Store::Memory(Memory::default())
}

#[tokio::test]
async fn an_event_that_succeeds_needs_no_broker() {
    let (enrich, _okta, _) = enrichment(memory()).await;
    assert_eq!(enrich.enrich(record(event().encode()), soon()).await, Ok(()));
    let ada = enrich.store.user(&event().employee.id).await.unwrap().unwrap();
    assert_eq!((ada.user.version, ada.user.onboarded), (1, true));
}

#[tokio::test]
async fn a_dead_letter_that_nobody_takes_is_reported_back() {
    let (enrich, _okta, _) = enrichment(memory()).await;
    assert_eq!(enrich.enrich(record(b"not json".to_vec()), soon()).await, Err(Retry));
}

#[tokio::test]
async fn while_the_store_is_away_records_are_reported_back_and_okta_is_left_alone() {
    let nowhere = Vars::from_iter([
        ("AWS_ENDPOINT_URL_DYNAMODB", "http://127.0.0.1:1"),
        ("USERS_TABLE", "users"),
        ("REQUESTS_TABLE", "requests"),
    ]);
    let (enrich, _server, okta) = enrichment(Store::from_vars(&nowhere, &emulated()).unwrap()).await;
    assert_eq!(enrich.enrich(record(event().encode()), soon()).await, Err(Retry));
    assert_eq!(okta.requests(), 0);
}

#[tokio::test]
async fn a_record_whose_time_runs_out_is_reported_back_and_not_given_up() {
    let (enrich, _server, okta) = enrichment(memory()).await;
    okta.fail_next(Fault::Hang);
    let give_up = Instant::now() + Duration::from_millis(50);
    assert_eq!(enrich.enrich(record(event().encode()), give_up).await, Err(Retry));
    assert_eq!(enrich.enrich(record(event().encode()), soon()).await, Ok(()), "the next delivery succeeds");
}

#[tokio::test]
async fn whoever_writes_meanwhile_the_newer_event_stays() {
    let (enrich, _server, _) = enrichment(memory()).await;
    let (older, mut newer) = (event(), event());
    newer.event_id = contracts::EventId::parse("evt-2").unwrap();
    newer.occurred_at = older.occurred_at + Duration::from_secs(1);
    let stored = enrich.store.user(&older.employee.id).await.unwrap();
    assert_eq!(enrich.enrich(record(newer.encode()), soon()).await, Ok(()));
    // The older event has read the store before the newer one wrote to it.
    let outcome = enrich.save(&older, None, stored).await.unwrap();
    assert_eq!(outcome, Outcome::Superseded);
    let ada = enrich.store.user(&older.employee.id).await.unwrap().unwrap();
    assert_eq!(ada.last.occurred_at, newer.occurred_at);
}

#[tokio::test]
async fn states_of_the_request_say_how_far_it_came() {
    let (enrich, _server, okta) = enrichment(memory()).await;
    okta.fail_next(Fault::Hang);
    let give_up = Instant::now() + Duration::from_millis(50);
    assert_eq!(enrich.enrich(record(event().encode()), give_up).await, Err(Retry));
    let states = enrich.store.request(&event().correlation_id).await.unwrap();
    assert_eq!(states[0].state, RequestState::Accepted);
}

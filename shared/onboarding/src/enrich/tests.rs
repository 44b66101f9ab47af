//! What to do when something is away: in every one of these, nobody but Lambda still has the record.

use std::time::Duration;

use aws::Aws;
use okta::fake::{Directory as FakeOkta, Fault, Person, Server};
use runtime::Vars;

use super::*;
use crate::{
    merge::tests::event,
    store::{Memory, tests::away},
};

/// A fake Okta that knows Ada.
pub(crate) async fn okta() -> (Server, FakeOkta) {
    let directory = FakeOkta::empty(Clock::system());
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
    (Server::start(directory.clone(), "token").await, directory)
}

/// An enrichment whose brokers are away.
async fn enrichment(store: Store) -> (Enrich, Server, FakeOkta) {
    let clock = Clock::system();
    let (server, directory) = okta().await;
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
    let (enrich, _server, okta) = enrichment(away()).await;
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

#[tokio::test]
async fn who_has_left_needs_no_account_and_who_comes_does() {
    let (enrich, _server, okta) = enrichment(memory()).await;
    assert!(okta.remove("00u1"));
    let come = enrich.apply(&record(event().encode()), soon()).await;
    assert!(matches!(come, Err(Stopped::DeadLetter(Failure::UserNotFound))));
    let mut left = event();
    left.event_type = EventType::Terminated;
    assert_eq!(enrich.enrich(record(left.encode()), soon()).await, Ok(()));
    let ada = enrich.store.user(&left.employee.id).await.unwrap().unwrap();
    assert_eq!((ada.user.okta_id, ada.user.onboarded), (None, false));
}

#[tokio::test]
async fn a_dead_letter_says_why_and_after_how_many_attempts() {
    let (enrich, _server, okta) = enrichment(memory()).await;
    let stopped = async |value: Vec<u8>| match enrich.apply(&record(value), soon()).await {
        Err(Stopped::DeadLetter(failure)) => (failure.reason(), failure.attempts()),
        _ => panic!("not a dead letter"),
    };
    assert_eq!(stopped(b"not json".to_vec()).await, (Reason::Undecodable, 1));
    for _ in 0..3 {
        okta.fail_next(Fault::Status(503));
    }
    assert_eq!(stopped(event().encode()).await, (Reason::OktaUnavailable, 3));
}

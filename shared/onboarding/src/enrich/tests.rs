//! What to do when something is away: in every one of these, nobody but Lambda still has the record.

mod account;
mod breaker;

use std::time::Duration;

use aws::Aws;
use contracts::{EmployeeId, EnrichedUser, EnrichmentState, EventId, Field, Missing, Stated, topic};
use jiff::Timestamp;
use okta::fake::{Behaviour, Directory as FakeOkta, Fault, Person as InOkta, Server};
use runtime::Vars;
use tokio::time::Instant;

use super::*;
use crate::{
    breakers,
    store::{Memory, tests::away},
    tests::{event, with},
};

/// A fake Okta that knows Ada.
pub(crate) async fn okta() -> (Server, FakeOkta) {
    let directory = FakeOkta::empty(Clock::system());
    directory.add(ada());
    (Server::start(directory.clone(), "token").await, directory)
}

fn ada() -> InOkta {
    InOkta {
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
    }
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
    let cache = Cache::from_vars(&vars, &aws).unwrap();
    let producer = Producer::from_vars(&vars, &aws, clock).unwrap();
    let enrich = Enrich {
        facts: Publisher::new(store.outbox(), producer.clone()),
        store,
        okta_health: OktaHealth::new(cache.clone(), clock),
        times: CompletionTimes::new(cache.clone(), clock),
        okta: okta::Client::new(server.config(), clock),
        turns: Turns::from_vars(&vars).unwrap(),
        breaker: breakers::okta(&vars, cache.clone(), clock).unwrap(),
        cache,
        producer,
        retry: RetryPolicy::from_vars(&vars).unwrap(),
        clock,
    };
    (enrich, server, directory)
}

fn emulated() -> Aws {
    Aws::from_vars(&Vars::from_iter(aws::EMULATED)).unwrap()
}

fn taken(event: &EnrichmentRequestedV2) -> Taken<'_> {
    let (delivery, timeline) = (Delivery::Lambdas, Timeline::default());
    Taken { event, delivery, traceparent: None, is_repeat: false, timeline }
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

fn within(time: Duration) -> AskUntil {
    let give_up = Instant::now() + time;
    AskUntil { stop_starting: give_up, give_up }
}

fn soon() -> AskUntil {
    within(Duration::from_secs(30))
}

fn memory() -> Store {
    Store::Memory(Memory::default())
}

async fn user(enrich: &Enrich) -> EnrichedUser {
    enrich.store.person(&event().employee_id).await.unwrap().unwrap().user().unwrap()
}

/// Applies an event that is to become a dead letter, or to be delivered again.
async fn stopped(enrich: &Enrich, event: &EnrichmentRequestedV2) -> Stopped {
    enrich.apply(taken(event), soon()).await.expect_err("it stopped")
}

#[tokio::test]
async fn an_event_that_succeeds_needs_no_broker() {
    let (enrich, _okta, _) = enrichment(memory()).await;
    assert_eq!(enrich.enrich(&record(event().encode()), soon()).await, Ok(Enriched::Applied));
    let ada = user(&enrich).await;
    assert_eq!((ada.version, ada.onboarded), (1, true));
}

#[tokio::test]
async fn an_event_that_was_taken_before_is_a_repeat() {
    let (enrich, _okta, _) = enrichment(memory()).await;
    let event = event();
    let first = enrich.accept(taken(&event)).await.unwrap();
    let again = enrich.accept(taken(&event)).await.unwrap();
    assert_eq!((first.is_repeat, again.is_repeat), (false, true));
}

#[tokio::test]
async fn a_dead_letter_that_nobody_takes_is_reported_back() {
    let (enrich, _okta, _) = enrichment(memory()).await;
    assert_eq!(enrich.enrich(&record(b"not json".to_vec()), soon()).await, Err(Retry));
}

#[tokio::test]
async fn while_the_store_is_away_records_are_reported_back_and_okta_is_left_alone() {
    let (enrich, _server, okta) = enrichment(away()).await;
    assert_eq!(enrich.enrich(&record(event().encode()), soon()).await, Err(Retry));
    assert_eq!(okta.requests(), 0);
}

#[tokio::test]
async fn a_record_whose_time_runs_out_is_reported_back_and_what_hr_says_is_there() {
    let (enrich, _server, okta) = enrichment(memory()).await;
    for _ in 0..3 {
        okta.fail_next(Fault::Hang);
    }
    let until = within(Duration::from_millis(50));
    assert_eq!(enrich.enrich(&record(event().encode()), until).await, Err(Retry));
    let ada = user(&enrich).await;
    assert_eq!(ada.enrichment.state, EnrichmentState::Pending);
    assert_eq!(ada.name.unwrap().as_str(), "Ada Lovelace");
    let again = enrich.enrich(&record(event().encode()), soon()).await;
    assert_eq!(again, Ok(Enriched::Applied), "the next delivery succeeds");
    assert_eq!(user(&enrich).await.enrichment.state, EnrichmentState::Complete);
}

#[tokio::test]
async fn whose_turn_comes_too_late_is_not_asked_for_and_reported_back_and_what_hr_says_is_there() {
    let (mut enrich, _server, okta) = enrichment(memory()).await;
    enrich.turns = Turns::from_vars(&Vars::from_iter([("ENRICHMENT_CONCURRENCY", "1")])).unwrap();
    let another = enrich.turns.next(soon().give_up).await;
    let until = AskUntil { stop_starting: Instant::now() + Duration::from_millis(50), ..soon() };
    assert_eq!(enrich.enrich(&record(event().encode()), until).await, Err(Retry));
    assert_eq!((user(&enrich).await.enrichment.state, okta.requests()), (EnrichmentState::Pending, 0));
    drop(another);
    assert_eq!(enrich.enrich(&record(event().encode()), soon()).await, Ok(Enriched::Applied));
    assert_eq!(user(&enrich).await.enrichment.state, EnrichmentState::Complete);
}

#[tokio::test]
async fn an_invocation_waits_for_no_turn_of_another() {
    let (mut enrich, _server, _) = enrichment(memory()).await;
    enrich.turns = Turns::from_vars(&Vars::from_iter([("ENRICHMENT_CONCURRENCY", "1")])).unwrap();
    let (one, other) = (enrich.for_invocation(), enrich.for_invocation());
    let taken = one.turns.next(soon().give_up).await;
    assert!(taken.is_some() && one.turns.next(Instant::now()).await.is_none());
    assert!(other.turns.next(Instant::now()).await.is_some());
}

#[test]
fn nobody_is_ever_asked_for_with_no_turns() {
    let error = Turns::from_vars(&Vars::from_iter([("ENRICHMENT_CONCURRENCY", "0")])).unwrap_err();
    assert!(error.to_string().contains("ENRICHMENT_CONCURRENCY"), "{error}");
}

#[tokio::test]
async fn while_okta_lets_one_wait_what_hr_says_is_there_already() {
    let (enrich, _server, okta) = enrichment(memory()).await;
    let latency = PATIENCE + Duration::from_millis(500);
    okta.set_behaviour(Behaviour { latency, ..Behaviour::default() });
    let hired = event();
    let applying = enrich.apply(taken(&hired), soon());
    let looking = async {
        while enrich.store.person(&event().employee_id).await.unwrap().is_none() {
            tokio::task::yield_now().await;
        }
        user(&enrich).await.enrichment.state
    };
    let (applied, seen) = tokio::join!(applying, looking);
    assert_eq!(seen, EnrichmentState::Pending);
    assert!(matches!(applied, Ok(Outcome::Changed { .. })));
    assert_eq!(user(&enrich).await.enrichment.state, EnrichmentState::Complete);
    assert_eq!(enrich.store.entries(&event().employee_id).await.unwrap().len(), 1);
}

/// What the outcome says that the event changed.
fn fields(outcome: Result<Outcome, Stopped>) -> Vec<String> {
    match outcome {
        Ok(Outcome::Changed { fields }) => fields,
        other => panic!("{:?}", other.ok()),
    }
}

#[tokio::test]
async fn the_outcome_says_what_was_changed_before_okta_answered_and_after_it() {
    for delivery in [Delivery::Lambdas, Delivery::Redrive] {
        let (enrich, _server, okta) = enrichment(memory()).await;
        let latency = PATIENCE + Duration::from_millis(500);
        okta.set_behaviour(Behaviour { latency, ..Behaviour::default() });
        let fields = fields(enrich.apply(Taken { delivery, ..taken(&event()) }, soon()).await);
        for field in ["name", "email", "employmentStatus", "oktaId", "onboarded", "enrichment.state"] {
            let times = fields.iter().filter(|changed| *changed == field).count();
            assert_eq!(times, 1, "{delivery:?}: {field} in {fields:?}");
        }
    }
}

#[tokio::test]
async fn a_redelivery_says_what_the_delivery_before_it_changed_and_a_redrive_only_what_it_changes_itself() {
    for (delivery, says_name) in [(Delivery::Lambdas, true), (Delivery::Redrive, false)] {
        let (enrich, _server, okta) = enrichment(memory()).await;
        for _ in 0..3 {
            okta.fail_next(Fault::Hang);
        }
        let until = within(Duration::from_millis(50));
        assert_eq!(enrich.enrich(&record(event().encode()), until).await, Err(Retry));
        let fields = fields(enrich.apply(Taken { delivery, ..taken(&event()) }, soon()).await);
        assert!(fields.contains(&"oktaId".to_owned()), "{fields:?}");
        assert_eq!(fields.contains(&"name".to_owned()), says_name, "{delivery:?}: {fields:?}");
    }
}

#[tokio::test]
async fn a_person_whom_okta_does_not_know_is_there_and_waits() {
    let (enrich, _server, okta) = enrichment(memory()).await;
    assert!(okta.remove("00u1"));
    let come = stopped(&enrich, &event()).await;
    assert!(matches!(come, Stopped::DeadLetter(Failure::UserNotFound)));
    let ada = user(&enrich).await;
    assert_eq!(ada.enrichment.reason, Some(Missing::Failed(Reason::UserNotFound)));
    assert_eq!((ada.version, ada.okta_id, ada.onboarded), (1, None, false));
    // A redrive finds nothing new, and asks again.
    assert!(matches!(stopped(&enrich, &event()).await, Stopped::DeadLetter(Failure::UserNotFound)));
    assert_eq!(user(&enrich).await.version, 1, "nothing has changed");
}

#[tokio::test]
async fn who_has_more_groups_than_there_is_room_for_is_there_without_them() {
    let (enrich, _server, okta) = enrichment(memory()).await;
    assert!(okta.remove("00u1"));
    let groups: Vec<_> = (0..2_000).map(|number| format!("{number:0>100}")).collect();
    okta.add(InOkta { groups, ..ada() });
    assert!(matches!(stopped(&enrich, &event()).await, Stopped::DeadLetter(Failure::AccountTooLarge)));
    let ada = user(&enrich).await;
    assert_eq!(ada.enrichment.reason, Some(Missing::Failed(Reason::Unstorable)));
    assert_eq!((ada.name.unwrap().as_str(), ada.groups.len()), ("Ada Lovelace", 0));
}

#[tokio::test]
async fn what_waited_for_okta_is_complete_with_the_next_event_that_finds_it() {
    let (enrich, _server, okta) = enrichment(memory()).await;
    for _ in 0..5 {
        okta.fail_next(Fault::Status(503));
    }
    assert!(matches!(stopped(&enrich, &event()).await, Stopped::DeadLetter(Failure::Okta(_))));
    let mut moved = with(event(), Field::Title, "Engineer");
    moved.event_id = EventId::parse("evt-2").unwrap();
    assert!(enrich.apply(taken(&moved), soon()).await.is_ok());
    assert_eq!(user(&enrich).await.enrichment.state, EnrichmentState::Complete);
    let asked = okta.requests();
    let redelivered = enrich.apply(taken(&event()), soon()).await;
    assert!(matches!(redelivered, Ok(Outcome::Changed { .. })), "what it had changed");
    let redriven = enrich.apply(Taken { delivery: Delivery::Redrive, ..taken(&event()) }, soon()).await;
    assert_eq!(redriven.ok(), Some(Outcome::NothingNew));
    assert_eq!(okta.requests(), asked, "nobody waits any more");
}

#[tokio::test]
async fn a_repeat_and_an_older_event_cost_nothing_of_oktas_rate_limit() {
    let (enrich, _server, okta) = enrichment(memory()).await;
    enrich.apply(taken(&event()), soon()).await.ok().unwrap();
    let asked = okta.requests();
    let mut repeat = event();
    (repeat.occurred_at, repeat.received_at) = (None, repeat.received_at + Duration::from_mins(1));
    let mut older = event();
    older.event_id = EventId::parse("evt-0").unwrap();
    older.occurred_at = Some(event().stated_at() - Duration::from_secs(1));
    for event in [repeat, older] {
        assert_eq!(enrich.apply(taken(&event), soon()).await.ok(), Some(Outcome::NothingNew));
    }
    assert_eq!((okta.requests(), user(&enrich).await.version), (asked, 1));
}

#[tokio::test]
async fn okta_is_asked_in_one_round_trip_for_whoever_is_found_by_login() {
    let (enrich, _server, okta) = enrichment(memory()).await;
    enrich.apply(taken(&event()), soon()).await.ok().unwrap();
    assert_eq!(okta.requests(), 3, "the person, the groups and the applications, by login");
    assert!(okta.remove("00u1"));
    let mut other = event();
    other.employee_id = EmployeeId::parse("E2").unwrap();
    stopped(&enrich, &other).await;
    assert_eq!(okta.requests(), 3 + 5, "two more than the ladder takes");
}

#[tokio::test]
async fn of_two_employees_with_one_address_the_first_has_the_account() {
    let (enrich, _server, _) = enrichment(memory()).await;
    enrich.apply(taken(&event()), soon()).await.ok().unwrap();
    let mut other = event();
    other.employee_id = EmployeeId::parse("E2").unwrap();
    assert!(matches!(stopped(&enrich, &other).await, Stopped::DeadLetter(Failure::EmailTaken)));
    let bob = enrich.store.person(&other.employee_id).await.unwrap().unwrap().user().unwrap();
    assert_eq!((bob.okta_id, bob.enrichment.state), (None, EnrichmentState::Pending));
    let mut moved = with(event(), Field::Title, "Engineer");
    moved.event_id = EventId::parse("evt-2").unwrap();
    assert!(enrich.apply(taken(&moved), soon()).await.is_ok(), "whose it is keeps it");
    let mut left = event();
    left.event_type = EventType::Terminated;
    left.event_id = EventId::parse("evt-3").unwrap();
    left.stated = Stated::default();
    assert!(enrich.apply(taken(&left), soon()).await.is_ok());
    assert!(enrich.apply(taken(&other), soon()).await.is_ok(), "whoever has left needs it no more");
}

#[tokio::test]
async fn who_has_left_needs_no_account() {
    for (event_type, status) in [(EventType::Terminated, None), (EventType::Updated, Some("Terminated"))] {
        let (enrich, _server, okta) = enrichment(memory()).await;
        assert!(okta.remove("00u1"));
        let mut left = event();
        left.event_type = event_type;
        if let Some(status) = status {
            left = with(left, Field::Status, status);
        }
        assert_eq!(enrich.enrich(&record(left.encode()), soon()).await, Ok(Enriched::Applied));
        let ada = user(&enrich).await;
        assert_eq!((ada.okta_id, ada.enrichment.state), (None, EnrichmentState::Left));
    }
}

#[tokio::test]
async fn states_of_the_request_say_how_far_it_came() {
    let (enrich, _server, okta) = enrichment(memory()).await;
    for _ in 0..3 {
        okta.fail_next(Fault::Hang);
    }
    let until = within(Duration::from_millis(50));
    let state = async || enrich.store.request(&event().correlation_id).await.unwrap().shown.remove(0).state;
    assert_eq!(enrich.enrich(&record(event().encode()), until).await, Err(Retry));
    assert_eq!(state().await, RequestState::Accepted);
    enrich.enrich(&record(event().encode()), soon()).await.unwrap();
    assert!(matches!(state().await, RequestState::Ended(Outcome::Changed { .. })));
}

#[tokio::test]
async fn the_timeline_says_when_an_event_came_first_and_when_it_was_asked_for_and_stored_last() {
    let (enrich, _server, okta) = enrichment(memory()).await;
    for _ in 0..3 {
        okta.fail_next(Fault::Hang);
    }
    let published = Timestamp::from_millisecond(1_769_884_920_123).unwrap();
    let record = Record { timestamp: published.as_millisecond(), ..record(event().encode()) };
    let timeline =
        async || enrich.store.request(&event().correlation_id).await.unwrap().shown.remove(0).timeline;
    assert_eq!(enrich.enrich(&record, within(Duration::from_millis(50))).await, Err(Retry));
    let first = timeline().await;
    assert_eq!((first.received, first.published), (Some(event().received_at), Some(published)));
    assert_eq!((first.asked, first.stored, first.failed), (None, None, None));

    let redelivered = Record { timestamp: published.as_millisecond() + 1, ..record };
    enrich.enrich(&redelivered, soon()).await.unwrap();
    let second = timeline().await;
    assert_eq!(Timeline { asked: None, stored: None, ..second }, first, "it came once");
    let [taken, asked, stored] = [second.taken, second.asked, second.stored].map(Option::unwrap);
    assert!(taken <= asked && asked <= stored, "{second:?}");
}

#[tokio::test]
async fn the_timeline_of_what_says_nothing_new_has_no_step_more_than_it_took() {
    let (enrich, _server, _) = enrichment(memory()).await;
    enrich.enrich(&record(event().encode()), soon()).await.unwrap();
    let mut again = event();
    again.correlation_id = contracts::CorrelationId::parse("c-again").unwrap();
    enrich.enrich(&record(again.encode()), soon()).await.unwrap();
    let told = enrich.store.request(&again.correlation_id).await.unwrap().shown.remove(0).timeline;
    assert!(told.received.is_some() && told.taken.is_some());
    assert_eq!((told.published, told.asked, told.stored), (None, None, None));
}

/// How many events were counted as complete.
async fn counted(enrich: &Enrich) -> usize {
    enrich.times.last().await.map_or(0, |completion| completion.events)
}

#[tokio::test]
async fn an_event_is_counted_once_however_often_it_is_delivered() {
    let (enrich, _server, _) = enrichment(memory()).await;
    assert_eq!(counted(&enrich).await, 0);
    for delivery in [Delivery::Lambdas, Delivery::Lambdas, Delivery::Redrive] {
        enrich.apply(Taken { delivery, ..taken(&event()) }, soon()).await.ok().unwrap();
        assert_eq!(counted(&enrich).await, 1, "{delivery:?}");
    }
    let mut nothing_new = event();
    nothing_new.event_id = EventId::parse("evt-0").unwrap();
    nothing_new.occurred_at = Some(event().stated_at() - Duration::from_secs(1));
    enrich.apply(taken(&nothing_new), soon()).await.ok().unwrap();
    assert_eq!(counted(&enrich).await, 2, "somebody waited for that one too");
}

#[tokio::test]
async fn an_event_that_waits_for_okta_is_counted_when_its_redrive_completes_the_person() {
    let (mut enrich, _server, okta) = enrichment(memory()).await;
    enrich.clock = Clock::fixed(event().received_at + Duration::from_secs(90));
    for _ in 0..5 {
        okta.fail_next(Fault::Status(503));
    }
    stopped(&enrich, &event()).await;
    assert_eq!(counted(&enrich).await, 0, "the person is pending");
    enrich.apply(Taken { delivery: Delivery::Redrive, ..taken(&event()) }, soon()).await.ok().unwrap();
    let times = enrich.times.last().await.unwrap();
    assert_eq!((times.events, times.p50_ms), (1, 90_000), "from when it was accepted");
}

/// Carries out the command, as if nobody else kept anything.
async fn forget(enrich: &Enrich, erased: &EnrichmentRequestedV2) {
    let done = enrich.enrich(&record(erased.encode()), soon()).await;
    let Ok(Enriched::Forgotten(forgotten)) = done else { panic!("{done:?}") };
    let of = (forgotten.employee_id(), forgotten.received_at());
    assert_eq!(of, (&erased.employee_id, erased.received_at));
    enrich.end_forgetting(&forgotten).await.unwrap();
}

#[tokio::test]
async fn who_waits_for_an_address_or_was_forgotten_is_not_complete_and_who_has_left_is() {
    let (enrich, _server, _) = enrichment(memory()).await;
    let mut patch = event();
    patch.event_type = EventType::Updated;
    patch.stated = [(Field::Title, Some(Field::Title.parse("Engineer").unwrap()))].into_iter().collect();
    let mut left = event();
    left.event_type = EventType::Terminated;
    (left.event_id, left.stated) = (EventId::parse("evt-2").unwrap(), Stated::default());
    let mut erased = event();
    erased.event_type = EventType::Erased;
    (erased.event_id, erased.stated) = (EventId::parse("evt-3").unwrap(), Stated::default());
    for (event, expected) in [(patch, 0), (left, 1)] {
        enrich.apply(taken(&event), soon()).await.ok().unwrap();
        assert_eq!(counted(&enrich).await, expected, "{}", event.event_type);
    }
    forget(&enrich, &erased).await;
    assert_eq!(counted(&enrich).await, 1, "of who was forgotten");
}

#[tokio::test]
async fn a_webhook_whose_clock_is_ahead_makes_no_time_negative() {
    let (mut enrich, _server, _) = enrichment(memory()).await;
    enrich.clock = Clock::fixed(event().received_at - Duration::from_secs(1));
    enrich.apply(taken(&event()), soon()).await.ok().unwrap();
    assert_eq!(enrich.times.last().await.unwrap().p99_ms, 0);
}

#[tokio::test]
async fn a_dead_letter_says_why_and_after_how_many_attempts() {
    let (enrich, _server, okta) = enrichment(memory()).await;
    let failure = decode(&record(b"not json".to_vec())).unwrap_err();
    assert_eq!((failure.reason(), failure.attempts()), (Reason::Undecodable, 1));
    for _ in 0..5 {
        okta.fail_next(Fault::Status(503));
    }
    match stopped(&enrich, &event()).await {
        Stopped::DeadLetter(failure) => {
            assert_eq!((failure.reason(), failure.attempts()), (Reason::OktaUnavailable, 3));
        }
        Stopped::Retry(away) => panic!("{away:?}"),
    }
}

#[tokio::test]
async fn who_is_forgotten_is_gone_with_all_that_was_said_of_them_until_they_are_hired_again() {
    let (enrich, _server, _) = enrichment(memory()).await;
    enrich.apply(taken(&event()), soon()).await.ok().unwrap();
    let mut erased = event();
    erased.event_type = EventType::Erased;
    (erased.event_id, erased.stated) = (EventId::parse("erase").unwrap(), Stated::default());
    (erased.occurred_at, erased.received_at) = (None, event().received_at + Duration::from_mins(1));
    for _ in 0..2 {
        // A redelivery does what is left.
        forget(&enrich, &erased).await;
    }
    let id = event().employee_id;
    let person = enrich.store.person(&id).await.unwrap().unwrap();
    let entries = enrich.store.entries(&id).await.unwrap();
    let stored = serde_json::to_string(&(&person, &entries)).unwrap();
    assert!(person.user().is_none() && !stored.contains("Ada") && !stored.contains("acme"), "{stored}");
    let mut repeat = event();
    repeat.received_at = erased.received_at + Duration::from_mins(1);
    let mut update = repeat.clone();
    (update.event_type, update.event_id) = (EventType::Updated, EventId::parse("evt-2").unwrap());
    for event in [event(), repeat.clone(), update] {
        assert_eq!(enrich.apply(taken(&event), soon()).await.ok(), Some(Outcome::NothingNew));
    }
    let mut again = repeat;
    again.event_id = EventId::parse("evt-3").unwrap();
    assert!(matches!(enrich.apply(taken(&again), soon()).await, Ok(Outcome::Changed { .. })));
    assert_eq!(user(&enrich).await.name.unwrap().as_str(), "Ada Lovelace");
}

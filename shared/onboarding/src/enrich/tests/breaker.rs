//! While Okta is away: nobody is asked for, and what comes of an event is the same.

use ::breaker::{Breaker, Policy};

use super::*;

/// An enrichment whose breaker is open for so long.
async fn open_for(base: Duration) -> (Enrich, Server, FakeOkta) {
    let (mut enrich, server, okta) = enrichment(memory()).await;
    let policy = Policy { base, cap: base, ..Policy::from_vars(&Vars::default()).unwrap() };
    enrich.breaker = Breaker::new(breakers::OKTA, policy, enrich.cache.clone(), enrich.clock);
    (enrich, server, okta)
}

fn hired(employee: &str) -> EnrichmentRequestedV2 {
    let mut event = event();
    event.employee_id = EmployeeId::parse(employee).unwrap();
    event
}

/// Of a dead letter: reason, message and attempts.
async fn letter(enrich: &Enrich, employee: &str, until: AskUntil) -> (Reason, String, u32) {
    match enrich.apply(taken(&hired(employee)), until).await.expect_err("it stopped") {
        Stopped::DeadLetter(failure) => (failure.reason(), failure.to_string(), failure.attempts()),
        Stopped::Retry(away) => panic!("{away}"),
    }
}

fn away(okta: &FakeOkta, status: u16) {
    okta.fail_look_ups_of("ada@acme.example", Some(Fault::Status(status)));
}

#[tokio::test]
async fn whom_okta_is_not_asked_for_any_more_is_the_same_dead_letter_and_waits_as_well() {
    let (enrich, _server, okta) = open_for(Duration::from_hours(1)).await;
    away(&okta, 503);
    let message = "Okta failed with status 503".to_owned();
    for number in 0..5 {
        let made = letter(&enrich, &format!("E{number}"), soon()).await;
        assert_eq!(made, (Reason::OktaUnavailable, message.clone(), 3));
    }
    let asked = okta.requests();
    for number in 5..50 {
        let made = letter(&enrich, &format!("E{number}"), soon()).await;
        assert_eq!(made, (Reason::OktaUnavailable, message.clone(), 0));
    }
    assert_eq!(okta.requests(), asked);
    for number in [0, 4, 49] {
        let id = EmployeeId::parse(format!("E{number}")).unwrap();
        let waits = enrich.store.person(&id).await.unwrap().unwrap().user().unwrap();
        assert_eq!(waits.enrichment.reason, Some(Missing::Failed(Reason::OktaUnavailable)));
        assert_eq!((waits.name.unwrap().as_str(), waits.version), ("Ada Lovelace", 1));
    }
}

#[tokio::test]
async fn with_little_time_left_it_is_a_dead_letter_too_and_no_redelivery() {
    let (enrich, _server, okta) = open_for(Duration::from_hours(1)).await;
    away(&okta, 503);
    for number in 0..5 {
        letter(&enrich, &format!("E{number}"), soon()).await;
    }
    let (_, _, attempts) = letter(&enrich, "E5", within(Duration::from_millis(1))).await;
    assert_eq!(attempts, 0);
}

#[tokio::test]
async fn the_first_who_is_asked_for_when_its_time_is_over_closes_it_for_all() {
    let (enrich, _server, okta) = open_for(Duration::from_millis(1)).await;
    away(&okta, 503);
    for number in 0..5 {
        letter(&enrich, &format!("E{number}"), soon()).await;
    }
    okta.fail_look_ups_of("ada@acme.example", None);
    let asking = async {
        while enrich.apply(taken(&event()), soon()).await.is_err() {
            tokio::task::yield_now().await;
        }
    };
    timeout(Duration::from_mins(1), asking).await.unwrap();
    assert_eq!(user(&enrich).await.enrichment.state, EnrichmentState::Complete);
    assert_eq!(::breaker::standing(&enrich.cache, breakers::OKTA).await, None);
}

#[tokio::test]
async fn only_an_okta_that_does_not_answer_opens_it() {
    for fault in [Fault::Garbage, Fault::Status(401), Fault::Status(418), Fault::ConcurrencyLimit] {
        let (mut enrich, _server, okta) = open_for(Duration::from_hours(1)).await;
        enrich.retry.attempts = 1;
        okta.fail_look_ups_of("ada@acme.example", Some(fault));
        for number in 0..20 {
            stopped(&enrich, &hired(&format!("E{number}"))).await;
        }
        assert_eq!(::breaker::standing(&enrich.cache, breakers::OKTA).await, None, "{fault:?}");
    }
}

#[tokio::test]
async fn one_person_of_whom_alone_there_are_events_is_not_all() {
    let (mut enrich, _server, okta) = open_for(Duration::from_hours(1)).await;
    enrich.retry.attempts = 1;
    away(&okta, 503);
    for _ in 0..20 {
        letter(&enrich, "E1", soon()).await;
    }
    assert_eq!(::breaker::standing(&enrich.cache, breakers::OKTA).await, None);
}

#[tokio::test]
async fn one_person_for_whom_okta_fails_again_and_again_stops_nobody_else() {
    let (mut enrich, _server, okta) = open_for(Duration::from_hours(1)).await;
    enrich.retry.attempts = 20;
    (enrich.retry.base, enrich.retry.cap) = (Duration::from_millis(1), Duration::from_millis(1));
    away(&okta, 503);
    okta.add(InOkta {
        id: "00u2".to_owned(),
        login: "grace@acme.example".to_owned(),
        email: "grace@acme.example".to_owned(),
        ..ada()
    });
    for number in 0..20 {
        let (_, _, attempts) = letter(&enrich, "E1", soon()).await;
        assert_eq!(attempts, 20);
        let mut other = hired(&format!("G{number}"));
        other = with(other, Field::Email, "grace@acme.example");
        other.event_type = EventType::Updated;
        let applied = enrich.apply(taken(&other), soon()).await;
        assert!(!matches!(applied, Err(Stopped::DeadLetter(Failure::OktaAway(_)))));
    }
}

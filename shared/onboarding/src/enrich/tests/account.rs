//! An account is one person's, in every store.

use super::*;
use crate::{
    claim::Claim,
    store::tests::stores,
    tests::{account, made_of},
};

/// Employees and an account that no other test has left in a shared Redis.
struct Shared {
    enrich: Enrich,
    okta: FakeOkta,
    account: String,
    prefix: String,
    /// It serves as long as it is held.
    _server: Server,
}

impl Shared {
    async fn each() -> Vec<Self> {
        let mut all = Vec::new();
        for store in stores().await {
            let (enrich, server, okta) = enrichment(store).await;
            let prefix = enrich.clock.new_id().simple().to_string();
            let account = format!("00u{prefix}");
            let shared = Self { enrich, okta, account, prefix, _server: server };
            shared.knows();
            all.push(shared);
        }
        all
    }

    fn email(&self) -> String {
        format!("ada@{}.example", self.prefix)
    }

    fn knows(&self) {
        self.okta.add(InOkta {
            id: self.account.clone(),
            status: okta::UserStatus::Active,
            login: self.email(),
            email: self.email(),
            first_name: "Ada".to_owned(),
            last_name: "Lovelace".to_owned(),
            title: String::new(),
            department: String::new(),
            groups: vec!["Engines".to_owned()],
            apps: vec![],
        });
    }

    fn id(&self, employee: &str) -> EmployeeId {
        EmployeeId::parse(format!("{}-{employee}", self.prefix)).unwrap()
    }

    fn event(&self, employee: &str, number: i64, event_type: EventType) -> EnrichmentRequestedV2 {
        let mut event = event();
        event.event_id = EventId::parse(format!("evt-{number}")).unwrap();
        event.event_type = event_type;
        event.employee_id = self.id(employee);
        event.occurred_at = None;
        event.received_at += jiff::SignedDuration::from_secs(number);
        event.stated = Stated::default();
        event
    }

    fn hired(&self, employee: &str, number: i64) -> EnrichmentRequestedV2 {
        with(self.event(employee, number, EventType::Hired), Field::Email, &self.email())
    }

    fn updated(&self, employee: &str, number: i64, field: Field, value: &str) -> EnrichmentRequestedV2 {
        with(self.event(employee, number, EventType::Updated), field, value)
    }

    /// The reason, if it is a dead letter.
    async fn apply(&self, event: &EnrichmentRequestedV2) -> Option<Reason> {
        if event.event_type == EventType::Erased {
            forget(&self.enrich, event).await;
            return None;
        }
        match self.enrich.apply(taken(event), soon()).await {
            Ok(_outcome) => None,
            Err(Stopped::DeadLetter(failure)) => Some(failure.reason()),
            Err(Stopped::Retry(away)) => panic!("{away}"),
        }
    }

    async fn user(&self, employee: &str) -> EnrichedUser {
        self.enrich.store.person(&self.id(employee)).await.unwrap().unwrap().user().unwrap()
    }

    async fn has_it(&self, employee: &str) -> bool {
        let user = self.user(employee).await;
        let has_it = user.okta_id.as_ref() == Some(&self.account);
        assert_eq!((has_it, has_it), (user.okta_id.is_some(), !user.groups.is_empty()), "{user:?}");
        assert!(has_it || !user.onboarded, "{user:?}");
        has_it
    }

    fn stored_account(&self) -> Account {
        Account { id: self.account.clone(), ..account("ACTIVE") }
    }

    async fn claim(&self) -> Option<Claim> {
        self.enrich.store.claim(&self.account).await.unwrap()
    }
}

#[tokio::test]
async fn of_two_for_whom_okta_is_asked_at_once_one_has_the_account() {
    for shared in Shared::each().await {
        let latency = Duration::from_millis(100);
        shared.okta.set_behaviour(Behaviour { latency, ..Behaviour::default() });
        let (one, other) = (shared.hired("1", 1), shared.hired("2", 2));
        let (one, other) = tokio::join!(shared.apply(&one), shared.apply(&other));
        let taken = Some(Reason::EmailTaken);
        assert!((one, other) == (None, taken) || (one, other) == (taken, None), "{one:?}, {other:?}");
        assert_ne!(shared.has_it("1").await, shared.has_it("2").await);
    }
}

#[tokio::test]
async fn whoever_comes_back_finds_the_account_taken_and_takes_it_from_nobody() {
    for shared in Shared::each().await {
        assert_eq!(shared.apply(&shared.hired("1", 1)).await, None);
        assert_eq!(shared.apply(&shared.event("1", 2, EventType::Terminated)).await, None);
        assert!(shared.has_it("1").await, "what they had is still shown");
        assert_eq!(shared.apply(&shared.hired("2", 3)).await, None);
        let back = shared.updated("1", 4, Field::Status, "Active");
        assert_eq!(shared.apply(&back).await, Some(Reason::EmailTaken));
        assert!(!shared.has_it("1").await);
        let titled = shared.updated("2", 5, Field::Title, "Countess");
        assert_eq!(shared.apply(&titled).await, None, "the other keeps it");
        assert!(shared.has_it("2").await);

        assert_eq!(shared.apply(&shared.event("2", 6, EventType::Terminated)).await, None);
        assert_eq!(shared.apply(&back).await, None, "redriven, when it is free");
        assert!(shared.has_it("1").await);
    }
}

#[tokio::test]
async fn whoever_comes_back_while_okta_is_away_has_no_account_yet() {
    for shared in Shared::each().await {
        assert_eq!(shared.apply(&shared.hired("1", 1)).await, None);
        assert_eq!(shared.apply(&shared.event("1", 2, EventType::Terminated)).await, None);
        shared.okta.fail_look_ups_of(&shared.email(), Some(Fault::Status(503)));
        let back = shared.updated("1", 3, Field::Status, "Active");
        assert_eq!(shared.apply(&back).await, Some(Reason::OktaUnavailable));
        assert!(!shared.has_it("1").await);
        shared.okta.fail_look_ups_of(&shared.email(), None);
        assert_eq!(shared.apply(&back).await, None);
        assert!(shared.has_it("1").await);
    }
}

#[tokio::test]
async fn of_somebody_who_has_left_an_account_that_another_has_is_shown_no_more() {
    for shared in Shared::each().await {
        assert_eq!(shared.apply(&shared.hired("1", 1)).await, None);
        assert_eq!(shared.apply(&shared.event("1", 2, EventType::Terminated)).await, None);
        assert_eq!(shared.apply(&shared.hired("2", 3)).await, None);
        assert_eq!(shared.apply(&shared.updated("1", 4, Field::Title, "Countess")).await, None);
        assert!(!shared.has_it("1").await);
        assert_eq!(shared.user("1").await.enrichment.state, EnrichmentState::Left);
        assert!(shared.has_it("2").await);
    }
}

#[tokio::test]
async fn a_claim_is_written_when_an_account_changes_hands_and_not_otherwise() {
    for shared in Shared::each().await {
        assert_eq!(shared.apply(&shared.hired("1", 1)).await, None);
        let first = Some(Claim { holder: shared.id("1"), writes: 1 });
        assert_eq!(shared.claim().await, first);
        assert_eq!(shared.apply(&shared.updated("1", 2, Field::Title, "Countess")).await, None);
        assert_eq!(shared.claim().await, first);
        assert_eq!(shared.apply(&shared.event("1", 3, EventType::Terminated)).await, None);
        assert_eq!(shared.claim().await, first);
        assert_eq!(shared.apply(&shared.updated("1", 4, Field::Status, "Active")).await, None);
        assert_eq!(shared.claim().await, Some(Claim { holder: shared.id("1"), writes: 4 }));
        assert!(shared.okta.remove(&shared.account));
        let gone = shared.updated("1", 5, Field::Title, "Programmer");
        assert_eq!(shared.apply(&gone).await, Some(Reason::UserNotFound));
        assert_eq!(shared.claim().await, None, "whom Okta does not know gives it up");
    }
}

#[tokio::test]
async fn whoever_is_forgotten_gives_the_account_up_also_after_leaving() {
    for shared in Shared::each().await {
        assert_eq!(shared.apply(&shared.hired("1", 1)).await, None);
        assert_eq!(shared.apply(&shared.event("1", 2, EventType::Terminated)).await, None);
        assert_eq!(shared.apply(&shared.event("1", 3, EventType::Erased)).await, None);
        assert_eq!(shared.claim().await, None);
        assert_eq!(shared.apply(&shared.hired("2", 4)).await, None);
        assert_eq!(shared.apply(&shared.event("1", 5, EventType::Erased)).await, None);
        assert!(shared.has_it("2").await, "and takes nothing along that is another's");
        assert_eq!(shared.claim().await.map(|claim| claim.holder), Some(shared.id("2")));
    }
}

#[tokio::test]
async fn the_account_of_a_person_stored_before_there_were_claims_is_theirs() {
    for shared in Shared::each().await {
        let account = Answer::Account(shared.stored_account());
        let stored = made_of(&shared.hired("1", 1), None, Some(account));
        shared.enrich.store.commit(&stored.person, None, Some(&stored.entry)).await.unwrap();
        assert_eq!(shared.claim().await, None);
        assert_eq!(shared.apply(&shared.hired("2", 2)).await, Some(Reason::EmailTaken));
        assert_eq!(shared.apply(&shared.updated("1", 3, Field::Title, "Countess")).await, None);
        assert_eq!(
            shared.claim().await.map(|claim| claim.holder),
            Some(shared.id("1")),
            "the next event claims it"
        );
        // Then also whoever has another address that leads to it finds it taken.
        let moved = shared.updated("1", 4, Field::Email, "elsewhere@acme.example");
        assert_eq!(shared.apply(&moved).await, Some(Reason::UserNotFound));
        assert_eq!(shared.apply(&shared.updated("2", 5, Field::Title, "Admiral")).await, None);
        assert!(shared.has_it("2").await);
    }
}

#[tokio::test]
async fn what_the_version_before_left_with_whom_the_account_is_refused_is_not_theirs() {
    for shared in Shared::each().await {
        let account = Answer::Account(shared.stored_account());
        let mut refused = made_of(&shared.hired("1", 1), None, Some(account));
        refused.person.okta.missing = Some(Reason::EmailTaken);
        shared.enrich.store.commit(&refused.person, None, Some(&refused.entry)).await.unwrap();
        assert!(!shared.has_it("1").await);
        assert_eq!(shared.apply(&shared.hired("2", 2)).await, None);
        shared.okta.fail_look_ups_of(&shared.email(), Some(Fault::Status(503)));
        let titled = shared.updated("1", 3, Field::Title, "Countess");
        assert_eq!(shared.apply(&titled).await, Some(Reason::OktaUnavailable));
        assert!(!shared.has_it("1").await, "nor while they wait for something else");
    }
}

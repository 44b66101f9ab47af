//! The contract: the same tests on every outbox. Redis takes part where `make test-real` names one.

use contracts::{Cause, CorrelationId, EmployeeId, FactType};
use dynamo::{Committed, TableSpec, Transaction};
use runtime::Clock;

use super::*;

const TABLE: &str = "outbox";

async fn dynamodb() -> (Outbox, dynamo::Client) {
    let (mut vars, _server) = dynamo::embedded::serve(None, std::future::pending()).await.unwrap();
    vars.extend([("OUTBOX_TABLE", TABLE)]);
    let client = dynamo::client(&vars, &Aws::from_vars(&vars).unwrap()).unwrap();
    let spec = TableSpec {
        name: TABLE.to_owned(),
        hash: "subject".to_owned(),
        range: Some("position".to_owned()),
        indexes: vec![],
        ttl: None,
    };
    dynamo::ensure(&client, &spec).await.unwrap();
    (Outbox::DynamoDb(DynamoDb::from_vars(&vars, client.clone()).unwrap()), client)
}

/// An outbox, and what writes to it as a store does.
struct Case {
    outbox: Outbox,
    store: Writes,
}

enum Writes {
    DynamoDb(dynamo::Client),
    Redis(valkey::Connection),
    Memory,
}

impl Case {
    async fn write(&self, facts: &Facts) {
        match (&self.outbox, &self.store) {
            (Outbox::DynamoDb(outbox), Writes::DynamoDb(client)) => {
                let mut transaction = Transaction::default();
                outbox.add(&mut transaction, facts).unwrap();
                assert_eq!(transaction.commit(client).await.unwrap(), Committed::Yes);
            }
            (Outbox::Redis(outbox), Writes::Redis(connection)) => {
                let script = ::redis::Script::new(crate::add_in_redis!(1, 1));
                let mut script = script.prepare_invoke();
                for key in outbox.keys(&facts.subject) {
                    script.key(key);
                }
                script.arg(&Redis::values(Some(facts)).unwrap()[..]);
                let added = connection.run(async |mut redis| script.invoke_async::<()>(&mut redis).await);
                added.await.unwrap();
            }
            (Outbox::Memory(outbox), Writes::Memory) => outbox.add(facts),
            _ => panic!("a case is of one kind"),
        }
    }

    /// Of all pages, those of a subject.
    async fn waiting(&self, subject: &Subject) -> Vec<Facts> {
        let (mut found, mut start) = (Vec::new(), None);
        loop {
            let page = self.outbox.waiting(start).await.unwrap();
            found.extend(page.facts.into_iter().filter(|facts| facts.subject == *subject));
            start = page.next;
            if start.is_none() {
                found.sort_by(|one, other| one.position.cmp(&other.position));
                return found;
            }
        }
    }
}

async fn cases() -> Vec<Case> {
    let (outbox, client) = dynamodb().await;
    let mut cases = vec![
        Case { outbox: Outbox::Memory(Memory::default()), store: Writes::Memory },
        Case { outbox, store: Writes::DynamoDb(client) },
    ];
    #[expect(clippy::disallowed_methods, reason = "a test has no main that could read it")]
    if let Ok(url) = std::env::var("TEST_REDIS_URL") {
        let vars = Vars::from_iter(aws::EMULATED).with("STORAGE_URL", url);
        let aws = Aws::from_vars(&vars).unwrap();
        let (connection, prefix) = valkey::Connection::storage(&vars, &aws).unwrap();
        let outbox = Outbox::Redis(Redis::new(connection.clone(), prefix));
        cases.push(Case { outbox, store: Writes::Redis(connection) });
    }
    cases
}

/// Of somebody whom no other test has left in a shared Redis.
fn somebody() -> Subject {
    Subject::user(&EmployeeId::parse(Clock::system().new_id().to_string()).unwrap())
}

fn facts(subject: &Subject, position: u32) -> Facts {
    Facts {
        types: vec![FactType::UserUpdated],
        subject: subject.clone(),
        position: format!("{position:020}"),
        time: "2026-01-31T18:42:05Z".parse().unwrap(),
        cause: Cause { correlation_id: CorrelationId::parse("c-1").ok(), event_id: None, traceparent: None },
        data: r#"{"name":"Ada"}"#.to_owned(),
    }
}

#[tokio::test]
async fn a_subject_s_facts_wait_in_their_order_until_they_are_cleared() {
    for case in cases().await {
        let (ada, bob) = (somebody(), somebody());
        let of_ada: Vec<_> = [1, 2, 9, 10].map(|position| facts(&ada, position)).into();
        for facts in of_ada.iter().rev().chain([&facts(&bob, 1)]) {
            case.write(facts).await;
        }
        let outbox = &case.outbox;
        assert_eq!(outbox.backlog(&ada).await.unwrap(), of_ada, "{outbox:?}");
        assert_eq!(case.waiting(&ada).await, of_ada, "{outbox:?}");
        let done: Vec<_> = of_ada[..2].iter().map(Key::of).collect();
        outbox.clear(&done).await.unwrap();
        assert_eq!(outbox.backlog(&ada).await.unwrap(), of_ada[2..], "{outbox:?}");
        outbox.clear(&of_ada.iter().map(Key::of).collect::<Vec<_>>()).await.unwrap();
        assert_eq!(case.waiting(&ada).await, [], "{outbox:?}");
        assert_eq!(case.waiting(&bob).await, [facts(&bob, 1)], "{outbox:?}: another's stay");
    }
}

#[tokio::test]
async fn more_are_cleared_than_one_request_takes() {
    for case in cases().await {
        let ada = somebody();
        let many: Vec<_> = (0..60).map(|position| facts(&ada, position)).collect();
        for facts in &many {
            case.write(facts).await;
        }
        let outbox = &case.outbox;
        assert_eq!(outbox.backlog(&ada).await.unwrap(), many, "{outbox:?}");
        outbox.clear(&many.iter().map(Key::of).collect::<Vec<_>>()).await.unwrap();
        assert_eq!(outbox.backlog(&ada).await.unwrap(), [], "{outbox:?}");
    }
}

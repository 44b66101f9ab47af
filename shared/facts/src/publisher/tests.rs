//! Brokers that don't answer, within an invocation that has an end.

use aws::Aws;
use contracts::{Cause, EmployeeId, FactType};
use runtime::{Clock, Vars};

use super::*;
use crate::outbox::Memory;

fn facts() -> Facts {
    Facts {
        types: vec![FactType::UserUpdated],
        subject: Subject::user(&EmployeeId::parse("E100").unwrap()),
        position: "00000000000000000001".to_owned(),
        time: "2026-01-31T18:42:05Z".parse().unwrap(),
        cause: Cause { correlation_id: None, event_id: None, traceparent: None },
        data: r#"{"name":"Ada"}"#.to_owned(),
    }
}

/// One whose brokers are away, and are waited for longer than any test.
fn publisher(outbox: &Memory) -> Publisher {
    let vars =
        Vars::from_iter([("KAFKA_BOOTSTRAP_SERVERS", "127.0.0.1:1"), ("KAFKA_ACK_TIMEOUT_SECONDS", "3600")]);
    let aws = Aws::from_vars(&Vars::from_iter(aws::EMULATED)).unwrap();
    let producer = Producer::from_vars(&vars, &aws, Clock::system()).unwrap();
    Publisher::new(Outbox::Memory(outbox.clone()), producer)
}

#[tokio::test]
async fn an_invocation_that_is_over_leaves_its_facts_to_the_sweep() {
    let outbox = Memory::default();
    outbox.add(&facts());
    let publisher = publisher(&outbox);
    publisher.publish(facts(), Backlog::None);
    let ended = publisher.end_invocation(Instant::now());
    tokio::time::timeout(Duration::from_mins(3), ended).await.expect("it waits for nobody");
    assert_eq!(outbox.all(), [facts()]);
}

#[tokio::test]
async fn a_backlog_is_published_until_it_is_time_to_stop() {
    let (publisher, backlog) = (publisher(&Memory::default()), [facts()]);
    let publishing = publisher.publish_all(&backlog, Some(Instant::now()));
    let ended = tokio::time::timeout(Duration::from_mins(3), publishing).await.expect("it stops");
    assert!(matches!(ended, Ok(false)), "{ended:?}");
}

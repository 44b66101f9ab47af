use std::{future::pending, time::Duration};

use aws::Aws;
use contracts::Actor;
use dynamo::{Index, TableSpec};
use facts::{Action, Subjects};
use jobs::JobState;
use runtime::{Clock, Vars};

use super::*;
use crate::{
    store::Memory,
    tests::{event, made_of},
};

const TASK: Task = Task { action: Action::Republish, subjects: Subjects::User, per_second: 500 };

/// Nobody answers as its broker.
fn producer() -> Producer {
    let vars = Vars::from_iter(aws::EMULATED)
        .with("KAFKA_BOOTSTRAP_SERVERS", "127.0.0.1:1")
        .with("KAFKA_ACK_TIMEOUT_SECONDS", "0.1");
    Producer::from_vars(&vars, &Aws::from_vars(&vars).unwrap(), Clock::system()).unwrap()
}

async fn with_people(count: usize) -> Store {
    let store = Store::Memory(Memory::default());
    for number in 0..count {
        let mut event = event();
        event.employee_id = EmployeeId::parse(format!("E {number:03}")).unwrap();
        let written = made_of(&event, None, None);
        store.commit(&written.person, None, Some(&written.entry)).await.unwrap();
    }
    store
}

async fn jobs() -> Jobs<Task> {
    let (vars, _server) = dynamo::embedded::serve(None, pending()).await.unwrap();
    let client = dynamo::client(&vars, &Aws::from_vars(&vars).unwrap()).unwrap();
    let index = |(name, hash, range): (&str, &str, &str)| Index {
        name: name.to_owned(),
        hash: hash.to_owned(),
        range: Some(range.to_owned()),
    };
    let table = TableSpec {
        name: "fact-jobs".to_owned(),
        hash: "id".to_owned(),
        range: None,
        indexes: [("by-time", "kind", "at"), ("by-due", "queue", "due")].map(index).into(),
        ttl: None,
    };
    dynamo::ensure(&client, &table).await.unwrap();
    Jobs::new(jobs::Store::new(client, "fact-jobs"), Clock::system())
}

#[tokio::test]
async fn everybody_is_listed_once_and_has_a_place_past_those_before() {
    let (store, producer) = (with_people(7).await, producer());
    let work = PeopleWork { store: &store, producer: &producer, brokers_are_away: AtomicBool::default() };
    for limit in [1, 3, 7, 9] {
        let (mut listed, mut position) = (Vec::new(), None::<String>);
        loop {
            let page = work.list(&TASK, position.as_deref(), limit).await.unwrap();
            listed.extend(page.items);
            position = page.next;
            if position.is_none() {
                break;
            }
        }
        let ids: Vec<_> = listed.iter().map(|(_, id)| id.as_str()).collect();
        assert_eq!(ids, ["E 000", "E 001", "E 002", "E 003", "E 004", "E 005", "E 006"]);
        for (before, after) in listed.iter().zip(&listed[1..]) {
            assert!(PeopleWork::is_past(&after.0, &before.0) && !PeopleWork::is_past(&before.0, &after.0));
        }
    }
}

#[test]
fn a_place_is_read_as_it_is_written_and_its_rank_is_a_number() {
    let place = Place { rank: 10, id: EmployeeId::parse("somebody else").unwrap() };
    assert_eq!(Place::parse(&place.to_string()), Some(place));
    assert!(PeopleWork::is_past("10 E1", "9 E2"));
    for wrong in ["", "10", "E1", "x E1", "10 "] {
        assert_eq!(Place::parse(wrong), None, "{wrong:?}");
    }
}

#[tokio::test]
async fn nobody_is_done_while_the_brokers_are_away() {
    let (jobs, store) = (jobs().await, with_people(50).await);
    let job = jobs.enqueue(TASK, &Actor::caller("somebody")).await.unwrap();
    let republish = Republish::new(store, producer(), jobs.clone());
    for _ in 0..2 {
        assert_eq!(republish.run_all(Instant::now() + Duration::from_mins(1)).await.unwrap(), 0);
        let left = jobs.get(&job.id).await.unwrap();
        assert_eq!((left.state, left.progress.done, left.total), (JobState::Running, 0, Some(50)));
    }
}

#[tokio::test]
async fn who_was_forgotten_since_they_were_listed_is_not_told() {
    let (store, producer) = (with_people(1).await, producer());
    let work = PeopleWork { store: &store, producer: &producer, brokers_are_away: AtomicBool::default() };
    let job = jobs().await.enqueue(TASK, &Actor::caller("somebody")).await.unwrap();
    let (_, id) = work.list(&TASK, None, 1).await.unwrap().items.remove(0);
    let read = store.person(&id).await.unwrap().unwrap();
    let mut forget = event();
    (forget.employee_id, forget.event_type) = (id.clone(), contracts::EventType::Erased);
    let gone = crate::converge::forget(&forget, Some(read.clone()), &[], crate::tests::now()).unwrap();
    store.commit(&gone.person, Some(&read), None).await.unwrap();
    assert_eq!(work.process(&job, id).await.unwrap(), Outcome::Skipped);
}

//! How much one request reads, however many letters there are.

use std::{ops::Range, time::Duration};

use jobs::JobState;
use tokio::time::Instant;

use super::*;
use crate::{
    Action, Task,
    redrive::{Brokers, tests::redrive},
    run_job::RunJobs,
};

use operations::Operations;

/// So large that DynamoDB reads four of them at once.
fn large(offset: i64, reason: Reason) -> (DeadLetter, Payload) {
    let (mut letter, payload) = letter(offset, reason, "E1", second(offset));
    letter.message = "x".repeat(250_000);
    (letter, payload)
}

async fn parks_large(store: &Store, offsets: Range<i64>, reason: Reason) {
    for offset in offsets {
        let (letter, payload) = large(offset, reason);
        store.insert(&letter, &payload).await.unwrap();
        store.note_group(&letter).await.unwrap();
    }
}

#[tokio::test]
async fn a_list_and_a_slice_of_a_job_read_so_much_at_the_most_and_go_on_from_there() {
    let store = store().await;
    parks_large(&store, 0..1, Reason::UserNotFound).await;
    parks_large(&store, 1..45, Reason::Invalid).await;
    let (store, operations) = Operations::of(&store);
    let find = find(&store);
    let rare = Filter { reason: Some(Reason::UserNotFound), ..Filter::default() };

    let first = find.letters(&rare, None, 50).await.unwrap();
    assert_eq!((first.items.len(), first.next.is_some(), operations.queries()), (0, true, 10));
    let second = find.letters(&rare, first.next.as_deref(), 50).await.unwrap();
    assert_eq!((second.items.len(), second.next), (1, None));
    operations.queries();

    let clock = Clock::fixed(super::second(9_000));
    let jobs = RunJobs::new(store.clone(), redrive(&store, clock), clock);
    let action = Action::Discard { because: "a test's".to_owned() };
    let task = Task { action, filter: rare, per_second: 100 };
    let job = jobs.start(task, &Actor::caller("somebody"), Instant::now()).await.unwrap();
    assert_eq!((job.state, job.total, operations.queries()), (JobState::Running, None, 10 + 10));
    let in_a_minute = Instant::now() + Duration::from_mins(1);
    jobs.run_all(in_a_minute, &Brokers::default()).await.unwrap();
    let job = find.job(&job.id).await.unwrap();
    assert_eq!((job.state, job.progress.done, job.total), (JobState::Done, 1, Some(1)));
}

#[tokio::test]
async fn a_group_is_counted_to_a_limit_and_says_when_there_is_more() {
    let store = store().await;
    parks_large(&store, 0..18, Reason::Invalid).await;
    let (store, operations) = Operations::of(&store);
    let find = find(&store);

    let (group, counts) = find.groups(None, 10).await.unwrap().items.remove(0);
    assert_eq!((counts.at_least, operations.queries()), (true, 1 + 4));
    let counted = counts.states[&LetterState::Parked];
    assert!((4..18).contains(&counted), "{counts:?}");

    let (_, counts) = find.group(&group.fingerprint).await.unwrap();
    assert_eq!(
        (counts.at_least, counts.states),
        (false, [(LetterState::Parked, 18)].into()),
        "alone it has more time"
    );
}

#[tokio::test]
async fn the_groups_of_a_page_are_counted_eight_at_once() {
    let store = store().await;
    for n in 0..20 {
        let offset = i64::try_from(n).unwrap();
        let (mut letter, payload) = letter(offset, Reason::Invalid, "E1", second(offset));
        letter.fingerprint = Fingerprint::of(Reason::Invalid, &letter.origin, &"x".repeat(n));
        store.insert(&letter, &payload).await.unwrap();
        store.note_group(&letter).await.unwrap();
    }
    let (store, operations) = Operations::of(&store);
    let groups = find(&store).groups(None, 20).await.unwrap().items;
    assert_eq!((groups.len(), operations.queries(), operations.most_at_once()), (20, 1 + 20, 8));
    assert!(groups.is_sorted_by(|(a, _), (b, _)| a.last_seen >= b.last_seen), "the newest first");
}

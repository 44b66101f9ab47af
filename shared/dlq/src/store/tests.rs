mod bounds;
pub(crate) mod operations;

use std::collections::BTreeSet;

use api::cursor::Signer;
use aws::Aws;
use contracts::{Actor, Reason};
use dynamo::{Index, TableSpec};
use runtime::{Clock, record::Record};

use super::*;
use crate::{
    Filter, Find, Fingerprint, Job, LetterState, Park, audit::Deed, life::Step, read, write::Writer,
};

/// A DynamoDB of its own for one test, over HTTP.
pub(crate) async fn store() -> Store {
    let (mut vars, _server) = dynamo::embedded::serve(None, std::future::pending()).await.unwrap();
    vars.extend([("DEAD_LETTERS_TABLE", "dead-letters"), ("OUTBOX_TABLE", "outbox")]);
    let aws = Aws::from_vars(&vars).unwrap();
    let store = Store::from_vars(&vars, &aws, brokers_that_are_nowhere(Clock::system())).unwrap();
    let index = |(name, hash, range): (&str, &str, &str)| Index {
        name: name.to_owned(),
        hash: hash.to_owned(),
        range: Some(range.to_owned()),
    };
    let indexes = [
        ("by-time", "kind", "at"),
        ("by-state", "state", "at"),
        ("by-group", "fingerprint", "at"),
        ("by-employee", "employee_id", "at"),
        ("by-due", "queue", "due"),
    ];
    let table = TableSpec {
        name: "dead-letters".to_owned(),
        hash: "id".to_owned(),
        range: None,
        indexes: indexes.into_iter().map(index).collect(),
        ttl: Some("expires_at".to_owned()),
    };
    let outbox = TableSpec {
        name: "outbox".to_owned(),
        hash: "subject".to_owned(),
        range: Some("position".to_owned()),
        indexes: vec![],
        ttl: None,
    };
    for table in [table, outbox] {
        dynamo::ensure(&store.client, &table).await.unwrap();
    }
    store
}

pub(crate) fn brokers_that_are_nowhere(clock: Clock) -> Producer {
    let vars = Vars::from_iter(aws::EMULATED)
        .with("KAFKA_BOOTSTRAP_SERVERS", "127.0.0.1:1")
        .with("KAFKA_ACK_TIMEOUT_SECONDS", "0.2");
    Producer::from_vars(&vars, &Aws::from_vars(&vars).unwrap(), clock).unwrap()
}

/// Makes the item one that this version can't read.
pub(crate) async fn of_next_year(store: &Store, id: &str, attribute: &str) {
    let newer = store.update(id).update_expression("SET #attribute = :value");
    let newer = newer.expression_attribute_names("#attribute", attribute);
    newer.expression_attribute_values(":value", string("of_next_year")).send().await.unwrap();
}

/// Makes the running job one as versions saved it whose sweeps read every job.
pub(crate) async fn of_last_year(store: &Store, job: &Job) {
    let older = store.update(&format!("job#{}", job.id));
    let older = older.update_expression("REMOVE #queue, due, #count SET job.#total = :total");
    let older = [("#queue", "queue"), ("#count", "count"), ("#total", "total")]
        .into_iter()
        .fold(older, |older, (name, attribute)| older.expression_attribute_names(name, attribute));
    older.expression_attribute_values(":total", AttributeValue::N("1".to_owned())).send().await.unwrap();
}

pub(crate) fn record(offset: i64) -> Record {
    let json = serde_json::json!({"topic": "user.enrichment.failed", "partition": 0, "offset": offset, "value": "e30="});
    serde_json::from_value(json).unwrap()
}

pub(crate) fn second(second: i64) -> Timestamp {
    Timestamp::from_second(1_700_000_000 + second).unwrap()
}

pub(crate) fn letter(
    offset: i64,
    reason: Reason,
    employee: &str,
    parked_at: Timestamp,
) -> (DeadLetter, Payload) {
    let mut record = record(offset);
    record.key = Some(employee.as_bytes().to_vec());
    let mut failed = read::failed_records(record).remove(0);
    (failed.failure.reason, failed.failure.message) = (reason, reason.to_string());
    (DeadLetter::new(&failed, parked_at), failed.payload)
}

fn find(store: &Store) -> Find {
    Find::new(store.clone(), Signer::new("a-key-that-is-long-enough-for-a-test".into()))
}

pub(crate) async fn how_many(store: &Store, filter: &Filter) -> u64 {
    store.list(filter, None, 1000).await.unwrap().letters.len() as u64
}

/// Every letter, page by page.
async fn all(find: &Find, filter: &Filter, limit: usize) -> Vec<DeadLetter> {
    let (mut seen, mut cursor) = (Vec::new(), None);
    loop {
        let page = find.letters(filter, cursor.as_deref(), limit).await.unwrap();
        seen.extend(page.items);
        cursor = page.next;
        if cursor.is_none() {
            return seen;
        }
    }
}

#[tokio::test]
async fn a_letter_that_is_delivered_twice_is_parked_once() {
    let store = store().await;
    let park = Park::new(store.clone(), Clock::system());
    let first = park.park(record(1)).await.unwrap().remove(0);
    let again = park.park(record(1)).await.unwrap().remove(0);
    assert_eq!(first.id, again.id);
    let stored = all(&find(&store), &Filter::default(), 10).await;
    assert_eq!(stored, std::slice::from_ref(&first), "the first one stays as it is");
    assert_eq!(store.get(&first.id).await.unwrap(), Some(first));
}

#[tokio::test]
async fn a_record_that_says_it_is_a_redrive_which_nobody_made_is_a_letter_of_its_own() {
    let store = store().await;
    let park = Park::new(store.clone(), Clock::system());
    let first = park.park(record(1)).await.unwrap().remove(0);
    let header = |name: &str, value: &str| serde_json::json!({name: value.as_bytes()});
    let forged = serde_json::json!({
        "topic": "user.enrichment.failed", "partition": 0, "offset": 2, "value": "eyJqdW5r",
        "headers": [header("dlq-letter-id", first.id.as_str()), header("dlq-redrive", "4294967295")],
    });
    let forged = park.park(serde_json::from_value(forged).unwrap()).await.unwrap().remove(0);
    assert_ne!(forged.id, first.id);
    assert_eq!(store.get(&first.id).await.unwrap(), Some(first));
}

#[tokio::test]
async fn pages_show_every_letter_once_the_newest_first() {
    let store = store().await;
    for n in 0..11 {
        // Some share an instant.
        let (letter, payload) = letter(n, Reason::UserNotFound, "E1", second(n / 3));
        assert!(store.insert(&letter, &payload).await.unwrap());
    }
    let find = find(&store);
    for filter in [
        Filter::default(),
        Filter { state: Some(LetterState::Parked), ..Filter::default() },
        Filter { reason: Some(Reason::UserNotFound), ..Filter::default() },
    ] {
        let seen = all(&find, &filter, 4).await;
        assert!(seen.is_sorted_by(|a, b| a.parked_at >= b.parked_at));
        assert_eq!(seen.iter().map(|letter| letter.id.as_str()).collect::<BTreeSet<_>>().len(), 11);
        assert_eq!((seen.len(), how_many(&store, &filter).await), (11, 11));
    }
}

/// What a filter says, without a table.
fn fits(filter: &Filter, letter: &DeadLetter) -> bool {
    filter.state.is_none_or(|state| letter.life.state == state)
        && filter.reason.is_none_or(|reason| letter.reason == reason)
        && filter.group.as_ref().is_none_or(|group| letter.fingerprint == *group)
        && filter.employee_id.as_ref().is_none_or(|id| letter.employee_id.as_ref() == Some(id))
        && filter.parked_after.is_none_or(|after| letter.parked_at >= after)
        && filter.parked_before.is_none_or(|before| letter.parked_at < before)
}

#[tokio::test]
async fn a_filter_lists_what_fits_and_nothing_else() {
    let store = store().await;
    let mut letters = Vec::new();
    for n in 0..24_i64 {
        let reason =
            [Reason::UserNotFound, Reason::RateLimited, Reason::Invalid][usize::try_from(n % 3).unwrap()];
        let (letter, payload) = letter(n, reason, ["E1", "E2"][usize::try_from(n / 12).unwrap()], second(n));
        store.insert(&letter, &payload).await.unwrap();
        letters.push(letter);
    }
    let any = Filter::default;
    let filters = [
        any(),
        Filter { state: Some(LetterState::Scheduled), ..any() },
        Filter { reason: Some(Reason::Invalid), ..any() },
        Filter { group: Some(letters[0].fingerprint.clone()), ..any() },
        Filter { employee_id: letters[0].employee_id.clone(), ..any() },
        Filter { employee_id: letters[0].employee_id.clone(), state: Some(LetterState::Parked), ..any() },
        Filter { parked_after: Some(second(5)), parked_before: Some(second(9)), ..any() },
        Filter {
            state: Some(LetterState::Parked),
            reason: Some(Reason::Invalid),
            parked_after: Some(second(7)),
            ..any()
        },
        Filter { state: Some(LetterState::Resolved), ..any() },
        Filter { parked_after: Some(second(9)), parked_before: Some(second(5)), ..any() },
        Filter { parked_after: Some(second(9)), parked_before: Some(second(9)), ..any() },
    ];
    let find = find(&store);
    for filter in filters {
        let mut fitting: Vec<_> = letters.iter().filter(|letter| fits(&filter, letter)).collect();
        fitting.reverse();
        let listed = all(&find, &filter, 5).await;
        assert_eq!(listed.iter().collect::<Vec<_>>(), fitting, "{filter:?}");
    }
}

#[tokio::test]
async fn a_cursor_is_good_for_its_own_filter_only() {
    let store = store().await;
    for n in 0..3 {
        let (letter, payload) = letter(n, Reason::Invalid, "E1", second(n));
        store.insert(&letter, &payload).await.unwrap();
    }
    let find = find(&store);
    let page = find.letters(&Filter::default(), None, 1).await.unwrap();
    let other = Filter { state: Some(LetterState::Parked), ..Filter::default() };
    let error = find.letters(&other, page.next.as_deref(), 1).await.unwrap_err();
    assert!(matches!(error, crate::Error::Cursor(_)), "{error:?}");
}

#[tokio::test]
async fn ten_letters_of_two_causes_are_two_groups_with_how_many_are_in_which_state() {
    let store = store().await;
    for n in 0..10 {
        let reason = if n < 7 { Reason::RateLimited } else { Reason::Invalid };
        let (letter, payload) = letter(n, reason, "E1", second(n));
        store.insert(&letter, &payload).await.unwrap();
        store.note_group(&letter).await.unwrap();
        store.note_group(&letter).await.unwrap();
    }
    let groups = find(&store).groups(None, 10).await.unwrap().items;
    let told: Vec<_> = groups
        .iter()
        .map(|(group, counts)| (group.reason, counts.states.clone(), group.first_seen, group.last_seen))
        .collect();
    let (parked, scheduled) = ([(LetterState::Parked, 3)].into(), [(LetterState::Scheduled, 7)].into());
    assert_eq!(
        told,
        [
            (Reason::Invalid, parked, second(7), second(9)),
            (Reason::RateLimited, scheduled, second(0), second(6)),
        ]
    );
    let first = find(&store).groups(None, 1).await.unwrap();
    let second = find(&store).groups(first.next.as_deref(), 1).await.unwrap();
    assert_eq!((second.items[0].0.reason, second.next), (Reason::RateLimited, None));
}

#[tokio::test]
async fn a_group_is_the_same_in_whatever_order_its_letters_are_noted() {
    // Times of one second with and without a fraction don't sort as text.
    let times = [second(5), second(5) + jiff::SignedDuration::from_millis(500), second(9), second(7)];
    let mut letters = Vec::new();
    for (n, parked_at) in times.into_iter().enumerate() {
        let (mut letter, _) = letter(i64::try_from(n).unwrap(), Reason::Invalid, "E1", parked_at);
        letter.message = format!("Okta knows nobody, line {n}");
        letters.push(letter);
    }
    for order in [[0, 1, 2, 3], [2, 1, 0, 3], [3, 2, 1, 0], [1, 0, 3, 2]] {
        let store = store().await;
        for n in order {
            store.note_group(&letters[n]).await.unwrap();
        }
        let group = store.group(&letters[0].fingerprint).await.unwrap().unwrap();
        assert_eq!((group.first_seen, group.last_seen), (times[0], times[2]), "{order:?}");
        assert_eq!((&group.sample, &group.message), (&letters[0].id, &letters[2].message), "{order:?}");
        assert_eq!(store.groups(None, 9).await.unwrap().len(), 1, "{order:?}");
    }
}

#[tokio::test]
async fn of_two_who_change_a_letter_at_once_one_sees_the_conflict() {
    let store = store().await;
    let (letter, payload) = letter(1, Reason::Invalid, "E1", second(0));
    store.insert(&letter, &payload).await.unwrap();
    let mut one = store.get(&letter.id).await.unwrap().unwrap();
    let mut other = one.clone();
    for (copy, saved) in [(&mut one, Saved::Yes), (&mut other, Saved::Conflict)] {
        copy.step(Step::Redrive, &Actor::caller("somebody"), second(1), None).unwrap();
        assert_eq!(store.save(copy).await.unwrap(), saved);
    }
}

#[tokio::test]
async fn only_letters_whose_time_has_come_are_due() {
    let store = store().await;
    for (n, reason) in [(1, Reason::RateLimited), (2, Reason::Invalid), (3, Reason::OktaUnavailable)] {
        let (letter, payload) = letter(n, reason, "E1", second(n * 1000));
        store.insert(&letter, &payload).await.unwrap();
    }
    let due = async |now| {
        let due = store.due(second(now), None, 10).await.unwrap();
        due.letters.iter().map(|letter| letter.reason).collect::<Vec<_>>()
    };
    assert_eq!(due(1001).await, []);
    assert_eq!(due(1100).await, [Reason::RateLimited]);
    assert_eq!(due(9000).await, [Reason::RateLimited, Reason::OktaUnavailable]);
}

#[tokio::test]
async fn a_letter_that_nobody_can_read_holds_up_no_other() {
    let store = store().await;
    for n in 1..=3 {
        let (letter, payload) = letter(n, Reason::RateLimited, "E1", second(n));
        store.insert(&letter, &payload).await.unwrap();
        if n == 2 {
            of_next_year(&store, letter.id.as_str(), "reason").await;
        }
    }
    let due = store.due(second(1000), None, 10).await.unwrap();
    assert_eq!((due.letters.len(), due.unreadable), (2, 1));
    assert_eq!(all(&find(&store), &Filter::default(), 1).await.len(), 2);
    assert_eq!(how_many(&store, &Filter::default()).await, 2);
}

#[tokio::test]
async fn a_group_counts_the_letters_whose_states_it_can_read() {
    let store = store().await;
    for n in 1..=3 {
        let (letter, payload) = letter(n, Reason::Invalid, "E1", second(n));
        store.insert(&letter, &payload).await.unwrap();
        store.note_group(&letter).await.unwrap();
        if n == 2 {
            of_next_year(&store, letter.id.as_str(), "state").await;
        }
    }
    let groups = find(&store).groups(None, 10).await.unwrap().items;
    let counts: Vec<_> = groups.into_iter().map(|(_, counts)| counts.states).collect();
    assert_eq!(counts, [[(LetterState::Parked, 2)].into()]);
}

#[tokio::test]
async fn a_group_or_a_deed_that_nobody_can_read_holds_up_no_other() {
    let store = store().await;
    let (clock, by) = (Clock::fixed(second(9)), Actor::caller("somebody"));
    let writer = Writer { store: store.clone(), clock };
    for (n, reason) in [(1, Reason::Invalid), (2, Reason::RateLimited), (3, Reason::UserNotFound)] {
        store.note_group(&letter(n, reason, "E1", second(n)).0).await.unwrap();
        writer.record(&by, Deed::StopJob { job: format!("job-{n}") }).await.unwrap();
    }
    let find = find(&store);
    let groups = store.groups(None, 9).await.unwrap();
    let audit = store.audit(None, 9).await.unwrap();
    of_next_year(&store, &format!("group#{}", groups[1].content.fingerprint), "reason").await;
    of_next_year(&store, &format!("audit#{}", audit[1].content.id), "record").await;

    // A page at a time: the one that is left out ends no list.
    let first = find.groups(None, 1).await.unwrap();
    let second = find.groups(first.next.as_deref(), 1).await.unwrap();
    let seen = [&first, &second].map(|page| page.items[0].0.reason);
    assert_eq!((seen, second.next), ([Reason::UserNotFound, Reason::Invalid], None));
    assert_eq!(find.audit(None, 9).await.unwrap().items.len(), 2);
}

#[tokio::test]
async fn the_payload_of_a_letter_that_is_over_expires_unless_it_is_taken_up_again() {
    let store = store().await;
    let (letter, payload) = letter(1, Reason::Invalid, "E1", second(0));
    store.insert(&letter, &payload).await.unwrap();
    let expiry = async || {
        let item = store
            .client
            .get_item()
            .table_name(&store.table)
            .key("id", string(&Part::Current.key(&letter.id)));
        item.send().await.unwrap().item.unwrap().get("expires_at").cloned()
    };
    assert_eq!(expiry().await, None);
    let by = Actor::caller("somebody");
    let mut over = letter.clone();
    over.step(Step::Discard, &by, second(1), None).unwrap();
    store.expire_payload(&over, second(1)).await.unwrap();
    let month = second(1) + jiff::SignedDuration::from_hours(720);
    assert_eq!(expiry().await, Some(AttributeValue::N(month.as_second().to_string())));
    over.step(Step::Redrive, &by, second(2), None).unwrap();
    store.expire_payload(&over, second(2)).await.unwrap();
    assert_eq!(expiry().await, None);
}

#[test]
fn a_position_round_trips_and_nonsense_is_none() {
    let position = Position::of(&letter(1, Reason::Invalid, "E1", second(5)).0);
    assert_eq!(Position::parse(&position.to_string()), Some(position));
    for bad in ["", "#", "5#x", "999999999999999999#0123456789abcdef0123456789abcdef"] {
        assert_eq!(Position::parse(bad), None, "{bad}");
    }
}

use std::collections::BTreeSet;

use api::cursor::Signer;
use aws::Aws;
use dynamo::{Index, TableSpec};
use runtime::{Clock, event::Record};

use super::*;
use crate::{Find, Park, read};

/// A DynamoDB of its own for one test, over HTTP.
async fn store() -> Store {
    let (mut vars, _server) = dynamo::embedded::serve(None, std::future::pending()).await.unwrap();
    vars.extend([("DEAD_LETTERS_TABLE", "dead-letters")]);
    let store = Store::from_vars(&vars, &Aws::from_vars(&vars).unwrap()).unwrap();
    let by_time = Index { name: BY_TIME.to_owned(), hash: "kind".to_owned(), range: Some("at".to_owned()) };
    let table = TableSpec {
        name: "dead-letters".to_owned(),
        hash: "id".to_owned(),
        range: None,
        indexes: vec![by_time],
        ttl: None,
    };
    dynamo::ensure(&store.client, &table).await.unwrap();
    store
}

fn record(offset: i64) -> Record {
    let json = serde_json::json!({"topic": "user.enrichment.failed", "partition": 0, "offset": offset, "value": "e30="});
    serde_json::from_value(json).unwrap()
}

#[tokio::test]
async fn a_letter_that_is_delivered_twice_is_parked_once() {
    let store = store().await;
    let park = Park::new(store.clone(), Clock::system());
    let first = park.park(record(1)).await.unwrap();
    let again = park.park(record(1)).await.unwrap();
    assert_eq!(first.id, again.id);
    assert_eq!(
        store.list(None, 10).await.unwrap(),
        std::slice::from_ref(&first),
        "the first one stays as it is"
    );
    assert_eq!(store.get(&first.id).await.unwrap(), Some(first));
}

#[tokio::test]
async fn pages_show_every_letter_once_the_newest_first() {
    let store = store().await;
    for n in 0..11 {
        // Some share a millisecond.
        let at = Timestamp::from_millisecond(1_700_000_000_000 + n / 3).unwrap();
        assert!(store.insert(&read::letter(record(n), at)).await.unwrap());
    }
    let find = Find::new(store, Signer::new("a-key-that-is-long-enough-for-a-test".into()));
    let (mut seen, mut cursor) = (Vec::new(), None);
    loop {
        let page = find.list(cursor.as_deref(), 4).await.unwrap();
        seen.extend(page.letters);
        cursor = page.next;
        if cursor.is_none() {
            break;
        }
    }
    assert!(seen.is_sorted_by(|a, b| a.parked_at >= b.parked_at));
    assert_eq!(seen.iter().map(|letter| letter.id.as_str()).collect::<BTreeSet<_>>().len(), 11);
    assert_eq!(seen.len(), 11);
}

#[test]
fn a_position_round_trips_and_nonsense_is_none() {
    let position = Position::of(&read::letter(record(1), Timestamp::from_millisecond(5).unwrap()));
    assert_eq!(Position::parse(&position.to_string()), Some(position));
    for bad in ["", "#", "5#x", "999999999999999999#0123456789abcdef0123456789abcdef"] {
        assert_eq!(Position::parse(bad), None, "{bad}");
    }
}

use std::collections::BTreeSet;

use serde_json::json;
use testkit::{Employee, World};

use crate::redacted;

#[tokio::test(flavor = "multi_thread")]
async fn a_letter_keeps_the_record_as_it_was() {
    let world = World::new().await;
    let headers = [("correlation-id", "c-1"), ("event-id", "evt-1"), ("traceparent", "00-x")];
    world.publishes(Some("E100"), Some(b"{broken"), &headers).await;
    world.settle().await;
    let id = world.dead_letters().await[0]["id"].as_str().unwrap().to_owned();
    let letter = world.get(&format!("/v1/dead-letters/{id}")).await.json;
    let payload = &letter["payload"];
    assert_eq!((&payload["key"]["text"], &payload["value"]["text"]), (&json!("E100"), &json!("{broken")));
    for (name, value) in headers {
        let kept = json!([name, {"text": value}]);
        assert!(payload["headers"].as_array().unwrap().contains(&kept), "{name} is not among {payload}");
    }
    redacted(|| {
        insta::assert_json_snapshot!("letter", letter, {
            ".payload.headers" => "[checked above]",
            ".origin.partition" => "[partition]",
        });
    });
}

#[tokio::test(flavor = "multi_thread")]
async fn letters_are_listed_by_page_the_newest_first() {
    let world = World::new().await;
    for n in 0..7 {
        world.hr().hires(&Employee::new(&format!("E{n}"), "No", "Body")).await;
    }
    world.settle().await;
    let (mut ids, mut path) = (Vec::new(), "/v1/dead-letters?limit=3".to_owned());
    loop {
        let page = world.get(&path).await.json;
        let letters = page["dead_letters"].as_array().unwrap();
        ids.extend(letters.iter().map(|letter| letter["id"].as_str().unwrap().to_owned()));
        let Some(cursor) = page["next_cursor"].as_str() else { break };
        path = format!("/v1/dead-letters?limit=3&cursor={cursor}");
    }
    assert_eq!((ids.len(), ids.iter().collect::<BTreeSet<_>>().len()), (7, 7));
}

use std::path::Path;

use api::cursor::Signer;
use aws::Aws;
use dlq::{Bytes, Find, Park, Store};
use dynamo::embedded;
use runtime::{Clock, record::Record};
use serde_json::{Value, json};

use super::{super::Trigger, *};
use crate::{template::Template, wiring};

fn wrapper(record: &Record) -> Value {
    serde_json::from_slice(record.value.as_deref().unwrap()).unwrap()
}

#[tokio::test]
async fn a_record_that_is_given_up_has_the_documented_layout_and_its_key() {
    let bench = Bench::new().await;
    let (function, invocations) = function(|_, _| async { Reply::Crashes });
    let at = "2026-01-31T18:42:00.009Z".parse().unwrap();
    bench.publish(1, "a", ("event-id", b"e"), at).await;
    bench.run(Trigger { retries: Some(1), ..bench.rules(1) }, &function).await;

    let given_up = bench.given_up().await;
    let [record] = &given_up[..] else { panic!("{given_up:?}") };
    assert_eq!((record.key.as_deref(), record.headers.len()), (Some(&b"a"[..]), 0));
    let mut wrapper = wrapper(record);
    let stamp = wrapper["timestamp"].take();
    assert_eq!(stamp.as_str().unwrap().len(), "2026-01-31T18:42:00.009Z".len());
    let event = json!(invocations.events()[0]);
    assert_eq!(
        wrapper,
        json!({
            "requestContext": {
                "requestId": "local",
                "functionArn": "arn:aws:lambda:eu-west-1:000000000000:function:played:$LATEST",
                "condition": "RetriesExhausted",
                "approximateInvokeCount": 2,
            },
            "responseContext": {"statusCode": 200, "executedVersion": "$LATEST", "functionError": "Unhandled"},
            "version": "1.0",
            "timestamp": null,
            "KafkaBatchInfo": {
                "batchSize": 1,
                "eventSourceArn": event["eventSourceArn"],
                "bootstrapServers": bench.servers,
                "payloadSize": event.to_string().len(),
                "recordInfo": {"offset": "0", "timestamp": "2026-01-31T18:42:00.009Z"},
            },
            "payload": event,
        })
    );
}

#[tokio::test]
async fn each_record_of_a_batch_that_is_given_up_is_one_of_its_own() {
    let bench = Bench::new().await;
    let (function, _invocations) = function(|_, _| async { Reply::Crashes });
    bench.send(&["a", "b", "c"]).await;
    bench.run(bench.rules(3), &function).await;
    let mut keys: Vec<_> = bench.given_up().await.into_iter().filter_map(|record| record.key).collect();
    keys.sort();
    assert_eq!(keys, [b"a", b"b", b"c"]);
}

#[tokio::test]
async fn a_record_that_no_payload_can_hold_is_given_up_untried() {
    // A real broker takes no record of that size, unless it is told to.
    let bench = Bench::embedded().await;
    let (function, invocations) = function(|_, _| async { Reply::success() });
    bench.publish(0, "long", ("long", &vec![0xff; 1_600_000]), Clock::system().now()).await;
    bench.send(&["short"]).await;
    bench.run(bench.rules(1), &function).await;
    assert_eq!(invocations.values(), [["short"]]);
    let given_up = bench.given_up().await;
    let wrapper = wrapper(&given_up[0]);
    assert_eq!(wrapper["requestContext"]["condition"], "MaximumPayloadSizeExceeded");
    assert_eq!(wrapper["responseContext"], Value::Null);
}

#[tokio::test]
async fn without_a_destination_the_partition_goes_on_all_the_same() {
    let bench = Bench::new().await;
    let (function, invocations) = function(|_, records| async move { Reply::failed(&records, &["a"]) });
    bench.send(&["a", "b"]).await;
    bench.run(Trigger { on_failure: None, ..bench.rules(1) }, &function).await;
    assert_eq!(invocations.values(), [["a"], ["b"]]);
}

#[tokio::test]
async fn the_dead_letters_know_such_a_record_by_its_ids_and_keep_its_value() {
    let bench = Bench::new().await;
    let (function, _invocations) = function(|_, _| async { Reply::Crashes });
    bench.publish(3, "E7", ("event-id", b"hr-7"), Clock::system().now()).await;
    bench.run(bench.rules(1), &function).await;
    let record = bench.given_up().await.remove(0);

    let (vars, _server) = embedded::serve(None, std::future::pending()).await.unwrap();
    let template = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../template.yaml");
    let template = Template::read(&template).unwrap();
    let table = |name| &template.tables.iter().find(|table| table.name.ends_with(name)).unwrap().name;
    let vars = vars.with("DEAD_LETTERS_TABLE", table("dead-letters").as_str());
    let vars = vars.with("OUTBOX_TABLE", table("outbox").as_str());
    let aws = Aws::from_vars(&vars).unwrap();
    wiring::ensure(&vars, &aws, &template.tables).await.unwrap();
    let store = Store::from_vars(&vars, &aws, bench.producer()).unwrap();
    let park = Park::new(store.clone(), Clock::system());

    let letter = park.park(record).await.unwrap().remove(0);
    assert_eq!(letter.message, "Lambda gave up: RetriesExhausted");
    assert_eq!((letter.origin.topic, letter.origin.partition, letter.origin.offset), (bench.topic, 3, 0));
    assert_eq!((letter.attempts, letter.event_id.unwrap().as_str()), (1, "hr-7"));
    assert_eq!(letter.employee_id.unwrap().as_str(), "E7");
    let signer = Signer::new("a-key-that-is-long-enough-for-a-test".into());
    let payload = Find::new(store, signer).payload(&letter.id).await.unwrap().unwrap();
    let text = Some(Bytes::Text("E7".to_owned()));
    assert_eq!((&payload.key, &payload.value), (&text, &text));
}

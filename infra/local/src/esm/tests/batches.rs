use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering::SeqCst},
    },
    time::Duration,
};

use runtime::Clock;
use serde_json::json;
use tokio::sync::Barrier;

use super::{super::Trigger, *};

#[tokio::test]
async fn a_batch_is_at_most_its_size() {
    let bench = Bench::new().await;
    let (function, invocations) = function(|_, _| async { Reply::success() });
    bench.send(&["a", "b", "c", "d", "e"]).await;
    let window = Duration::from_millis(100);
    bench.run(Trigger { window, ..bench.rules(2) }, &function).await;
    assert_eq!(invocations.values(), [vec!["a", "b"], vec!["c", "d"], vec!["e"]]);
}

#[tokio::test]
async fn the_window_gathers_what_comes_one_by_one() {
    let bench = Bench::new().await;
    let (function, invocations) = function(|_, _| async { Reply::success() });
    let running = bench.start(bench.rules(3), &function).await;
    for value in ["a", "b", "c"] {
        bench.send(&[value]).await;
    }
    running.settles().await;
    assert_eq!(invocations.values(), [["a", "b", "c"]]);
}

#[tokio::test]
async fn the_windows_end_sends_a_batch_that_is_not_full() {
    let bench = Bench::new().await;
    let (function, invocations) = function(|_, _| async { Reply::success() });
    let window = Duration::from_millis(100);
    let running = bench.start(Trigger { window, ..bench.rules(100) }, &function).await;
    bench.send(&["a"]).await;
    running.settles().await;
    assert_eq!(invocations.values(), [["a"]]);
}

#[tokio::test]
async fn a_payload_is_at_most_6_mb_of_json() {
    let bench = Bench::new().await;
    let (function, invocations) = function(|_, _| async { Reply::success() });
    // A byte of a header is four of JSON: `255,`. Three of these are 4.8 MB, four 6.4.
    for value in ["a", "b", "c", "d"] {
        bench.publish(0, value, ("long", &vec![0xff; 400_000]), Clock::system().now()).await;
    }
    let window = Duration::from_secs(1);
    bench.run(Trigger { window, ..bench.rules(4) }, &function).await;
    assert_eq!(invocations.values(), [vec!["a", "b", "c"], vec!["d"]]);
}

#[tokio::test]
async fn no_batch_of_a_partition_overtakes_the_one_before_it() {
    let bench = Bench::new().await;
    let (at_once, most) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let (function, invocations) = {
        let most = Arc::clone(&most);
        function(move |number, records| {
            let (at_once, most) = (Arc::clone(&at_once), Arc::clone(&most));
            async move {
                most.fetch_max(at_once.fetch_add(1, SeqCst) + 1, SeqCst);
                // Gives another invocation every chance to begin.
                for _ in 0..100 {
                    tokio::task::yield_now().await;
                }
                at_once.fetch_sub(1, SeqCst);
                if number == 0 { Reply::failed(&records, &["b"]) } else { Reply::success() }
            }
        })
    };
    bench.send(&["a", "b", "c", "d"]).await;
    bench.run(Trigger { retries: Some(1), ..bench.rules(2) }, &function).await;
    assert_eq!(invocations.values(), [vec!["a", "b"], vec!["b"], vec!["c", "d"]]);
    assert_eq!(most.load(SeqCst), 1);
}

#[tokio::test]
async fn partitions_do_not_wait_for_each_other() {
    let bench = Bench::new().await;
    let both = Arc::new(Barrier::new(2));
    let (function, invocations) = function(move |_, _| {
        let both = Arc::clone(&both);
        async move {
            both.wait().await;
            Reply::success()
        }
    });
    bench.send_to(0, &["a"]).await;
    bench.send_to(1, &["b"]).await;
    bench.run(bench.rules(1), &function).await;
    assert_eq!(invocations.values().len(), 2);
}

#[tokio::test]
async fn the_event_is_lambdas() {
    let bench = Bench::new().await;
    let (function, invocations) = function(|_, _| async { Reply::success() });
    let at = Clock::system().now();
    bench.publish(2, "a", ("headerKey", b"he"), at).await;
    bench.run(bench.rules(1), &function).await;
    let partition = format!("{}-2", bench.topic);
    assert_eq!(
        json!(invocations.events()[0]),
        json!({
            "eventSource": "aws:kafka",
            "eventSourceArn": "arn:aws:kafka:eu-west-1:000000000000:cluster/joiner/local",
            "bootstrapServers": bench.servers,
            "records": {partition: [{
                "topic": bench.topic, "partition": 2, "offset": 0, "timestamp": at.as_millisecond(),
                "timestampType": "CREATE_TIME", "key": "YQ==", "value": "YQ==",
                "headers": [{"headerKey": [104, 101]}],
            }]},
        })
    );
}

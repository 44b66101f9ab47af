use std::time::Duration;

use runtime::Clock;

use super::{super::Trigger, *};

#[tokio::test]
async fn a_function_error_fails_the_whole_batch() {
    let bench = Bench::new().await;
    let (function, invocations) =
        function(|number, _| async move { if number == 0 { Reply::Crashes } else { Reply::success() } });
    bench.send(&["a", "b"]).await;
    bench.run(Trigger { retries: Some(1), ..bench.rules(2) }, &function).await;
    assert_eq!(invocations.values(), [["a", "b"], ["a", "b"]]);
}

#[tokio::test]
async fn a_timeout_is_a_function_error() {
    let bench = Bench::new().await;
    let (function, invocations) =
        function(|number, _| async move { if number == 0 { Reply::Hangs } else { Reply::success() } });
    bench.send(&["a", "b"]).await;
    bench.run(Trigger { retries: Some(1), ..bench.rules(2) }, &function).await;
    assert_eq!(invocations.values(), [["a", "b"], ["a", "b"]]);
}

#[tokio::test]
async fn the_first_invocation_is_no_retry() {
    for (retries, invoked) in [(0, 1), (2, 3)] {
        let bench = Bench::new().await;
        let (function, invocations) = function(|_, records| async move { Reply::failed(&records, &["a"]) });
        bench.send(&["a", "b"]).await;
        bench.run(Trigger { retries: Some(retries), ..bench.rules(1) }, &function).await;
        let mut expected = vec![["a"]; invoked];
        expected.push(["b"]);
        assert_eq!(invocations.values(), expected, "the partition goes on");
        assert_eq!(bench.given_up().await.len(), 1);
    }
}

#[tokio::test]
async fn without_a_limit_nothing_is_given_up() {
    let bench = Bench::new().await;
    let (function, invocations) =
        function(|number, _| async move { if number < 4 { Reply::Crashes } else { Reply::success() } });
    bench.send(&["a"]).await;
    bench.run(Trigger { retries: None, ..bench.rules(1) }, &function).await;
    assert_eq!(invocations.values(), [["a"]; 5]);
    assert_eq!(bench.given_up().await.len(), 0);
}

#[tokio::test]
async fn bisecting_isolates_a_poison_record_and_the_others_succeed() {
    let bench = Bench::new().await;
    let (function, invocations) = function(|_, records| async move {
        if values(&records).contains(&"poison".to_owned()) { Reply::Crashes } else { Reply::success() }
    });
    bench.send(&["a", "b", "c", "poison", "d", "e", "f", "g"]).await;
    bench.run(Trigger { retries: Some(1), bisect: true, ..bench.rules(8) }, &function).await;
    let (poisoned, healthy): (Vec<_>, Vec<_>) =
        invocations.values().into_iter().partition(|batch| batch.contains(&"poison".to_owned()));
    assert_eq!(poisoned.iter().map(Vec::len).collect::<Vec<_>>(), [8, 4, 2, 1, 1], "splitting is no retry");
    assert_eq!(healthy, [vec!["a", "b"], vec!["c"], vec!["d", "e", "f", "g"]], "each once, in order");
    let keys: Vec<_> = bench.given_up().await.into_iter().map(|record| record.key).collect();
    assert_eq!(keys, [Some(b"poison".to_vec())]);
}

#[tokio::test]
async fn a_record_past_its_age_is_given_up_untried() {
    let bench = Bench::new().await;
    let (function, invocations) = function(|_, _| async { Reply::success() });
    let old = Clock::system().now() - Duration::from_mins(5);
    bench.publish(0, "old", ("event-id", b"old"), old).await;
    bench.send(&["new"]).await;
    bench.run(Trigger { max_age: Some(Duration::from_mins(1)), ..bench.rules(2) }, &function).await;
    assert_eq!(invocations.values(), [["new"]]);
    let keys: Vec<_> = bench.given_up().await.into_iter().map(|record| record.key).collect();
    assert_eq!(keys, [Some(b"old".to_vec())]);
}

#[tokio::test]
async fn a_record_that_becomes_too_old_is_retried_no_more() {
    let bench = Bench::new().await;
    let (function, invocations) = function(|_, _| async { Reply::Crashes });
    bench.send(&["a"]).await;
    let max_age = Some(Duration::from_secs(1));
    bench.run(Trigger { retries: None, max_age, ..bench.rules(1) }, &function).await;
    assert!(!invocations.values().is_empty(), "a machine that needs a second for a record");
    assert_eq!(bench.given_up().await.len(), 1);
}

use super::{super::Trigger, *};
use crate::template::Start;

#[tokio::test]
async fn a_restart_goes_on_where_the_group_has_committed() {
    let bench = Bench::new().await;
    let (function, invocations) = function(|_, _| async { Reply::success() });
    bench.send(&["a", "b"]).await;
    bench.run(bench.rules(1), &function).await;
    bench.send(&["c"]).await;
    // The group is there, so the starting position means nothing.
    bench.run(Trigger { start: Start::Latest, ..bench.rules(1) }, &function).await;
    assert_eq!(invocations.values(), [["a"], ["b"], ["c"]]);
}

#[tokio::test]
async fn a_crash_in_a_batch_delivers_it_again() {
    let bench = Bench::new().await;
    let (hanging, mut begun) = function(|_, _| async { Reply::Hangs });
    bench.send(&["a", "b"]).await;
    let running = bench.start(bench.rules(2), &hanging).await;
    begun.until(1).await;
    running.crashes();
    let (function, invocations) = function(|_, _| async { Reply::success() });
    bench.run(bench.rules(2), &function).await;
    assert_eq!(invocations.values(), [["a", "b"]]);
}

#[tokio::test]
async fn an_end_between_retries_delivers_the_batch_again() {
    let bench = Bench::new().await;
    let (failing, mut begun) = function(|_, records| async move { Reply::failed(&records, &["b"]) });
    bench.send(&["a", "b"]).await;
    let running = bench.start(Trigger { retries: None, ..bench.rules(2) }, &failing).await;
    begun.until(2).await;
    running.stops().await;
    let (function, invocations) = function(|_, _| async { Reply::success() });
    bench.run(bench.rules(2), &function).await;
    assert_eq!(invocations.values(), [["a", "b"]]);
}

#[tokio::test]
async fn a_new_group_starts_at_the_oldest_record_or_after_the_newest() {
    for (start, expected) in
        [(Start::TrimHorizon, vec![["before"], ["after"]]), (Start::Latest, vec![["after"]])]
    {
        let bench = Bench::new().await;
        let (function, invocations) = function(|_, _| async { Reply::success() });
        bench.send(&["before"]).await;
        let running = bench.start(Trigger { start, ..bench.rules(1) }, &function).await;
        bench.send(&["after"]).await;
        running.settles().await;
        assert_eq!(invocations.values(), expected);
    }
}

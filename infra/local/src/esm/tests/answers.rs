use super::{super::Trigger, *};

#[tokio::test]
async fn only_the_records_that_an_answer_names_are_retried() {
    let bench = Bench::new().await;
    let (function, invocations) = function(|number, records| async move {
        match number {
            0 => Reply::failed(&records, &["b", "c"]),
            1 => Reply::failed(&records, &["c"]),
            _ => Reply::success(),
        }
    });
    bench.send(&["a", "b", "c"]).await;
    bench.run(Trigger { retries: Some(2), ..bench.rules(3) }, &function).await;
    assert_eq!(invocations.values(), [vec!["a", "b", "c"], vec!["b", "c"], vec!["c"]]);
    assert_eq!(bench.given_up().await.len(), 0);
}

#[tokio::test]
async fn an_empty_answer_and_null_are_success() {
    const ANSWERS: [&str; 5] =
        ["null", "{}", "", r#"{"batchItemFailures": null}"#, r#"{"batchItemFailures": []}"#];
    let bench = Bench::new().await;
    let (function, invocations) =
        function(|number, _| async move { Reply::Says(ANSWERS[number].to_owned()) });
    bench.send(&["a", "b", "c", "d", "e"]).await;
    bench.run(Trigger { retries: None, ..bench.rules(1) }, &function).await;
    assert_eq!(invocations.values(), [["a"], ["b"], ["c"], ["d"], ["e"]]);
}

#[tokio::test]
async fn an_answer_that_names_no_record_of_the_batch_fails_all_of_it() {
    for answer in [
        r#"{"batchItemFailures": [{"itemIdentifier": {"partition": "TOPIC-0", "offset": 7}}]}"#,
        r#"{"batchItemFailures": [{"itemIdentifier": {"partition": "TOPIC-1", "offset": 0}}]}"#,
        r#"{"batchItemFailures": [{"itemIdentifier": {"partition": "", "offset": 0}}]}"#,
        r#"{"batchItemFailures": [{"itemIdentifier": ""}]}"#,
        r#"{"batchItemFailures": [{"itemIdentifier": null}]}"#,
        r#"{"batchItemFailures": [{"identifier": {"partition": "TOPIC-0", "offset": 0}}]}"#,
        "nonsense",
    ] {
        let bench = Bench::new().await;
        let answer = answer.replace("TOPIC", &bench.topic);
        let (function, invocations) = function(move |number, _| {
            let answer = if number == 0 { answer.clone() } else { "null".to_owned() };
            async { Reply::Says(answer) }
        });
        bench.send(&["a", "b"]).await;
        bench.run(Trigger { retries: Some(1), bisect: true, ..bench.rules(2) }, &function).await;
        assert_eq!(invocations.values(), [["a", "b"], ["a", "b"]]);
    }
}

#[tokio::test]
async fn without_report_batch_item_failures_no_answer_fails_a_record() {
    let bench = Bench::new().await;
    let (function, invocations) = function(|_, records| async move { Reply::failed(&records, &["a"]) });
    bench.send(&["a", "b"]).await;
    bench.run(Trigger { reports_failures: false, ..bench.rules(2) }, &function).await;
    assert_eq!(invocations.values(), [["a", "b"]]);
    assert_eq!(bench.given_up().await.len(), 0);
}

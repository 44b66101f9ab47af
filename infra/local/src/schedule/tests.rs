use std::sync::{Arc, Mutex};

use anyhow::bail;
use futures_util::FutureExt;
use serde_json::Value;

use super::*;
use crate::template::Rate;

const HOUR: u64 = 60;

/// When it was invoked, in minutes since the start, and with what.
type Invocations = Arc<Mutex<Vec<(u64, Value)>>>;

/// Takes `minutes` and fails as often as told.
fn timer(rate: &str, minutes: u64, fails: usize) -> (Timer, Invocations) {
    let (invocations, began) = (Invocations::default(), Instant::now());
    let noted = Arc::clone(&invocations);
    let handler = move |event: Vec<u8>, _context| {
        let noted = Arc::clone(&noted);
        async move {
            let so_far = {
                let mut noted = noted.lock().unwrap();
                noted.push((began.elapsed().as_secs() / 60, serde_json::from_slice(&event)?));
                noted.len()
            };
            time::sleep(Duration::from_mins(minutes)).await;
            if so_far <= fails {
                bail!("the plan says so")
            }
            Ok(Vec::new())
        }
        .boxed()
    };
    let clock = Clock::fixed("2026-01-31T18:42:07.5Z".parse().unwrap());
    let schedule = Schedule {
        name: "DlqReprocessorSweep".to_owned(),
        service: Scheduler::Rule,
        rate: Rate::try_from(rate.to_owned()).unwrap(),
        input: None,
    };
    let function = Function::new("f".to_owned(), Duration::from_mins(15), clock, Arc::new(handler));
    (Timer { schedule, function, retries: 2, clock }, invocations)
}

/// Lets it run that long, and ends it as Ctrl-C does.
async fn run(timer: Timer, minutes: u64) {
    let (phase_tx, phase) = watch::channel(Phase::Running);
    let mut schedules = Schedules::default();
    schedules.start(timer, &phase);
    time::sleep(Duration::from_mins(minutes) + Duration::from_secs(1)).await;
    phase_tx.send_replace(Phase::Draining);
    schedules.stop().await;
}

fn minutes(invocations: &Invocations) -> Vec<u64> {
    invocations.lock().unwrap().iter().map(|(minute, _event)| *minute).collect()
}

#[tokio::test(start_paused = true)]
async fn a_function_is_invoked_at_its_rate_from_the_first_interval_on() {
    let (timer, invocations) = timer("rate(5 minutes)", 0, 0);
    run(timer, 16).await;
    assert_eq!(minutes(&invocations), [5, 10, 15]);
}

#[tokio::test(start_paused = true)]
async fn an_invocation_that_fails_is_tried_again_with_the_same_event_after_one_minute_and_two() {
    let (timer, invocations) = timer("rate(1 hour)", 0, 2);
    run(timer, HOUR + 50).await;
    assert_eq!(minutes(&invocations), [60, 61, 63]);
    let invocations = invocations.lock().unwrap();
    assert!(invocations.iter().all(|(_minute, event)| *event == invocations[0].1));
}

#[tokio::test(start_paused = true)]
async fn after_two_retries_it_is_given_up_and_the_next_tick_comes_all_the_same() {
    let (timer, invocations) = timer("rate(1 hour)", 0, 9);
    run(timer, 2 * HOUR).await;
    assert_eq!(minutes(&invocations), [60, 61, 63, 120]);
}

#[tokio::test(start_paused = true)]
async fn the_template_says_how_often_it_is_tried_again() {
    let (timer, invocations) = timer("rate(1 hour)", 0, 9);
    run(Timer { retries: 0, ..timer }, HOUR + 50).await;
    assert_eq!(minutes(&invocations), [60]);
}

#[tokio::test(start_paused = true)]
async fn an_invocation_does_not_wait_for_the_one_before_it() {
    let (timer, invocations) = timer("rate(1 minute)", 10, 0);
    run(timer, 3).await;
    assert_eq!(minutes(&invocations), [1, 2, 3]);
}

#[tokio::test(start_paused = true)]
async fn the_end_waits_for_an_invocation_and_not_for_a_retry() {
    let began = Instant::now();
    let (timer, invocations) = timer("rate(1 hour)", 10, 9);
    run(timer, HOUR).await;
    assert_eq!((minutes(&invocations), began.elapsed().as_secs() / 60), (vec![60], 70));
}

#[tokio::test(start_paused = true)]
async fn a_tick_is_one_invocation_and_its_error_is_the_callers() {
    let (timer, invocations) = timer("rate(1 hour)", 0, 1);
    let (_phase_tx, phase) = watch::channel(Phase::Running);
    let mut schedules = Schedules::default();
    schedules.start(timer, &phase);
    assert_eq!(schedules.tick("f").await.unwrap_err().to_string(), "the plan says so");
    schedules.tick("f").await.unwrap();
    assert_eq!(minutes(&invocations), [0, 0]);
    assert_eq!(schedules.tick("g").await.unwrap_err().to_string(), "g has no schedule");
}

#[tokio::test]
async fn the_events_are_those_of_eventbridge() {
    let (mut timer, _invocations) = timer("rate(1 minute)", 0, 0);
    let event = |timer: &Timer| {
        let mut event: Value = serde_json::from_slice(&timer.event()).unwrap();
        assert_eq!(event["id"].take().as_str().unwrap().len(), 36);
        event
    };
    let rule = json!({
        "version": "0", "id": null, "detail-type": "Scheduled Event", "source": "aws.events",
        "account": "000000000000", "time": "2026-01-31T18:42:07Z", "region": "eu-west-1",
        "resources": ["arn:aws:events:eu-west-1:000000000000:rule/DlqReprocessorSweep"], "detail": {},
    });
    assert_eq!(event(&timer), rule);

    timer.schedule.service = Scheduler::EventBridgeScheduler;
    let scheduler = event(&timer);
    assert_eq!((&scheduler["source"], &scheduler["detail"]), (&json!("aws.scheduler"), &json!("{}")));
    let arn = "arn:aws:scheduler:eu-west-1:000000000000:schedule/default/DlqReprocessorSweep";
    assert_eq!(scheduler["resources"], json!([arn]));

    timer.schedule.input = Some(r#"{"sweep":true}"#.to_owned());
    assert_eq!(timer.event(), br#"{"sweep":true}"#);
}

//! What a function gets of each service, and what the service is answered.

use std::time::Duration;

use lambda_http::{Body, Request, Response};
use runtime::{
    Clock, ConfigError, Vars,
    record::{Record, Retry},
};
use serde_json::{Value, json};

use super::*;

const BATCH: &str = include_str!("../../../events/enrichment/batch.json");

/// Answers with the path that it was asked for.
#[derive(Clone)]
struct Http;

impl Function for Http {
    const NAME: &'static str = "http";
    type Event = Request;

    fn from_vars(_vars: &Vars, _clock: Clock) -> Result<Self, ConfigError> {
        Ok(Self)
    }

    async fn handle(&self, request: Request) -> Response<Body> {
        Response::new(request.uri().path().into())
    }
}

/// Fails with records of the offset.
#[derive(Clone)]
struct Topic(i64);

impl Function for Topic {
    const NAME: &'static str = "topic";
    type Event = Batch;

    fn from_vars(_vars: &Vars, _clock: Clock) -> Result<Self, ConfigError> {
        Ok(Self(0))
    }

    async fn handle(&self, batch: Batch) -> BatchResponse {
        let fails = |record: Record| async move { if record.offset == self.0 { Err(Retry) } else { Ok(()) } };
        batch.process(4, fails).await
    }
}

/// Fails with every tick that has less than a minute.
#[derive(Clone)]
struct Timer;

impl Function for Timer {
    const NAME: &'static str = "timer";
    type Event = Tick;

    fn from_vars(_vars: &Vars, _clock: Clock) -> Result<Self, ConfigError> {
        Ok(Self)
    }

    async fn handle(&self, tick: Tick) -> Result<(), Error> {
        let left = tick.deadline.cut_off.saturating_duration_since(tokio::time::Instant::now());
        if left < Duration::from_mins(1) { Err("too late".into()) } else { Ok(()) }
    }
}

#[derive(Clone)]
struct TopicAndTimer;

impl Function for TopicAndTimer {
    const NAME: &'static str = "topic-and-timer";
    type Event = BatchOrTick;

    fn from_vars(_vars: &Vars, _clock: Clock) -> Result<Self, ConfigError> {
        Ok(Self)
    }

    async fn handle(&self, event: BatchOrTick) -> Result<BatchResponse, Error> {
        match event {
            BatchOrTick::Batch(batch) => Ok(Topic(1).handle(batch).await),
            BatchOrTick::Tick(tick) => Timer.handle(tick).await.map(|()| BatchResponse::default()),
        }
    }
}

/// With so many minutes left.
async fn answer(function: &impl Function, payload: &str, minutes: u64) -> Result<Value, String> {
    let clock = Clock::system();
    let mut context = Context::default();
    let deadline = clock.now() + Duration::from_mins(minutes);
    context.deadline = u64::try_from(deadline.as_millisecond()).unwrap();
    let answer = invoke(function, payload.as_bytes(), context, clock).await;
    answer.map(|json| serde_json::from_slice(&json).unwrap()).map_err(|error| error.to_string())
}

fn tick(source: &str) -> String {
    json!({"version": "0", "detail-type": "Scheduled Event", "source": source, "detail": {}}).to_string()
}

#[tokio::test]
async fn a_request_is_answered_as_api_gateway_reads_it() {
    let user = include_str!("../../../events/user-query/user.json");
    let answer = answer(&Http, user, 1).await.unwrap();
    assert_eq!((&answer["statusCode"], &answer["body"]), (&json!(200), &json!("/v1/users/E1001")));
}

#[tokio::test]
async fn a_batch_is_answered_with_the_records_to_deliver_again() {
    let failed = json!([{"itemIdentifier": {"partition": "user.enrichment.requested-0", "offset": 16}}]);
    for (offset, failures) in [(16, failed), (-1, json!([]))] {
        assert_eq!(answer(&Topic(offset), BATCH, 1).await, Ok(json!({ "batchItemFailures": failures })));
    }
}

#[tokio::test]
async fn a_tick_of_either_kind_of_schedule_is_done_or_failed() {
    for source in ["aws.events", "aws.scheduler"] {
        assert_eq!(answer(&Timer, &tick(source), 5).await, Ok(Value::Null));
        assert_eq!(answer(&Timer, &tick(source), 1).await, Err("too late".to_owned()));
    }
    let sample = include_str!("../../../events/canary/tick.json");
    assert_eq!(answer(&Timer, sample, 5).await, Ok(Value::Null));
    assert!(answer(&Timer, &tick("aws.s3"), 5).await.is_err());
}

#[tokio::test]
async fn a_function_may_have_a_topic_and_a_schedule() {
    let empty = json!({"batchItemFailures": []});
    assert_eq!(answer(&TopicAndTimer, BATCH, 5).await, Ok(empty.clone()));
    assert_eq!(answer(&TopicAndTimer, &tick("aws.events"), 5).await, Ok(empty));
    assert_eq!(answer(&TopicAndTimer, &tick("aws.events"), 1).await, Err("too late".to_owned()));
}

#[tokio::test]
async fn what_another_service_sends_is_an_error() {
    for payload in ["{}", "[]", "7", "", &tick("aws.events")] {
        assert!(answer(&Http, payload, 1).await.is_err(), "{payload}");
        assert!(answer(&Topic(0), payload, 1).await.is_err(), "{payload}");
    }
    assert!(answer(&TopicAndTimer, "{}", 5).await.is_err());
}

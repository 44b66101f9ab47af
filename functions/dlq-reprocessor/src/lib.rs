//! MSK `user.enrichment.failed`: parks each dead letter where a person can see it, and tells its request. Every minute:
//! goes on with the letters whose time has come.

use aws::Aws;
use dlq::{DeadLetter, Park, Redrive, RunJobs, Sweep, Swept, WentThrough};
use jiff::Timestamp;
use kafka::Producer;
use lambda_runtime::LambdaEvent;
use onboarding::{FailRequest, FindRequest, Outcome, store};
use runtime::{
    Clock, ConfigError, Vars,
    batch::{self, BatchResponse, Deadline, Retry},
    event::{KafkaEvent, Record},
    telemetry,
};
use serde::{Deserialize, Serialize};
use tracing::Instrument;

pub const NAME: &str = "dlq-reprocessor";

/// Letters are four table writes each.
const CONCURRENCY: usize = 16;

#[derive(Debug, Clone)]
pub struct Function {
    park: Park,
    redrive: Redrive,
    sweep: Sweep,
    requests: FindRequest,
    fail_request: FailRequest,
    clock: Clock,
}

/// What it is invoked with.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
pub enum Event {
    Failed(KafkaEvent),
    Tick(Tick),
}

/// EventBridge's event of a schedule, as far as it is needed.
/// <https://docs.aws.amazon.com/eventbridge/latest/ref/overiew-event-structure.html>
#[derive(Debug, Deserialize)]
pub struct Tick {
    #[serde(rename = "source")]
    _source: Source,
}

#[derive(Debug, Deserialize)]
enum Source {
    /// A rule's.
    #[serde(rename = "aws.events")]
    Events,
    /// EventBridge Scheduler's.
    #[serde(rename = "aws.scheduler")]
    Scheduler,
}

#[derive(Debug, Serialize)]
#[serde(untagged)]
pub enum Answer {
    Batch(BatchResponse),
    Swept(Swept),
}

impl Function {
    pub fn from_vars(vars: &Vars, clock: Clock) -> Result<Self, ConfigError> {
        let aws = Aws::from_vars(vars)?;
        let letters = dlq::Store::from_vars(vars, &aws)?;
        let requests = onboarding::Store::from_vars(vars, &aws)?;
        let redrive = Redrive::new(letters.clone(), Producer::from_vars(vars, &aws, clock)?, clock);
        let jobs = RunJobs::new(letters.clone(), redrive.clone(), clock);
        Ok(Self {
            park: Park::new(letters.clone(), clock),
            sweep: Sweep::new(letters, redrive.clone(), jobs, clock),
            redrive,
            requests: FindRequest::new(requests.clone()),
            fail_request: FailRequest::new(requests, clock),
            clock,
        })
    }

    /// To be awaited before the process ends.
    pub async fn flush(&self) {
        self.redrive.flush().await;
    }

    /// # Errors
    /// When a sweep can't read what is due: Lambda runs it again, and the next minute does in any case.
    pub async fn handle(&self, event: LambdaEvent<Event>) -> Result<Answer, dlq::Error> {
        let LambdaEvent { payload, context } = event;
        let deadline = Deadline::after(self.clock.until(context.deadline));
        let span = telemetry::invocation(NAME, &context);
        match payload {
            Event::Failed(event) => {
                let batch = batch::process(event.into_records(), CONCURRENCY, deadline, |record| {
                    self.reprocess(record)
                });
                Ok(Answer::Batch(batch.instrument(span).await))
            }
            Event::Tick(_) => {
                let sweep =
                    self.sweep.run(deadline.stop_starting, |correlation, employee, event| async move {
                        let enriched = self.requests.enriched(&correlation, &employee, &event).await?;
                        Ok::<_, store::Error>(enriched.map(went_through))
                    });
                Ok(Answer::Swept(sweep.instrument(span).await?))
            }
        }
    }

    /// The letters first: what a person needs must not wait for what a program asks.
    async fn reprocess(&self, record: Record) -> Result<(), Retry> {
        for letter in self.park.park(record).await? {
            self.tell_request(letter).await?;
        }
        Ok(())
    }

    async fn tell_request(&self, letter: DeadLetter) -> Result<(), Retry> {
        let DeadLetter { correlation_id, employee_id, event_id, reason, message, .. } = letter;
        // A record that did not come through the webhook has no request.
        let (Some(correlation_id), Some(employee_id), Some(event_id)) =
            (correlation_id, employee_id, event_id)
        else {
            return Ok(());
        };
        let told = self.fail_request.fail(&correlation_id, employee_id, event_id, reason, message).await;
        told.map_err(|error| {
            let error = telemetry::chain(&error);
            tracing::error!(error, "the request could not be marked as failed; the record is reported back");
            Retry
        })
    }
}

fn went_through((outcome, at): (Outcome, Timestamp)) -> WentThrough {
    match outcome {
        Outcome::Applied => WentThrough::Applied { at },
        Outcome::Duplicate => WentThrough::Duplicate,
        Outcome::Superseded => WentThrough::Superseded,
    }
}

//! MSK `user.enrichment.failed`: parks each dead letter where a person can see it, and tells its request. Every minute:
//! goes on with the letters whose time has come.

use aws::Aws;
use cache::Cache;
use dlq::{DeadLetter, Forget, Park, Redrive, RunJobs, Sweep, Swept};
use kafka::Producer;
use lambda_runtime::LambdaEvent;
use onboarding::{FailRequest, FailedEvent, FindRequest};
use runtime::{
    Clock, ConfigError, Vars,
    batch::{self, BatchResponse, Deadline},
    event::KafkaEvent,
    record::{Record, Retry},
    schedule::Tick,
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
    forget: Forget,
    people: onboarding::Store,
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

#[derive(Debug, Serialize)]
#[serde(untagged)]
pub enum Answer {
    Batch(BatchResponse),
    Swept(Swept),
}

impl Function {
    pub fn from_vars(vars: &Vars, clock: Clock) -> Result<Self, ConfigError> {
        let aws = Aws::from_vars(vars)?;
        let cache = Cache::from_vars(vars, &aws)?;
        let letters = dlq::Store::from_vars(vars, &aws)?;
        let people = onboarding::Store::from_vars(vars, &aws)?;
        let redrive = Redrive::new(letters.clone(), Producer::from_vars(vars, &aws, clock)?, clock);
        let jobs = RunJobs::new(letters.clone(), redrive.clone(), clock);
        Ok(Self {
            park: Park::new(letters.clone(), clock),
            sweep: Sweep::new(letters.clone(), redrive.clone(), jobs, clock),
            forget: Forget::new(letters, clock),
            redrive,
            requests: FindRequest::new(people.clone()),
            fail_request: FailRequest::new(people.clone(), cache, clock),
            people,
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
                        self.requests.enriched(&correlation, &employee, &event).await
                    });
                Ok(Answer::Swept(sweep.instrument(span).await?))
            }
        }
    }

    /// The letters first: what a person needs must not wait for what a program asks.
    async fn reprocess(&self, record: Record) -> Result<(), Retry> {
        for letter in self.park.park(record).await? {
            self.forget_with_person(&letter).await?;
            self.tell_request(letter).await?;
        }
        Ok(())
    }

    /// A record may come here after the command to forget its person was carried out.
    async fn forget_with_person(&self, letter: &DeadLetter) -> Result<(), Retry> {
        let Some(employee_id) = &letter.employee_id else { return Ok(()) };
        let person = self.people.person(employee_id).await;
        let person = person.map_err(|error| {
            report(&error, "it is not known whether a letter is to be forgotten; the record is reported back")
        })?;
        let Some(forgotten) = person.and_then(|person| person.forgotten) else { return Ok(()) };
        let done = self.forget.letter(letter, forgotten.received_at).await;
        done.map_err(|error| report(&error, "a letter could not be forgotten; the record is reported back"))
    }

    async fn tell_request(&self, letter: DeadLetter) -> Result<(), Retry> {
        let DeadLetter { correlation_id, employee_id, event_id, reason, message, life, .. } = letter;
        // A record that did not come through the webhook has no request.
        let (Some(correlation_id), Some(employee_id), Some(event_id)) =
            (correlation_id, employee_id, event_id)
        else {
            return Ok(());
        };
        let next_attempt = life.due_at;
        let failed = FailedEvent { correlation_id, employee_id, event_id, reason, message, next_attempt };
        let told = self.fail_request.fail(failed).await;
        told.map_err(|error| {
            report(&error, "the request could not be marked as failed; the record is reported back")
        })
    }
}

fn report(error: &(dyn std::error::Error + 'static), what: &'static str) -> Retry {
    tracing::error!(error = telemetry::chain(error), "{what}");
    Retry
}

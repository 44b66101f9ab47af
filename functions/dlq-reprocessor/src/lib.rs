//! MSK `user.enrichment.failed`: parks each dead letter where a person can see it, and tells its request. Every minute:
//! goes on with the letters whose time has come.

use aws::Aws;
use cache::Cache;
use dlq::{DeadLetter, Forget, Park, Redrive, RunJobs, Sweep};
use facts::Publisher;
use kafka::Producer;
use lambda::{BatchOrTick, BatchResponse, Error};
use onboarding::{FailRequest, FailedEvent, FindRequest};
use runtime::{
    Clock, ConfigError, Vars,
    record::{Record, Retry},
    telemetry,
};

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
}

impl lambda::Function for Function {
    const NAME: &'static str = env!("CARGO_PKG_NAME");
    type Event = BatchOrTick;

    fn from_vars(vars: &Vars, clock: Clock) -> Result<Self, ConfigError> {
        let aws = Aws::from_vars(vars)?;
        let cache = Cache::from_vars(vars, &aws)?;
        let letters = dlq::Store::from_vars(vars, &aws)?;
        let people = onboarding::Store::from_vars(vars, &aws)?;
        let producer = Producer::from_vars(vars, &aws, clock)?;
        let redrive = Redrive::new(letters.clone(), producer.clone(), clock);
        let facts = Publisher::new(people.outbox(), producer);
        let jobs = RunJobs::new(letters.clone(), redrive.clone(), clock);
        Ok(Self {
            park: Park::new(letters.clone(), clock),
            sweep: Sweep::new(letters.clone(), redrive.clone(), jobs, clock),
            forget: Forget::new(letters, clock),
            redrive,
            requests: FindRequest::new(people.clone()),
            fail_request: FailRequest::new(people.clone(), cache, facts, clock),
            people,
        })
    }

    /// # Errors
    /// When a sweep can't read what is due: Lambda runs it again, and the next minute does in any case.
    async fn handle(&self, event: BatchOrTick) -> Result<BatchResponse, Error> {
        match event {
            BatchOrTick::Batch(batch) => {
                let response = batch.process(CONCURRENCY, |record| self.reprocess(record)).await;
                self.fail_request.clear().await;
                Ok(response)
            }
            BatchOrTick::Tick(tick) => {
                let went_through = |correlation, employee, event| async move {
                    self.requests.enriched(&correlation, &employee, &event).await
                };
                self.sweep.run(tick.deadline.stop_starting, went_through).await?;
                Ok(BatchResponse::default())
            }
        }
    }

    async fn flush(&self) {
        self.redrive.flush().await;
    }
}

impl Function {
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
        let redrives = life.redrives;
        let failed =
            FailedEvent { correlation_id, employee_id, event_id, reason, message, redrives, next_attempt };
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

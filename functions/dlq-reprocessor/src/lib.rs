//! MSK `user.enrichment.failed`: parks each dead letter where a person can see it, and tells its request.

use std::convert::Infallible;

use aws::Aws;
use dlq::{DeadLetter, Park};
use lambda_runtime::LambdaEvent;
use onboarding::FailRequest;
use runtime::{
    Clock, ConfigError, Vars,
    batch::{self, BatchResponse, Deadline, Retry},
    event::{KafkaEvent, Record},
    telemetry,
};
use tracing::Instrument;

pub const NAME: &str = "dlq-reprocessor";

/// Letters are two table writes each.
const CONCURRENCY: usize = 16;

#[derive(Debug, Clone)]
pub struct Function {
    park: Park,
    fail_request: FailRequest,
    clock: Clock,
}

impl Function {
    pub fn from_vars(vars: &Vars, clock: Clock) -> Result<Self, ConfigError> {
        let aws = Aws::from_vars(vars)?;
        Ok(Self {
            park: Park::new(dlq::Store::from_vars(vars, &aws)?, clock),
            fail_request: FailRequest::new(onboarding::Store::from_vars(vars, &aws)?, clock),
            clock,
        })
    }

    pub async fn handle(&self, event: LambdaEvent<KafkaEvent>) -> Result<BatchResponse, Infallible> {
        let LambdaEvent { payload, context } = event;
        let deadline = Deadline::after(self.clock.until(context.deadline));
        let records = payload.into_records();
        let batch = batch::process(records, CONCURRENCY, deadline, |record| self.reprocess(record));
        Ok(batch.instrument(telemetry::invocation(NAME, &context)).await)
    }

    /// The letter first: what a person needs must not wait for what a program asks.
    async fn reprocess(&self, record: Record) -> Result<(), Retry> {
        let letter = self.park.park(record).await?;
        self.tell_request(letter).await
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

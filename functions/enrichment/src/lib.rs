//! MSK `user.enrichment.requested`: enriches each person from Okta and stores them.

use std::convert::Infallible;

use aws::Aws;
use cache::Cache;
use kafka::Producer;
use lambda_runtime::LambdaEvent;
use onboarding::{RetryPolicy, Store, enrich::Enrich};
use runtime::{
    Clock, ConfigError, Vars,
    batch::{self, BatchResponse, Deadline},
    event::KafkaEvent,
    telemetry,
};
use tracing::Instrument;

pub const NAME: &str = "enrichment";

#[derive(Debug, Clone)]
pub struct Function {
    enrich: Enrich,
    /// `ENRICHMENT_CONCURRENCY` (16): how many people are asked for at once; Okta limits it too.
    concurrency: usize,
}

impl Function {
    pub fn from_vars(vars: &Vars, clock: Clock) -> Result<Self, ConfigError> {
        let aws = Aws::from_vars(vars)?;
        Self::new(vars, clock, Cache::from_vars(vars, &aws)?, &aws)
    }

    /// Shares a cache with other functions of the process, so that each sees what the others invalidate.
    pub fn with_cache(vars: &Vars, clock: Clock, cache: Cache) -> Result<Self, ConfigError> {
        Self::new(vars, clock, cache, &Aws::from_vars(vars)?)
    }

    fn new(vars: &Vars, clock: Clock, cache: Cache, aws: &Aws) -> Result<Self, ConfigError> {
        let enrich = Enrich {
            store: Store::from_vars(vars, aws)?,
            cache,
            okta: okta::Client::from_vars(vars, aws, clock)?,
            producer: Producer::from_vars(vars, aws, clock)?,
            retry: RetryPolicy::from_vars(vars)?,
            clock,
        };
        Ok(Self { enrich, concurrency: vars.parse_or("ENRICHMENT_CONCURRENCY", 16, "a number of people")? })
    }

    /// To be awaited before the process ends.
    pub async fn flush(&self) {
        self.enrich.producer.flush(kafka::SHUTDOWN_LIMIT).await;
    }

    pub async fn handle(&self, event: LambdaEvent<KafkaEvent>) -> Result<BatchResponse, Infallible> {
        let LambdaEvent { payload, context } = event;
        let deadline = Deadline::after(self.enrich.clock.until(context.deadline));
        let batch = batch::process(payload.into_records(), self.concurrency, deadline, |record| {
            self.enrich.enrich(record, deadline.give_up)
        });
        Ok(batch.instrument(telemetry::invocation(NAME, &context)).await)
    }
}

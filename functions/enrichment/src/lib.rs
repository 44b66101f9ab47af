//! MSK `user.enrichment.requested`: enriches each person from Okta and stores them.

use std::convert::Infallible;

use cache::Cache;
use kafka::Producer;
use lambda_runtime::LambdaEvent;
use onboarding::{RetryPolicy, Store, enrich::Enrich};
use runtime::{
    Clock, ConfigError, Vars,
    batch::{self, BatchResponse, Limits},
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
        let enrich = Enrich {
            store: Store::from_vars(vars)?,
            cache: Cache::from_vars(vars)?,
            okta: okta::Client::from_vars(vars, clock)?,
            producer: Producer::from_vars(vars)?,
            retry: RetryPolicy::from_vars(vars)?,
            clock,
        };
        Ok(Self { enrich, concurrency: vars.parse_or("ENRICHMENT_CONCURRENCY", 16, "a number of people")? })
    }

    /// Shares a cache with other functions of the process, so that each sees what the others invalidate.
    #[must_use]
    pub fn with_cache(mut self, cache: Cache) -> Self {
        self.enrich.cache = cache;
        self
    }

    pub async fn handle(&self, event: LambdaEvent<KafkaEvent>) -> Result<BatchResponse, Infallible> {
        let LambdaEvent { payload, context } = event;
        let limits = Limits::until(self.enrich.clock.until(context.deadline), self.concurrency);
        let batch = batch::process(payload.into_records(), limits, |record| {
            self.enrich.enrich(record, limits.stop_starting)
        });
        Ok(batch.instrument(telemetry::invocation(NAME, &context)).await)
    }
}

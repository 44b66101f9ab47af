//! MSK `user.enrichment.requested`: enriches each person from Okta and stores them.

use aws::Aws;
use cache::Cache;
use facts::Publisher;
use kafka::Producer;
use lambda::{Batch, BatchResponse, Deadline};
use onboarding::{
    CompletionTimes, OktaHealth, RetryPolicy, Store, breakers,
    enrich::{AskUntil, Enrich, Enriched, Turns},
};
use runtime::{
    Clock, ConfigError, Vars,
    record::{Record, Retry},
    telemetry,
};

#[derive(Debug, Clone)]
pub struct Function {
    enrich: Enrich,
    letters: dlq::Store,
    /// What a person's dead letters hold is forgotten with the person.
    forget_letters: dlq::Forget,
}

impl lambda::Function for Function {
    const NAME: &'static str = env!("CARGO_PKG_NAME");
    type Event = Batch;

    fn from_vars(vars: &Vars, clock: Clock) -> Result<Self, ConfigError> {
        let aws = Aws::from_vars(vars)?;
        let cache = Cache::from_vars(vars, &aws)?;
        let store = Store::from_vars(vars, &aws)?;
        let producer = Producer::from_vars(vars, &aws, clock)?;
        let enrich = Enrich {
            okta_health: OktaHealth::new(cache.clone(), clock),
            times: CompletionTimes::new(cache.clone(), clock),
            breaker: breakers::okta(vars, cache.clone(), clock)?,
            cache,
            okta: okta::Client::from_vars(vars, &aws, clock)?,
            turns: Turns::from_vars(vars)?,
            facts: Publisher::new(store.outbox(), producer.clone()),
            store,
            producer,
            retry: RetryPolicy::from_vars(vars)?,
            clock,
        };
        let letters = dlq::Store::from_vars(vars, &aws, enrich.producer.clone())?;
        Ok(Self { enrich, forget_letters: dlq::Forget::new(letters.clone(), clock), letters })
    }

    async fn handle(&self, batch: Batch) -> BatchResponse {
        let Deadline { stop_starting, give_up, cut_off } = batch.deadline;
        let until = AskUntil { stop_starting, give_up };
        // All at once: how many people Okta is asked for is bounded by `Turns`, and memory by what a batch may hold.
        let concurrency = batch.records.len();
        let enrich = self.enrich.for_invocation();
        let response = batch.process(concurrency, |record| self.enrich(&enrich, record, until)).await;
        enrich.facts.end_invocation(cut_off).await;
        self.letters.end_invocation(cut_off).await;
        response
    }

    async fn flush(&self) {
        self.enrich.producer.flush(kafka::SHUTDOWN_LIMIT).await;
    }
}

impl Function {
    async fn enrich(&self, enrich: &Enrich, record: Record, until: AskUntil) -> Result<(), Retry> {
        match enrich.enrich(&record, until).await? {
            Enriched::Applied | Enriched::DeadLetter => Ok(()),
            Enriched::Forgotten(forgotten) => {
                let letters =
                    self.forget_letters.forget(forgotten.employee_id(), forgotten.received_at()).await;
                letters.map_err(|error| {
                    let error = telemetry::chain(&error);
                    tracing::error!(
                        error,
                        "a person's letters were not forgotten; the record is reported back"
                    );
                    Retry
                })?;
                enrich.end_forgetting(&forgotten).await
            }
        }
    }
}

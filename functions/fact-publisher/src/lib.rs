//! Every minute: publishes the facts that the functions which wrote them have left, and goes on with jobs on facts.

use aws::Aws;
use facts::{Outbox, Sweep};
use jobs::Jobs;
use kafka::Producer;
use lambda::{Error, Tick};
use onboarding::{Republish, Store};
use runtime::{Clock, ConfigError, Vars};

#[derive(Debug, Clone)]
pub struct Function {
    sweep: Sweep,
    republish: Republish,
    producer: Producer,
}

impl lambda::Function for Function {
    const NAME: &'static str = env!("CARGO_PKG_NAME");
    type Event = Tick;

    fn from_vars(vars: &Vars, clock: Clock) -> Result<Self, ConfigError> {
        let aws = Aws::from_vars(vars)?;
        let producer = Producer::from_vars(vars, &aws, clock)?;
        let outboxes = Outbox::all_from_vars(vars, &aws)?;
        let jobs = Jobs::new(facts::jobs_from_vars(vars, &aws)?, clock);
        Ok(Self {
            sweep: Sweep::new(outboxes, &producer, clock),
            republish: Republish::new(Store::from_vars(vars, &aws)?, producer.clone(), jobs),
            producer,
        })
    }

    /// # Errors
    /// When an outbox or the jobs can't be read: the next minute does the same.
    async fn handle(&self, tick: Tick) -> Result<(), Error> {
        let stop_starting = tick.deadline.stop_starting;
        // Boxed: the compiler follows a future's layout only so deep.
        Box::pin(self.sweep.run(stop_starting)).await?;
        Box::pin(self.republish.run_all(stop_starting)).await?;
        Ok(())
    }

    async fn flush(&self) {
        self.producer.flush(kafka::SHUTDOWN_LIMIT).await;
    }
}

//! Every minute: publishes the facts that the functions which wrote them have left.

use aws::Aws;
use facts::{Outbox, Sweep};
use kafka::Producer;
use lambda::{Error, Tick};
use runtime::{Clock, ConfigError, Vars};

#[derive(Debug, Clone)]
pub struct Function {
    sweep: Sweep,
    producer: Producer,
}

impl lambda::Function for Function {
    const NAME: &'static str = env!("CARGO_PKG_NAME");
    type Event = Tick;

    fn from_vars(vars: &Vars, clock: Clock) -> Result<Self, ConfigError> {
        let aws = Aws::from_vars(vars)?;
        let producer = Producer::from_vars(vars, &aws, clock)?;
        let outboxes = Outbox::all_from_vars(vars, &aws)?;
        Ok(Self { sweep: Sweep::new(outboxes, &producer, clock), producer })
    }

    /// # Errors
    /// When an outbox can't be read: the next minute does the same.
    async fn handle(&self, tick: Tick) -> Result<(), Error> {
        self.sweep.run(tick.deadline.stop_starting).await?;
        Ok(())
    }

    async fn flush(&self) {
        self.producer.flush(kafka::SHUTDOWN_LIMIT).await;
    }
}

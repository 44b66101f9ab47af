//! MSK, each failed topic: parks each dead letter where a person can see it, and tells the feature whose it is. Every
//! minute: goes on with the letters whose time has come.

use std::sync::Arc;

use aws::Aws;
use dlq::{Redrive, Reprocess, RunJobs, Store, Sweep};
use kafka::Producer;
use lambda::{BatchOrTick, BatchResponse, Error};
use onboarding::FollowLetters;
use recovery::{Features, Follow};
use runtime::{Clock, ConfigError, Vars};

/// Letters are four table writes each.
const CONCURRENCY: usize = 16;

#[derive(Debug, Clone)]
pub struct Function {
    letters: Store,
    reprocess: Reprocess,
    redrive: Redrive,
    sweep: Sweep,
}

impl lambda::Function for Function {
    const NAME: &'static str = env!("CARGO_PKG_NAME");
    type Event = BatchOrTick;

    fn from_vars(vars: &Vars, clock: Clock) -> Result<Self, ConfigError> {
        let aws = Aws::from_vars(vars)?;
        let producer = Producer::from_vars(vars, &aws, clock)?;
        let letters = Store::from_vars(vars, &aws, producer.clone())?;
        let features: Arc<Features<dyn Follow>> = Arc::new(Features::new([Box::new(
            FollowLetters::from_vars(vars, &aws, producer.clone(), clock)?,
        )]));
        let redrive = Redrive::new(letters.clone(), producer, clock);
        let jobs = RunJobs::new(letters.clone(), redrive.clone(), clock);
        Ok(Self {
            reprocess: Reprocess::new(letters.clone(), Arc::clone(&features), clock),
            sweep: Sweep::new(letters.clone(), redrive.clone(), jobs, features, clock),
            letters,
            redrive,
        })
    }

    /// # Errors
    /// When a sweep can't read what is due: Lambda runs it again, and the next minute does in any case.
    async fn handle(&self, event: BatchOrTick) -> Result<BatchResponse, Error> {
        let (outcome, cut_off) = match event {
            BatchOrTick::Batch(batch) => {
                let cut_off = batch.deadline.cut_off;
                let response = batch.process(CONCURRENCY, |record| self.reprocess.reprocess(record)).await;
                self.reprocess.end_invocation(cut_off).await;
                (Ok(response), cut_off)
            }
            BatchOrTick::Tick(tick) => {
                let swept = self.sweep.run(tick.deadline.stop_starting).await;
                (swept.map(|_swept| BatchResponse::default()).map_err(Into::into), tick.deadline.cut_off)
            }
        };
        self.letters.end_invocation(cut_off).await;
        outcome
    }

    async fn flush(&self) {
        self.redrive.flush().await;
    }
}

//! EventBridge's schedules: each invokes its function asynchronously, as rules and the Scheduler do.
//!
//! - The first tick comes one interval after the start: a rate counts from when its schedule was made.
//! - An invocation doesn't wait for the one before it. AWS promises no less than one invocation a tick, and nothing
//!   that keeps two apart, so neither does this: a function whose runs may take longer than the interval has to bear
//!   its own company. <https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-error-handling.html>
//! - One that fails is tried again with the same event, a minute later and then two, as often as the template says
//!   (`EventInvokeConfig`; Lambda's default is two). Then it is given up, and logged.

use std::time::Duration;

use anyhow::ensure;
use runtime::Clock;
use serde_json::json;
use tokio::{
    sync::watch,
    task::{JoinHandle, JoinSet},
    time::{self, Instant, MissedTickBehavior},
};

use crate::{
    function::Function,
    phase::{Phase, until},
    template::{ACCOUNT, REGION, Schedule, Scheduler},
};

/// All that run.
#[derive(Default)]
pub(crate) struct Schedules {
    all: Vec<Timer>,
    running: Vec<JoinHandle<()>>,
}

/// A function and when it is invoked.
#[derive(Clone)]
pub(crate) struct Timer {
    pub(crate) schedule: Schedule,
    pub(crate) function: Function,
    /// Beyond the first attempt.
    pub(crate) retries: u32,
    pub(crate) clock: Clock,
}

impl Schedules {
    pub(crate) fn start(&mut self, timer: Timer, phase: &watch::Receiver<Phase>) {
        self.running.push(tokio::spawn(timer.clone().run(phase.clone())));
        self.all.push(timer);
    }

    /// Invokes the function once for each schedule that it has, whatever the time.
    pub(crate) async fn tick(&self, function: &str) -> anyhow::Result<()> {
        let its: Vec<_> = self.all.iter().filter(|timer| timer.function.name == function).collect();
        ensure!(!its.is_empty(), "{function} has no schedule");
        for timer in its {
            timer.function.invoke(timer.event()).await?;
        }
        Ok(())
    }

    /// Waits for the invocations that are under way when draining begins.
    pub(crate) async fn stop(self) {
        for running in self.running {
            // A panic is that of an invocation, which has told of it.
            drop(running.await);
        }
    }
}

impl Timer {
    async fn run(self, phase: watch::Receiver<Phase>) {
        let interval = self.schedule.rate.interval();
        let mut ticks = time::interval_at(Instant::now() + interval, interval);
        // A laptop that slept has missed its ticks.
        ticks.set_missed_tick_behavior(MissedTickBehavior::Skip);
        let mut draining = std::pin::pin!(until(&phase, Phase::Draining));
        let mut under_way = JoinSet::new();
        loop {
            tokio::select! {
                _ = ticks.tick() => {
                    under_way.spawn(self.clone().deliver(self.event(), phase.clone()));
                }
                Some(_ended) = under_way.join_next() => {}
                () = &mut draining => break,
            }
        }
        while under_way.join_next().await.is_some() {}
    }

    /// Until it succeeds or is given up.
    async fn deliver(self, event: Vec<u8>, phase: watch::Receiver<Phase>) {
        let (function, schedule) = (self.function.name.as_str(), self.schedule.name.as_str());
        for attempt in 0..=self.retries {
            let Err(error) = self.function.invoke(event.clone()).await else { return };
            let error = format!("{error:#}");
            tracing::error!(function, schedule, attempt, error, "a scheduled invocation failed");
            if attempt == self.retries {
                break;
            }
            tokio::select! {
                () = time::sleep(Duration::from_mins(1) * (attempt + 1)) => {}
                () = until(&phase, Phase::Draining) => break,
            }
        }
        tracing::error!(function, schedule, "a scheduled event was given up");
    }

    /// <https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-run-lambda-schedule.html>,
    /// <https://docs.aws.amazon.com/lambda/latest/dg/with-eventbridge-scheduler.html>
    fn event(&self) -> Vec<u8> {
        if let Some(input) = &self.schedule.input {
            return input.clone().into_bytes();
        }
        let name = &self.schedule.name;
        let (source, resource, detail) = match self.schedule.service {
            Scheduler::Rule => ("aws.events", format!("events:{REGION}:{ACCOUNT}:rule/{name}"), json!({})),
            Scheduler::EventBridgeScheduler => (
                "aws.scheduler",
                format!("scheduler:{REGION}:{ACCOUNT}:schedule/default/{name}"),
                // Text: this service leaves it to the function to read it.
                json!("{}"),
            ),
        };
        let event = json!({
            "version": "0",
            "id": self.clock.new_id().to_string(),
            "detail-type": "Scheduled Event",
            "source": source,
            "account": ACCOUNT,
            "time": self.clock.now().strftime("%Y-%m-%dT%H:%M:%SZ").to_string(),
            "region": REGION,
            "resources": [format!("arn:aws:{resource}")],
            "detail": detail,
        });
        event.to_string().into_bytes()
    }
}

#[cfg(test)]
mod tests;

//! EventBridge's schedules.

use lambda_runtime::{Context, Error, LambdaEvent};
use runtime::{Clock, event::KafkaEvent};
use serde::{Deserialize, Serialize};
use tracing::Instrument;

use crate::{
    batch::{Batch, BatchResponse},
    deadline::Deadline,
    function::{Event, Function},
    span::invocation,
};

/// It is time again.
#[derive(Debug)]
pub struct Tick {
    pub deadline: Deadline,
}

/// For a function that a topic and a schedule invoke.
#[derive(Debug)]
pub enum BatchOrTick {
    Batch(Batch),
    Tick(Tick),
}

/// EventBridge's event of a schedule, as far as it is needed.
/// <https://docs.aws.amazon.com/eventbridge/latest/ref/overiew-event-structure.html>
#[derive(Debug, Deserialize)]
pub struct ScheduledEvent {
    #[serde(rename = "source")]
    _source: Source,
}

#[derive(Debug, Deserialize)]
enum Source {
    /// A rule's.
    #[serde(rename = "aws.events")]
    Events,
    /// EventBridge Scheduler's.
    #[serde(rename = "aws.scheduler")]
    Scheduler,
}

#[derive(Debug, Deserialize)]
#[serde(untagged)]
pub enum KafkaOrScheduledEvent {
    Kafka(KafkaEvent),
    Scheduled(ScheduledEvent),
}

impl Tick {
    fn of(context: &Context, clock: Clock) -> Self {
        Self { deadline: Deadline::of(context, clock) }
    }
}

impl Event for Tick {
    type Payload = ScheduledEvent;

    /// An error is an invocation that failed: Lambda tries again as often as the template says, and the next tick comes in
    /// any case.
    type Answer = Result<(), Error>;

    async fn invoke<F: Function<Event = Self>>(
        function: &F,
        event: LambdaEvent<ScheduledEvent>,
        clock: Clock,
    ) -> Result<impl Serialize + Send, Error> {
        let tick = Self::of(&event.context, clock);
        function.handle(tick).instrument(invocation(F::NAME, &event.context)).await
    }
}

impl Event for BatchOrTick {
    type Payload = KafkaOrScheduledEvent;

    /// To a tick the response says nothing.
    type Answer = Result<BatchResponse, Error>;

    async fn invoke<F: Function<Event = Self>>(
        function: &F,
        event: LambdaEvent<KafkaOrScheduledEvent>,
        clock: Clock,
    ) -> Result<impl Serialize + Send, Error> {
        let LambdaEvent { payload, context } = event;
        let event = match payload {
            KafkaOrScheduledEvent::Kafka(event) => Self::Batch(Batch::of(event, &context, clock)),
            KafkaOrScheduledEvent::Scheduled(_) => Self::Tick(Tick::of(&context, clock)),
        };
        function.handle(event).instrument(invocation(F::NAME, &context)).await
    }
}

//! The event of a schedule.

use serde::Deserialize;

/// EventBridge's, as far as it is needed: that it is one.
/// <https://docs.aws.amazon.com/eventbridge/latest/ref/overiew-event-structure.html>
#[derive(Debug, Deserialize)]
pub struct Tick {
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

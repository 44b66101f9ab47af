#![doc = include_str!("../README.md")]

mod config;
mod export;
mod layer;
mod message;
mod span;

use contracts::TraceParent;
use runtime::{Clock, ConfigError, Vars, telemetry::BoxLayer};
use tracing::{Span, dispatcher};
use tracing_subscriber::{Layer as _, Registry, registry::LookupSpan};

use self::span::Context;
pub use self::{config::Config, layer::Layer};

/// The layer that takes part in the process's subscriber; `None` where nobody wants traces.
pub fn layer(vars: &Vars, clock: Clock) -> Result<Option<BoxLayer>, ConfigError> {
    Ok(Config::from_vars(vars)?.map(|config| Layer::new(config, clock).boxed()))
}

/// Sends the spans that have ended. To be awaited at the end of an invocation, as Lambda freezes the process then.
pub async fn flush() {
    let layer = dispatcher::get_default(|dispatch| dispatch.downcast_ref::<Layer>().cloned());
    if let Some(layer) = layer {
        layer.flush().await;
    }
}

/// What a message that is sent now says of the span that sends it; `None` where nothing is recorded.
pub fn traceparent() -> Option<TraceParent> {
    traceparent_of(&Span::current())
}

/// The same of another span, or of the one around it.
pub fn traceparent_of(span: &Span) -> Option<TraceParent> {
    let found = span.with_subscriber(|(id, dispatch)| {
        let span = dispatch.downcast_ref::<Registry>()?.span(id)?;
        span.scope().find_map(|span| span.extensions().get::<Context>().copied())
    });
    found.flatten().and_then(Context::traceparent)
}

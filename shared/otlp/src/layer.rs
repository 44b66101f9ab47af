//! Takes part in the subscriber, and keeps the spans that have ended until they are sent.

use std::{
    mem,
    sync::{Arc, Mutex, MutexGuard},
};

use runtime::Clock;
use tracing::{
    Subscriber,
    span::{Attributes, Id, Record},
};
use tracing_subscriber::{
    layer,
    registry::{LookupSpan, SpanRef},
};

use crate::{
    config::Config,
    export::Exporter,
    span::{Context, Ended, Fields, Kind, Open},
};

/// What waits at most: an invocation has some hundreds. Beyond, spans are dropped.
const MAX_WAITING: usize = 8_192;

/// Cheap to clone.
#[derive(Debug, Clone)]
pub struct Layer(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    ended: Mutex<Vec<Ended>>,
    exporter: Exporter,
    clock: Clock,
}

/// Of a span that names its service.
struct Service(String);

impl Layer {
    pub fn new(config: Config, clock: Clock) -> Self {
        let exporter = Exporter::new(config, clock);
        Self(Arc::new(Shared { ended: Mutex::default(), exporter, clock }))
    }

    pub(crate) async fn flush(&self) {
        let ended = self.take();
        if !ended.is_empty() {
            self.0.exporter.export(&ended).await;
        }
    }

    pub(crate) fn take(&self) -> Vec<Ended> {
        mem::take(&mut *self.ended())
    }

    fn ended(&self) -> MutexGuard<'_, Vec<Ended>> {
        self.0.ended.lock().expect("nobody panics with it")
    }

    /// `None` where there is nothing that it could be a part of.
    fn place(&self, fields: &Fields, around: Option<Context>) -> Option<(Context, Option<u64>)> {
        let caller = fields.traceparent.as_ref();
        let caller = caller.filter(|caller| around.is_none_or(|around| around.trace_id != caller.trace_id()));
        let (trace_id, parent_id, is_sampled) = match (caller, around) {
            (Some(caller), _) => (caller.trace_id(), Some(caller.parent_id()), caller.is_sampled()),
            (None, Some(around)) => (around.trace_id, Some(around.span_id), around.is_sampled),
            (None, None) if fields.kind.is_some_and(Kind::is_asked_for) => {
                (self.0.clock.new_id().as_u128(), None, true)
            }
            (None, None) => return None,
        };
        // The later half of an id is random.
        let span_id = self.0.clock.new_id().as_u64_pair().1;
        Some((Context { trace_id, span_id, is_sampled }, parent_id))
    }
}

impl<S: Subscriber + for<'l> LookupSpan<'l>> layer::Layer<S> for Layer {
    fn on_new_span(&self, attributes: &Attributes<'_>, id: &Id, context: layer::Context<'_, S>) {
        let Some(span) = context.span(id) else { return };
        let mut fields = Fields::default();
        attributes.record(&mut fields);
        if fields.kind.is_none() {
            if let Some(service) = fields.service {
                span.extensions_mut().insert(Service(service));
            }
            return;
        }
        let Some((context, parent_id)) = self.place(&fields, around(&span)) else { return };
        let service = fields.service.take().or_else(|| service_around(&span));
        let mut extensions = span.extensions_mut();
        if let Some(service) = &service {
            extensions.insert(Service(service.clone()));
        }
        extensions.insert(context);
        if context.is_sampled {
            extensions.insert(Open { context, parent_id, service, fields, start: self.0.clock.now() });
        }
    }

    fn on_record(&self, id: &Id, values: &Record<'_>, context: layer::Context<'_, S>) {
        let Some(span) = context.span(id) else { return };
        if let Some(open) = span.extensions_mut().get_mut::<Open>() {
            values.record(&mut open.fields);
        }
    }

    fn on_close(&self, id: Id, context: layer::Context<'_, S>) {
        let Some(open) = context.span(&id).and_then(|span| span.extensions_mut().remove::<Open>()) else {
            return;
        };
        let end = self.0.clock.now();
        let mut ended = self.ended();
        if ended.len() < MAX_WAITING {
            ended.push(Ended { span: open, end });
        }
    }
}

fn around<S: for<'l> LookupSpan<'l>>(span: &SpanRef<'_, S>) -> Option<Context> {
    span.scope().skip(1).find_map(|span| span.extensions().get::<Context>().copied())
}

fn service_around<S: for<'l> LookupSpan<'l>>(span: &SpanRef<'_, S>) -> Option<String> {
    span.scope().skip(1).find_map(|span| span.extensions().get::<Service>().map(|of| of.0.clone()))
}

#[cfg(test)]
mod tests;

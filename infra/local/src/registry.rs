//! The functions, linked as libraries.

use std::sync::Arc;

use anyhow::anyhow;
use futures_util::{FutureExt, future::BoxFuture};
use lambda::Context;
use runtime::{Clock, ConfigError, Vars};

/// A function that was started, as Lambda calls it: JSON in, JSON out.
pub(crate) type Handler =
    dyn Fn(Vec<u8>, Context) -> BoxFuture<'static, anyhow::Result<Vec<u8>>> + Send + Sync;

pub(crate) struct Linked {
    pub(crate) name: &'static str,
    /// As its `main` does.
    pub(crate) start: fn(&Vars, Clock) -> Result<Arc<Handler>, ConfigError>,
}

pub(crate) const FUNCTIONS: &[Linked] = &[
    linked::<api_reference::Function>(),
    linked::<dead_letters::Function>(),
    linked::<dlq_reprocessor::Function>(),
    linked::<enrichment::Function>(),
    linked::<fact_jobs::Function>(),
    linked::<fact_publisher::Function>(),
    linked::<hr_webhook::Function>(),
    linked::<user_query::Function>(),
];

/// What has nothing to do here: `joiner probe` is the canary, and nobody deploys.
pub(crate) const ONLY_ON_AWS: &[&str] = &["canary", "pre-traffic"];

const fn linked<F: lambda::Function>() -> Linked {
    Linked { name: F::NAME, start: start::<F> }
}

fn start<F: lambda::Function>(vars: &Vars, clock: Clock) -> Result<Arc<Handler>, ConfigError> {
    let function = F::from_vars(vars, clock)?;
    Ok(Arc::new(move |payload: Vec<u8>, context: Context| {
        let function = function.clone();
        async move {
            lambda::invoke(&function, &payload, context, clock).await.map_err(|error| anyhow!(error))
        }
        .boxed()
    }))
}

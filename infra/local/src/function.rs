//! A function as the local cloud invokes it: with a deadline, and apart from others.

use std::{sync::Arc, time::Duration};

use anyhow::{Context as _, bail};
use lambda::Context;
use runtime::{Clock, Vars};

use crate::{
    registry::{FUNCTIONS, Handler, ONLY_ON_AWS},
    template::FunctionSpec,
};

/// A function that can be invoked. Cheap to clone.
#[derive(Clone)]
pub struct Function {
    pub(crate) name: String,
    timeout: Duration,
    clock: Clock,
    handler: Arc<Handler>,
}

impl Function {
    pub(crate) fn runs_here(spec: &FunctionSpec) -> bool {
        !ONLY_ON_AWS.contains(&spec.name.as_str())
    }

    /// Starts the function of that name with these variables.
    pub fn start(spec: &FunctionSpec, vars: &Vars, clock: Clock) -> anyhow::Result<Self> {
        let name = spec.name.as_str();
        let linked = FUNCTIONS.iter().find(|linked| linked.name == name);
        let linked = linked
            .with_context(|| format!("template.yaml has a function {name} that is not linked into joiner"))?;
        Ok(Self::new(name.to_owned(), spec.timeout, clock, (linked.start)(vars, clock)?))
    }

    pub(crate) fn new(name: String, timeout: Duration, clock: Clock, handler: Arc<Handler>) -> Self {
        Self { name, timeout, clock, handler }
    }

    /// One invocation. A panic and a timeout are errors of this invocation only, as in a sandbox of its own.
    pub async fn invoke(&self, payload: Vec<u8>) -> anyhow::Result<Vec<u8>> {
        let mut context = Context::default();
        context.request_id = self.clock.new_id().to_string();
        let deadline = self.clock.now() + self.timeout;
        context.deadline = u64::try_from(deadline.as_millisecond()).unwrap_or(u64::MAX);
        let invocation = tokio::spawn((self.handler)(payload, context));
        let abort = invocation.abort_handle();
        match tokio::time::timeout(self.timeout, invocation).await {
            Ok(joined) => joined.with_context(|| format!("{} crashed", self.name))?,
            Err(_elapsed) => {
                abort.abort();
                bail!("{} timed out after {:?}", self.name, self.timeout)
            }
        }
    }
}

impl std::fmt::Debug for Function {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Function").field("name", &self.name).finish_non_exhaustive()
    }
}

//! A function in this process, invoked as Lambda invokes it: JSON in, JSON out.

use std::sync::Arc;

use anyhow::{Context, Result, ensure};
use aws::Aws;
use cache::Cache;
use joiner::{Function, template::Template};
use runtime::{Clock, Vars};

use crate::{load::Client, stage::root};

#[derive(Clone)]
pub(crate) struct Handler {
    function: Arc<Function>,
    events: Arc<[Vec<u8>]>,
    /// How every answer begins.
    expected: String,
    next: usize,
}

impl Handler {
    /// With the template's variables, and these over them. Each event has to be answered with that status.
    pub(crate) fn start(name: &str, vars: &Vars, events: Vec<Vec<u8>>, status: u16) -> Result<Self> {
        let template = Template::read(&root().join("template.yaml"))?;
        let spec = template.functions.iter().find(|function| function.name == name);
        let spec = spec.with_context(|| format!("the template has no function {name}"))?;
        let mut own = Vars::from_iter(spec.variables.clone());
        own.overlay(vars);
        let cache = Cache::from_vars(&own, &Aws::from_vars(&own)?)?;
        let function = Function::start(spec, &own, &cache, Clock::system())?;
        let expected = format!("{{\"statusCode\":{status},");
        Ok(Self { function: function.into(), events: events.into(), expected, next: 0 })
    }

    /// Callers of the one function. They begin with different events.
    pub(crate) fn callers(&self, count: usize) -> Vec<Self> {
        let caller = |number| Self { next: number * self.events.len() / count, ..self.clone() };
        (0..count).map(caller).collect()
    }
}

impl Client for Handler {
    async fn call(&mut self) -> Result<()> {
        let event = self.events[self.next % self.events.len()].clone();
        self.next += 1;
        let answer = self.function.invoke(event).await?;
        ensure!(
            answer.starts_with(self.expected.as_bytes()),
            "answered {}",
            String::from_utf8_lossy(&answer)
        );
        Ok(())
    }
}

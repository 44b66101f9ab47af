//! A function in this process, invoked as Lambda invokes it: JSON in, JSON out.

use std::sync::Arc;

use anyhow::{Result, ensure};
use joiner::Function;
use runtime::{Clock, Vars};

use crate::{bootstrap, load::Client};

#[derive(Clone)]
pub(crate) struct Handler {
    function: Arc<Function>,
    events: Arc<[Vec<u8>]>,
    /// How every answer begins.
    expected: &'static str,
    next: usize,
}

impl Handler {
    /// With the template's variables, and these over them. Each answer has to begin so.
    pub(crate) fn start(
        name: &str,
        vars: &Vars,
        events: Vec<Vec<u8>>,
        expected: &'static str,
    ) -> Result<Self> {
        let spec = bootstrap::spec(name)?;
        let mut own = Vars::from_iter(spec.variables.clone());
        own.overlay(vars);
        let function = Function::start(&spec, &own, Clock::system())?;
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

use std::{
    io::{self, Write},
    path::Path,
};

use joiner::config;
use runtime::Clock;
use serde_json::Value;

use super::api::Api;

/// What every command needs that calls the API.
pub(super) struct Session {
    pub(super) api: Api,
    pub(super) json: bool,
    pub(super) clock: Clock,
}

impl Session {
    /// With Joiner at `url`, if that is given.
    pub(super) fn new(url: Option<&str>, json: bool, clock: Clock) -> anyhow::Result<Self> {
        let vars = config::load(Path::new(".env"))?;
        Ok(Self { api: Api::new(url, &vars)?, json, clock })
    }

    /// Prints the API's answer, or what `people` makes of it.
    pub(super) fn print(
        &self,
        answer: &Value,
        people: impl FnOnce(&mut io::StdoutLock<'static>) -> io::Result<()>,
    ) -> anyhow::Result<()> {
        let mut out = io::stdout().lock();
        if self.json {
            writeln!(out, "{answer:#}")?;
        } else {
            people(&mut out)?;
        }
        Ok(out.flush()?)
    }

    /// Prints a line for people.
    pub(super) fn say(&self, line: &str) -> anyhow::Result<()> {
        if self.json { Ok(()) } else { self.print(&Value::Null, |out| writeln!(out, "{line}")) }
    }
}

pub(super) fn plural(count: u64, thing: &str) -> String {
    if count == 1 { format!("1 {thing}") } else { format!("{count} {thing}s") }
}

//! Bugs of a store, put in on purpose: a checker that finds nothing in a run with one of them is worth nothing.

use std::collections::HashMap;

use axum::{
    body::Bytes,
    http::{HeaderMap, StatusCode, header},
};
use clap::ValueEnum;
use serde_json::Value;

use super::{Answer, Tables};
use crate::evidence::Write;

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Bug {
    /// Says that it has written a user, and hasn't.
    Drop,
    /// Writes a user, and again as the next version.
    Twice,
    /// Says that it has written a user, and does so after the next one.
    Swap,
}

/// One in so many versions of users meets the bug.
const EVERY: usize = 40;

/// What the bug remembers.
#[derive(Default)]
pub(super) struct Memory {
    writes: usize,
    held_back: HashMap<String, Bytes>,
}

impl Tables {
    /// Writes a user as a store with this bug does.
    pub(super) async fn mishandle(
        &self,
        bug: Bug,
        write: Write,
        headers: HeaderMap,
        body: Bytes,
    ) -> reqwest::Result<Answer> {
        let strikes = {
            let memory = &mut self.sky().memory;
            memory.writes += 1;
            memory.writes.is_multiple_of(EVERY)
        };
        let pretended = || (StatusCode::OK, HeaderMap::new(), Bytes::from_static(b"{}"));
        match bug {
            Bug::Drop if strikes => return Ok(pretended()),
            Bug::Swap if strikes => {
                self.sky().memory.held_back.insert(write.employee, body);
                return Ok(pretended());
            }
            Bug::Drop | Bug::Swap | Bug::Twice => {}
        }
        let (employee, version) = (write.employee.clone(), write.version);
        let answer = self.ask(headers.clone(), body.clone(), Some(write)).await?;
        if answer.0 == StatusCode::OK {
            let held_back = self.sky().memory.held_back.remove(&employee);
            let next = if bug == Bug::Twice && strikes { Some(body) } else { held_back };
            if let Some(next) = next.and_then(|body| with_version(&body, version + 1)) {
                let written = super::witness::user_written(&self.0.users_table, &headers, &next);
                let mut headers = headers;
                headers.remove(header::CONTENT_LENGTH);
                self.ask(headers, next, written).await?;
            }
        }
        Ok(answer)
    }
}

/// The same user, whatever is stored.
fn with_version(body: &[u8], version: u64) -> Option<Bytes> {
    let mut request: Value = serde_json::from_slice(body).ok()?;
    request.as_object_mut()?.retain(|name, _| matches!(name.as_str(), "TableName" | "Item"));
    let number = Value::from(version.to_string());
    request["Item"]["version"]["N"] = number.clone();
    request["Item"]["user"]["M"]["version"]["N"] = number;
    Some(request.to_string().into())
}

//! Bugs of a store, put in on purpose: a checker that finds nothing in a run with one of them is worth nothing.

use std::collections::HashMap;

use axum::{
    body::Bytes,
    http::{HeaderMap, StatusCode, header},
};
use clap::ValueEnum;
use serde_json::{Value, json};

use super::{Answer, Names, Tables, witness};
use crate::evidence::Write;

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Bug {
    /// Says that it has written a person, and hasn't.
    Drop,
    /// Writes a person, and again as the next version.
    Twice,
    /// Says that it has written a person, and does so after the next one.
    Swap,
}

/// One in so many versions of a person meets a bug that loses or repeats a write.
const EVERY: usize = 40;

/// What the bug remembers.
#[derive(Default)]
pub(super) struct Memory {
    writes: usize,
    held_back: HashMap<String, Bytes>,
}

impl Tables {
    /// Writes a person as a store with this bug does.
    pub(super) async fn mishandle(
        &self,
        bug: Bug,
        write: Write,
        mut headers: HeaderMap,
        body: Bytes,
    ) -> reqwest::Result<Answer> {
        let strikes = {
            let memory = &mut self.sky().memory;
            memory.writes += 1;
            memory.writes.is_multiple_of(EVERY)
        };
        headers.remove(header::CONTENT_LENGTH);
        let tables = &self.0.names;
        let body = match bug {
            Bug::Drop if strikes => return Ok(pretended()),
            Bug::Swap if strikes => {
                self.sky().memory.held_back.insert(write.employee, body);
                return Ok(pretended());
            }
            Bug::Drop | Bug::Swap | Bug::Twice => body,
        };
        let seen = witness::person_written(tables, &headers, &body);
        let answer = self.ask(headers.clone(), body.clone(), seen).await?;
        if answer.0 == StatusCode::OK {
            let held_back = self.sky().memory.held_back.remove(&write.employee);
            let next = if bug == Bug::Twice && strikes { Some(body) } else { held_back };
            if let Some(next) = next {
                let next = changed(&next, |request| follow(tables, request, &write));
                let seen = witness::person_written(tables, &headers, &next);
                self.ask(headers, next, seen).await?;
            }
        }
        Ok(answer)
    }
}

fn pretended() -> Answer {
    (StatusCode::OK, HeaderMap::new(), Bytes::from_static(b"{}"))
}

fn changed(body: &Bytes, change: impl FnOnce(&mut Value)) -> Bytes {
    serde_json::from_slice(body).map_or_else(
        |_| body.clone(),
        |mut request: Value| {
            change(&mut request);
            request.to_string().into()
        },
    )
}

/// The same person after `before`, whatever is stored.
fn follow(tables: &Names, request: &mut Value, before: &Write) {
    if let Some(request) = request.as_object_mut() {
        request.remove("ClientRequestToken");
    }
    let Some(put) = put(request, &tables.users) else { return };
    if let Some(put) = put.as_object_mut() {
        put.retain(|name, _| matches!(name.as_str(), "TableName" | "Item"));
    }
    let number = |number: u64| json!({"N": number.to_string()});
    put["Item"]["writes"] = number(before.number + 1);
    put["Item"]["person"]["M"]["writes"] = number(before.number + 1);
    put["Item"]["person"]["M"]["version"] = number(before.version + 1);
}

/// What a request puts into this table.
fn put<'a>(request: &'a mut Value, table: &str) -> Option<&'a mut Value> {
    if request["TableName"] == table {
        return Some(request);
    }
    let items = request.get_mut("TransactItems")?.as_array_mut()?;
    items.iter_mut().map(|item| &mut item["Put"]).find(|put| put["TableName"] == table)
}

#[cfg(test)]
mod tests {
    use super::{
        super::witness::{
            Seen,
            tests::{headers, names, transaction},
        },
        *,
    };

    fn written(change: impl FnOnce(&mut Value)) -> (Value, Seen) {
        let body = changed(&transaction().to_string().into(), change);
        let seen = witness::person_written(&names(), &headers("TransactWriteItems"), &body).unwrap();
        (serde_json::from_slice(&body).unwrap(), seen)
    }

    #[test]
    fn what_follows_is_the_next_version_whatever_is_stored() {
        let before = written(|_| {}).1.write;
        let (request, seen) = written(|request| follow(&names(), request, &before));
        let put = request["TransactItems"][0]["Put"].as_object().unwrap();
        assert_eq!((put.contains_key("ConditionExpression"), seen.token), (false, None));
        assert_eq!((seen.write.number, seen.write.version), (5, 4));
        assert_eq!(seen.write.entries, before.entries);
    }
}

//! Bugs of a store, put in on purpose: a checker that finds nothing in a run with one of them is worth nothing.

use std::collections::HashMap;

use axum::{
    body::Bytes,
    http::{HeaderMap, StatusCode, header},
};
use clap::ValueEnum;
use jiff::Timestamp;
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
    /// Lets no event be of a time after its receipt, so that one with an earlier time may overwrite it.
    Clamp,
    /// Employs again whoever has left, with an update that has no word for it.
    Undo,
    /// Writes a person without the facts of it.
    Mute,
    /// Tells of a person's version what was told of another's.
    Retell,
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
            Bug::Clamp => changed(&body, |request| clamp(tables, request)),
            Bug::Undo => changed(&body, |request| undo(tables, request)),
            Bug::Mute if strikes => changed(&body, |request| mute(tables, request)),
            Bug::Retell if strikes => changed(&body, |request| retell(tables, request)),
            Bug::Drop | Bug::Swap | Bug::Twice | Bug::Mute | Bug::Retell => body,
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

fn clamp(tables: &Names, request: &mut Value) {
    let Some(put) = put(request, &tables.users) else { return };
    let events = put["Item"]["person"]["M"]["hr"]["M"]["events"]["L"].as_array_mut();
    for event in events.into_iter().flatten() {
        let event = &mut event["M"];
        let time = |name: &str| event[name]["S"].as_str()?.parse::<Timestamp>().ok();
        if time("stated") > time("received") {
            let received = event["received"].clone();
            (event["stated"], event["effective"]) = (received.clone(), received);
        }
    }
}

fn undo(tables: &Names, request: &mut Value) {
    let entry = put(request, &tables.history).map(|put| put["Item"]["entry"]["M"].clone());
    let is_silent = entry.is_some_and(|entry| {
        entry["event_type"]["S"] == "updated" && entry["stated"]["M"].get("status").is_none()
    });
    if let Some(put) = put(request, &tables.users)
        && is_silent
        && let Some(employment) = put["Item"]["person"]["M"]["hr"]["M"].get_mut("employment")
    {
        employment["L"][0] = json!({"S": "employed"});
    }
}

fn mute(tables: &Names, request: &mut Value) {
    if let Some(items) = request.get_mut("TransactItems").and_then(Value::as_array_mut) {
        items.retain(|item| item["Put"]["TableName"] != tables.outbox);
    }
}

fn retell(tables: &Names, request: &mut Value) {
    if let Some(put) = put(request, &tables.outbox) {
        put["Item"]["facts"]["M"]["types"]["L"][0] = json!({"S": "user.terminated"});
    }
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
    fn a_clamped_event_is_of_the_time_of_its_receipt() {
        let (request, _) = written(|request| clamp(&names(), request));
        let events = &request["TransactItems"][0]["Put"]["Item"]["person"]["M"]["hr"]["M"]["events"]["L"];
        let stated = [0, 1].map(|number: usize| events[number]["M"]["stated"]["S"].as_str().unwrap());
        assert_eq!(stated, ["2025-01-01T00:00:00Z", "2026-01-31T18:42:00Z"]);
    }

    #[test]
    fn an_undone_termination_is_one_that_a_silent_update_follows() {
        let (_, seen) = written(|request| undo(&names(), request));
        assert!(!seen.write.person.unwrap().has_left);
        let (_, seen) = written(|request| {
            let entry = &mut request["TransactItems"][1]["Put"]["Item"]["entry"]["M"];
            entry["stated"]["M"]["status"] = json!({"S": "sabbatical"});
            undo(&names(), request);
        });
        assert!(seen.write.person.unwrap().has_left);
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

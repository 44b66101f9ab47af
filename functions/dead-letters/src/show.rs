use std::collections::BTreeMap;

use api::{Call, Problem, cursor::Page, json, link_to_next};
use contracts::{CorrelationId, EmployeeId, EventId, Origin, Reason};
use dlq::{AuditRecord, Counts, DeadLetter, Filter, Fingerprint, Group, HistoryEntry, LetterState, Payload};
use jiff::Timestamp;
use lambda_http::{Body, Response, http::StatusCode};
use serde::Serialize;

use crate::{Function, letter_id, problem, unknown_letter};

#[derive(Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub(crate) struct LetterList<'a> {
    dead_letters: Vec<LetterSummary<'a>>,
    next_cursor: Option<&'a str>,
}

/// A letter as lists show it: without its history and payload.
#[derive(Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub(crate) struct LetterSummary<'a> {
    #[cfg_attr(feature = "schema", schemars(with = "dlq::LetterId"))]
    id: &'a str,
    state: LetterState,
    /// Of its newest failure.
    #[cfg_attr(feature = "schema", schemars(with = "Reason"))]
    reason: &'static str,
    /// Whether it can succeed later with nothing changed by a person.
    transient: bool,
    message: &'a str,
    /// Over all of its failures.
    attempts: u32,
    /// How often it was redriven, by hand and by itself.
    redrives: u32,
    /// Of its newest failure.
    failed_at: Timestamp,
    parked_at: Timestamp,
    /// When it goes on by itself: is redriven or published again, its outcome checked, or its payload made to expire.
    due_at: Option<Timestamp>,
    group: &'a Fingerprint,
    /// This and the other ids are `null` where the record says nothing usable.
    #[cfg_attr(feature = "schema", schemars(with = "Option<CorrelationId>"))]
    correlation_id: Option<&'a str>,
    #[cfg_attr(feature = "schema", schemars(with = "Option<EmployeeId>"))]
    employee_id: Option<&'a str>,
}

/// A record that could not be processed, why, and what was done about it. What only redrives and sweeps need is not shown.
#[derive(Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(rename = "DeadLetter"))]
pub(crate) struct Letter<'a> {
    #[serde(flatten)]
    summary: LetterSummary<'a>,
    #[cfg_attr(feature = "schema", schemars(with = "Option<EventId>"))]
    event_id: Option<&'a str>,
    /// Of the first failure.
    origin: &'a Origin,
    /// The oldest first.
    history: &'a [HistoryEntry],
}

/// A letter with its record.
#[derive(Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub(crate) struct LetterWithPayload<'a> {
    #[serde(flatten)]
    letter: Letter<'a>,
    /// `null` if it is gone: it expires before its letter, which is over.
    payload: Option<Payload>,
    /// What had failed, where a person has edited it.
    #[serde(skip_serializing_if = "Option::is_none")]
    original: Option<Payload>,
}

#[derive(Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub(crate) struct GroupList {
    groups: Vec<CountedGroup>,
    next_cursor: Option<String>,
}

#[derive(Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub(crate) struct CountedGroup {
    #[serde(flatten)]
    group: Group,
    count: u64,
    /// How many letters somebody has yet to do something about.
    waiting: u64,
    states: BTreeMap<LetterState, u64>,
    /// Whether there are more letters than were counted, the newest first. A group alone is counted further than in a list.
    at_least: bool,
}

#[derive(Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub(crate) struct AuditLog {
    audit: Vec<AuditRecord>,
    next_cursor: Option<String>,
}

impl Function {
    pub(crate) async fn list(&self, call: &Call) -> Result<Response<Body>, Problem> {
        let filter = filter(call)?;
        let page = self.letters.letters(&filter, call.query("cursor"), call.limit()?).await;
        let Page { items, next } = page.map_err(|error| problem(error, unknown_letter()))?;
        let list = LetterList {
            dead_letters: items.iter().map(LetterSummary::of).collect(),
            next_cursor: next.as_deref(),
        };
        let mut response = json(StatusCode::OK, &list);
        if next.is_some() {
            let query = FILTERS.map(|name| (name, call.query(name)));
            let rest = [("limit", call.query("limit")), ("cursor", next.as_deref())];
            link_to_next(&mut response, call.route(), &[&query[..], &rest[..]].concat());
        }
        Ok(response)
    }

    pub(crate) async fn show(&self, call: &Call) -> Result<Response<Body>, Problem> {
        let id = letter_id(call)?;
        let found = Box::pin(async {
            tokio::try_join!(self.letters.letter(&id), self.letters.payload(&id), self.letters.original(&id))
        });
        let (letter, payload, original) = found.await.map_err(|error| problem(error, unknown_letter()))?;
        let whole = LetterWithPayload { letter: Letter::of(&letter), payload, original };
        Ok(json(StatusCode::OK, &whole))
    }

    pub(crate) async fn groups(&self, call: &Call) -> Result<Response<Body>, Problem> {
        let page = self.letters.groups(call.query("cursor"), call.limit()?).await;
        let Page { items, next } = page.map_err(|error| problem(error, unknown_group()))?;
        let groups = items.into_iter().map(CountedGroup::of).collect();
        Ok(json(StatusCode::OK, &GroupList { groups, next_cursor: next }))
    }

    pub(crate) async fn group(&self, call: &Call) -> Result<Response<Body>, Problem> {
        let group = Fingerprint::parse(call.path("id")).ok_or_else(unknown_group)?;
        let group = self.letters.group(&group).await.map_err(|error| problem(error, unknown_group()))?;
        Ok(json(StatusCode::OK, &CountedGroup::of(group)))
    }

    pub(crate) async fn audit(&self, call: &Call) -> Result<Response<Body>, Problem> {
        let page = self.letters.audit(call.query("cursor"), call.limit()?).await;
        let Page { items, next } = page.map_err(|error| problem(error, unknown_letter()))?;
        Ok(json(StatusCode::OK, &AuditLog { audit: items, next_cursor: next }))
    }
}

const FILTERS: [&str; 6] = ["state", "reason", "group", "employee_id", "parked_after", "parked_before"];

fn filter(call: &Call) -> Result<Filter, Problem> {
    let time = |name| call.parsed(name, "an RFC 3339 time such as 2026-01-31T18:42:00Z", |t| t.parse().ok());
    Ok(Filter {
        state: call.parsed("state", "a state such as parked", LetterState::parse)?,
        reason: call.parsed("reason", "a reason such as user_not_found", Reason::from_code)?,
        group: call.parsed("group", "a group's 16 hex digits", Fingerprint::parse)?,
        employee_id: call.parsed("employee_id", "an employee's id", |id| EmployeeId::parse(id).ok())?,
        parked_after: time("parked_after")?,
        parked_before: time("parked_before")?,
    })
}

fn unknown_group() -> Problem {
    Problem::not_found("group_not_found", "There is no group with this id.")
}

impl<'a> LetterSummary<'a> {
    fn of(letter: &'a DeadLetter) -> Self {
        Self {
            id: letter.id.as_str(),
            state: letter.life.state,
            reason: letter.reason.code(),
            transient: letter.reason.is_transient(),
            message: &letter.message,
            attempts: letter.attempts,
            redrives: letter.life.redrives,
            failed_at: letter.failed_at,
            parked_at: letter.parked_at,
            due_at: letter.life.due_at,
            group: &letter.fingerprint,
            correlation_id: letter.correlation_id.as_ref().map(CorrelationId::as_str),
            employee_id: letter.employee_id.as_ref().map(EmployeeId::as_str),
        }
    }
}

impl<'a> Letter<'a> {
    pub(crate) fn of(letter: &'a DeadLetter) -> Self {
        Self {
            summary: LetterSummary::of(letter),
            event_id: letter.event_id.as_ref().map(EventId::as_str),
            origin: &letter.origin,
            history: &letter.history,
        }
    }
}

impl CountedGroup {
    fn of((group, Counts { states, at_least }): (Group, Counts)) -> Self {
        let waiting = states.iter().filter(|(state, _)| state.is_waiting()).map(|(_, count)| count).sum();
        Self { group, count: states.values().sum(), waiting, states, at_least }
    }
}

//! `joiner dev --demo N`: hires people and shows each one's way.

use std::{
    collections::BTreeMap,
    io::{IsTerminal, Write, stdout},
    time::Duration,
};

use anyhow::Context;
use console::Style;
use futures_util::{StreamExt, stream};
use joiner::Cloud;
use okta::fake::Person;
use reqwest::StatusCode;
use runtime::Clock;
use serde_json::{Value, json};
use tokio::{sync::mpsc, time::Instant};

use crate::table::{Cell, Column, Columns};

/// Requests under way at once.
const CONNECTIONS: usize = 16;

/// How long one person's way may take.
const PATIENCE: Duration = Duration::from_mins(2);

/// Lines of the live table; more people scroll through it.
const LINES: usize = 16;

/// Everybody after this many is a stranger to Okta, to show a dead letter.
const STRANGER_EVERY: usize = 10;

struct Row {
    employee: String,
    department: String,
    state: State,
    took: Duration,
}

#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
enum State {
    Sending,
    Accepted,
    Enriched,
    DeadLetter(String),
    Refused(String),
}

struct Hire {
    index: usize,
    employee: String,
    department: String,
    body: Value,
}

struct Client<'a> {
    http: reqwest::Client,
    cloud: &'a Cloud,
    report: mpsc::UnboundedSender<(usize, Row)>,
}

pub(crate) async fn run(cloud: &Cloud, people: &[Person], count: usize, clock: Clock) -> anyhow::Result<()> {
    let (report, mut reports) = mpsc::unbounded_channel();
    let client = Client { http: okta::http_client(Duration::from_secs(30)), cloud, report };
    let hires = (0..count).map(|index| hire(index, people, clock));
    let began = Instant::now();
    let sending = async {
        let mut ways = stream::iter(hires).map(|hire| client.follow(hire)).buffer_unordered(CONNECTIONS);
        while let Some(outcome) = ways.next().await {
            outcome?;
        }
        drop(ways);
        drop(client);
        anyhow::Ok(())
    };
    let showing = async {
        let mut board = Board::new(count);
        while let Some((index, row)) = reports.recv().await {
            board.update(index, row)?;
        }
        anyhow::Ok(board)
    };
    let ((), board) = tokio::try_join!(sending, showing)?;
    board.summary(began.elapsed())?;
    Ok(())
}

fn hire(index: usize, people: &[Person], clock: Clock) -> Hire {
    let person = &people[index % people.len()];
    let employee = format!("E{:04}", index + 1);
    let stranger = index % STRANGER_EVERY == STRANGER_EVERY - 1;
    let email = if stranger { format!("stranger.{index}@acme.example") } else { person.email.clone() };
    let body = json!({
        "event_id": clock.new_id().to_string(),
        "employee_id": employee,
        "first_name": person.first_name,
        "last_name": person.last_name,
        "email": email,
        "title": person.title,
        "department": person.department,
        "start_date": "2026-02-01",
    });
    Hire { index, employee, department: person.department.clone(), body }
}

impl Client<'_> {
    /// Posts one hire and asks for its request until it has ended.
    async fn follow(&self, hire: Hire) -> anyhow::Result<()> {
        let began = Instant::now();
        let tell = |state: State| {
            let row = Row {
                employee: hire.employee.clone(),
                department: hire.department.clone(),
                state,
                took: began.elapsed(),
            };
            drop(self.report.send((hire.index, row)));
        };
        tell(State::Sending);
        let (status, answer) = self.call(self.http.post(self.url("/v1/hr/webhook")).json(&hire.body)).await?;
        if status != StatusCode::ACCEPTED {
            tell(State::Refused(text(&answer, "/code")));
            return Ok(());
        }
        tell(State::Accepted);
        let status_url = self.url(&text(&answer, "/status_url"));
        while began.elapsed() < PATIENCE {
            let (_, answer) = self.call(self.http.get(&status_url)).await?;
            match text(&answer, "/status").as_str() {
                "enriched" => {
                    tell(State::Enriched);
                    return Ok(());
                }
                "failed" => {
                    tell(State::DeadLetter(text(&answer, "/events/0/reason")));
                    return Ok(());
                }
                _ => tokio::time::sleep(Duration::from_millis(20)).await,
            }
        }
        Ok(())
    }

    async fn call(&self, request: reqwest::RequestBuilder) -> anyhow::Result<(StatusCode, Value)> {
        let request = match self.cloud.parts().vars.get("API_KEY") {
            Some(key) => request.header("X-API-Key", key),
            None => request,
        };
        let response = request.send().await.context("the gateway did not answer")?;
        Ok((response.status(), response.json().await.context("the gateway did not answer JSON")?))
    }

    fn url(&self, path: &str) -> String {
        format!("{}{path}", self.cloud.url())
    }
}

fn text(json: &Value, pointer: &str) -> String {
    json.pointer(pointer).and_then(Value::as_str).unwrap_or_default().to_owned()
}

/// Redraws itself on a terminal; elsewhere each row is printed once, when it has ended.
struct Board {
    columns: Columns<4>,
    rows: BTreeMap<usize, Row>,
    count: usize,
    live: bool,
    drawn: usize,
}

impl Board {
    fn new(count: usize) -> Self {
        let columns = Columns::new([
            Column::left("EMPLOYEE", 8),
            Column::left("DEPARTMENT", 17),
            Column::right("TOOK", 9),
            Column::left("STATE", 0),
        ]);
        println!("{}", columns.heading());
        Self { columns, rows: BTreeMap::new(), count, live: stdout().is_terminal(), drawn: 0 }
    }

    fn update(&mut self, index: usize, row: Row) -> std::io::Result<()> {
        let mut out = stdout().lock();
        if !self.live && row.state.is_end() {
            writeln!(out, "{}", self.columns.line(&row.cells()))?;
        }
        self.rows.insert(index, row);
        if self.live {
            let shown: Vec<_> = self.rows.values().rev().take(LINES).collect();
            if self.drawn > 0 {
                write!(out, "\x1b[{}A", self.drawn)?;
            }
            for row in shown.iter().rev() {
                writeln!(out, "\x1b[2K{}", self.columns.line(&row.cells()))?;
            }
            let ended = self.rows.values().filter(|row| row.state.is_end()).count();
            writeln!(out, "\x1b[2K{ended} of {} have arrived", self.count)?;
            self.drawn = shown.len() + 1;
        }
        out.flush()
    }

    fn summary(&self, took: Duration) -> std::io::Result<()> {
        let mut counts = BTreeMap::<String, usize>::new();
        let mut times = Vec::new();
        for row in self.rows.values() {
            *counts.entry(row.state.to_string()).or_default() += 1;
            if row.state == State::Enriched {
                times.push(row.took);
            }
        }
        times.sort_unstable();
        let mut out = stdout().lock();
        writeln!(out, "\n{} people in {:.1} s:", self.rows.len(), took.as_secs_f64())?;
        for (state, count) in counts {
            writeln!(out, "  {count:>5}  {state}")?;
        }
        if let Some(median) = times.get(times.len() / 2) {
            writeln!(out, "From the request to the enriched user: {:.0} ms in the median.", millis(*median))?;
        }
        writeln!(out)
    }
}

impl State {
    fn is_end(&self) -> bool {
        match self {
            Self::Sending | Self::Accepted => false,
            Self::Enriched | Self::DeadLetter(_) | Self::Refused(_) => true,
        }
    }
}

impl std::fmt::Display for State {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Sending => f.write_str("sending"),
            Self::Accepted => f.write_str("accepted"),
            Self::Enriched => f.write_str("enriched"),
            Self::DeadLetter(reason) => write!(f, "dead letter: {reason}"),
            Self::Refused(code) => write!(f, "refused: {code}"),
        }
    }
}

impl Row {
    fn cells(&self) -> [Cell; 4] {
        let style = match self.state {
            State::Sending | State::Accepted => Style::new(),
            State::Enriched => Style::new().green(),
            State::DeadLetter(_) | State::Refused(_) => Style::new().red(),
        };
        let took = format!("{:.0} ms", millis(self.took));
        let state = Cell::styled(self.state.to_string(), style);
        [self.employee.as_str().into(), self.department.as_str().into(), took.into(), state]
    }
}

fn millis(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1000.0
}

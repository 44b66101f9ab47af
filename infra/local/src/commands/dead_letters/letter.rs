//! Letters, as far as they are shown.

use std::io::{self, Write};

use console::Style;
use dlq::LetterState;
use jiff::Timestamp;
use serde::Deserialize;

use super::{
    plural,
    time::{age, short},
};
use crate::table::{Cell, Column, Columns};

#[derive(Deserialize)]
pub(super) struct Letter {
    pub(super) id: String,
    pub(super) state: LetterState,
    pub(super) reason: String,
    pub(super) message: String,
    pub(super) attempts: u32,
    pub(super) redrives: u32,
    pub(super) failed_at: Timestamp,
    pub(super) parked_at: Timestamp,
    pub(super) due_at: Option<Timestamp>,
    pub(super) group: String,
    pub(super) employee_id: Option<String>,
    pub(super) correlation_id: Option<String>,
}

pub(super) fn write_table(letters: &[Letter], now: Timestamp, out: &mut impl Write) -> io::Result<()> {
    let columns = Columns::new([
        Column::left("ID", 0),
        Column::left("STATE", 0),
        Column::left("REASON", 0),
        Column::left("EMPLOYEE", 0),
        Column::right("AGE", 0),
        Column::right("NEXT", 0),
        Column::left("MESSAGE", 0),
    ]);
    let rows: Vec<_> = letters.iter().map(|letter| letter.row(now)).collect();
    columns.write(&rows, out)
}

impl Letter {
    fn row(&self, now: Timestamp) -> [Cell; 7] {
        [
            self.id.as_str().into(),
            state(self.state),
            self.reason.as_str().into(),
            self.employee_id.as_deref().unwrap_or("-").into(),
            age(self.parked_at, now).into(),
            self.next(now).into(),
            Cell::dim(self.message.as_str()),
        ]
    }

    /// When it is redriven by itself.
    fn next(&self, now: Timestamp) -> String {
        match self.due_at.filter(|_| self.state == LetterState::Scheduled) {
            Some(due) if due > now => short(due.duration_since(now)),
            Some(_) => "now".to_owned(),
            None => "-".to_owned(),
        }
    }
}

/// The colour says who has to do something: a person, the schedule, nobody.
pub(super) fn state(state: LetterState) -> Cell {
    let style = match state {
        LetterState::Parked | LetterState::Quarantined => Style::new().red(),
        LetterState::Scheduled => Style::new().yellow(),
        LetterState::Redriven => Style::new().cyan(),
        LetterState::Resolved => Style::new().green(),
        LetterState::Discarded => Style::new().dim(),
    };
    Cell::styled(state.name(), style)
}

/// How many letters there are, and how many of them wait for somebody.
pub(super) fn summary(letters: &[Letter], cut: bool) -> String {
    let count = |wanted: &[LetterState]| {
        letters.iter().filter(|letter| wanted.contains(&letter.state)).count() as u64
    };
    let mut parts = vec![plural(letters.len() as u64, "letter")];
    for (states, what) in [
        (&[LetterState::Parked, LetterState::Quarantined][..], "for a person"),
        (&[LetterState::Scheduled], "for the schedule"),
        (&[LetterState::Redriven], "on the way"),
    ] {
        match count(states) {
            0 => {}
            count => parts.push(format!("{count} {what}")),
        }
    }
    let rest = if cut { "; there are more: --all" } else { "" };
    format!("{}{rest}", parts.join(", "))
}

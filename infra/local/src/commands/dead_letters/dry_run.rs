//! What would happen to each letter.

use std::{collections::BTreeMap, fmt, io::Write};

use anyhow::Context;
use console::Style;
use dlq::{LetterId, Task};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{Session, api::Call, plural, progress};
use crate::table::{Cell, Column, Columns};

#[derive(Deserialize)]
struct Foreseen {
    id: String,
    #[serde(flatten)]
    would: Would,
}

#[derive(Deserialize)]
#[serde(tag = "outcome", rename_all = "snake_case")]
enum Would {
    Changed { fields: Vec<String> },
    NothingNew,
    Failed { message: String },
    Discarded { because: String },
    LeftAlone { because: String },
    Unknown { because: String },
}

pub(super) async fn each(session: &Session, ids: &[LetterId]) -> anyhow::Result<()> {
    let bar = progress::bar(Some(ids.len() as u64), "letter");
    let mut foreseen = Vec::new();
    for id in ids {
        let call = Call::post(["dead-letters", id.as_str(), "redrive"], json!({})).dry_run(true);
        foreseen.push(session.api.call(&call).await.with_context(|| id.as_str().to_owned())?);
        bar.inc(1);
    }
    bar.finish_and_clear();
    show(session, &foreseen)
}

/// To all letters that the job would take.
pub(super) async fn job(session: &Session, task: &Task) -> anyhow::Result<()> {
    let call = Call::post(["dead-letter-jobs"], serde_json::to_value(task)?).dry_run(true);
    let spinner = progress::spinner("asking for each letter");
    let mut answer = session
        .api
        .pages(call, "dry_run", usize::MAX, |count| {
            spinner.set_message(format!("asking for each letter: {count}"));
        })
        .await?;
    spinner.finish_and_clear();
    let foreseen: Vec<Value> = session.api.read(&answer["dry_run"].take())?;
    show(session, &foreseen)
}

pub(super) fn show(session: &Session, foreseen: &[Value]) -> anyhow::Result<()> {
    let answer = json!({ "dry_run": foreseen, "next_cursor": null });
    let letters: Vec<Foreseen> = session.api.read(&answer["dry_run"])?;
    session.print(&answer, |out| {
        if letters.is_empty() {
            return writeln!(out, "No letter fits.");
        }
        let columns = [Column::left("ID", 0), Column::left("OUTCOME", 0)];
        let rows: Vec<_> = letters.iter().map(row).collect();
        Columns::new(columns).uncut().write(&rows, out)?;
        let mut counts = BTreeMap::<&str, u64>::new();
        for letter in &letters {
            *counts.entry(letter.would.in_short()).or_default() += 1;
        }
        let counts: Vec<_> = counts.iter().map(|(would, count)| format!("{count} {would}")).collect();
        writeln!(out, "\n{}: {}; nothing was done", plural(letters.len() as u64, "letter"), counts.join(", "))
    })
}

fn row(letter: &Foreseen) -> [Cell; 2] {
    let style = match letter.would {
        Would::Changed { .. } | Would::Discarded { .. } => Style::new().green(),
        Would::Failed { .. } => Style::new().red(),
        Would::NothingNew | Would::LeftAlone { .. } | Would::Unknown { .. } => Style::new().yellow(),
    };
    [letter.id.as_str().into(), Cell::styled(letter.would.to_string(), style)]
}

impl Would {
    fn in_short(&self) -> &'static str {
        match self {
            Self::Changed { .. } => "would change a user",
            Self::NothingNew => "nothing new",
            Self::Failed { .. } => "would fail",
            Self::Discarded { .. } => "would be discarded",
            Self::LeftAlone { .. } => "would be left alone",
            Self::Unknown { .. } => "unknown",
        }
    }
}

impl fmt::Display for Would {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Changed { fields } => write!(f, "would change {}", fields.join(", ")),
            Self::NothingNew => f.write_str(self.in_short()),
            Self::Failed { message: why }
            | Self::Discarded { because: why }
            | Self::LeftAlone { because: why }
            | Self::Unknown { because: why } => write!(f, "{}: {why}", self.in_short()),
        }
    }
}

//! What would happen to each letter.

use std::{collections::BTreeMap, io::Write};

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
    would: String,
    because: Option<String>,
}

pub(super) async fn each(session: &Session, ids: &[LetterId]) -> anyhow::Result<()> {
    let bar = progress::bar(Some(ids.len() as u64));
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
        let columns = [Column::left("ID", 0), Column::left("WOULD", 0), Column::left("BECAUSE", 0)];
        let rows: Vec<_> = letters.iter().map(row).collect();
        Columns::new(columns).write(&rows, out)?;
        let mut counts = BTreeMap::<String, u64>::new();
        for letter in &letters {
            *counts.entry(words(&letter.would)).or_default() += 1;
        }
        let counts: Vec<_> = counts.iter().map(|(would, count)| format!("{count} would {would}")).collect();
        writeln!(out, "\n{}: {}; nothing was done", plural(letters.len() as u64, "letter"), counts.join(", "))
    })
}

fn row(letter: &Foreseen) -> [Cell; 3] {
    let style = match letter.would.as_str() {
        "apply" | "be_discarded" => Style::new().green(),
        "fail" => Style::new().red(),
        _ => Style::new().yellow(),
    };
    let because = Cell::dim(letter.because.as_deref().unwrap_or_default());
    [letter.id.as_str().into(), Cell::styled(words(&letter.would), style), because]
}

/// The API's word, so that it completes "would".
fn words(would: &str) -> String {
    match would {
        "apply" => "go through".to_owned(),
        "fail" => "fail again".to_owned(),
        other => other.replace('_', " "),
    }
}

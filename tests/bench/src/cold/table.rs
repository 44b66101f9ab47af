use std::iter;

use super::Candidate;
use crate::{
    report::{Aim, Column, Row, Section, Table},
    statistics::{Spread, float, median, megabytes, millis, percentile},
};

/// The aims: what a function may weigh as a zip, and how much longer than the empty one it may take.
const MOST_ZIPPED_MB: f64 = 5.0;
const MOST_OVER_MS: f64 = 15.0;

const ABOUT: &str = "From a bootstrap's spawn to its first request for an event, beside a function that is empty, started a \
    moment before or after it. Every remote party is one port over TLS at which nobody answers.";

pub(super) fn section(empty: &Candidate, functions: &[Candidate]) -> Section {
    let (mut rows, mut aims) = (Vec::new(), Vec::new());
    for candidate in iter::once(empty).chain(functions) {
        let took = candidate.each(|start| start.took);
        let over = millis(median(&took)) - millis(median(&empty.each(|start| start.took)));
        rows.push(row(candidate, over));
        if !std::ptr::eq(candidate, empty) {
            aims.extend(aims_of(candidate, over));
        }
    }
    let columns = vec![
        Column::new("zipped MB", 2),
        Column::new("raw MB", 2),
        Column::new("least ms", 1),
        Column::new("median ms", 1),
        Column::new("p99 ms", 1),
        Column::new("over empty", 1),
        Column::new("CPU ms", 1),
        Column::new("RSS MB", 1),
    ];
    let table = Table { title: "function".to_owned(), columns, rows, plot: "median ms" };
    Section { title: "Cold start", about: ABOUT.to_owned(), tables: vec![table], aims }
}

fn row(candidate: &Candidate, over: f64) -> Row {
    let took = candidate.each(|start| start.took);
    let resident = candidate.starts.iter().map(|start| start.resident).max().unwrap_or_default();
    let figures = [
        megabytes(candidate.size.zipped),
        megabytes(candidate.size.raw),
        millis(percentile(&took, 0)),
        millis(median(&took)),
        millis(percentile(&took, 99)),
        over,
        millis(median(&candidate.each(|start| start.cpu))),
        megabytes(resident),
    ];
    Row { name: candidate.name.clone(), cells: figures.map(|figure| Some(Spread::once(figure))).into() }
}

fn aims_of(candidate: &Candidate, over: f64) -> [Aim; 3] {
    let name = &candidate.name;
    let connections: usize = candidate.starts.iter().map(|start| start.connections).sum();
    [
        Aim::at_most(format!("{name}: its zip"), megabytes(candidate.size.zipped), MOST_ZIPPED_MB, " MB"),
        Aim::at_most(format!("{name}: median over the empty one's"), over, MOST_OVER_MS, " ms"),
        Aim::at_most(format!("{name}: connections before it had an event"), float(connections), 0.0, ""),
    ]
}

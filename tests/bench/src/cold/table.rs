use std::iter;

use super::{Candidate, ROUNDS, Start};
use crate::{
    report::{Aim, Column, Row, Section, Table},
    statistics::{Spread, float, megabytes, millis, percentile},
};

/// The aims: what a function may weigh as a zip, and how much longer than the empty one it may take.
const MAX_ZIPPED_MB: f64 = 5.0;
const MAX_OVER_MS: f64 = 15.0;

const ABOUT: &str = "From a bootstrap's spawn to its first request for an event, beside a function that is empty, started a \
    moment before or after it. Every remote party is one port over TLS at which nobody answers. The starts are counted in \
    five rounds: the median, CPU and RSS (in memory when it asks) are those of the rounds' medians, and what is over the \
    empty one is so in the same round.";

pub(super) fn section(empty: &Candidate, functions: &[Candidate]) -> Section {
    let starts = empty.starts.len();
    let columns = vec![
        Column::new("zipped MB", 2),
        Column::new("raw MB", 2),
        Column::new("least ms", 1),
        Column::spread("median ms", 1),
        // The 99th of a hundred is not the last.
        Column::new(if starts < 100 { "most ms" } else { "p99 ms" }, 1),
        Column::spread("over empty ms", 1),
        Column::spread("median ×", 1),
        Column::new("CPU ms", 1),
        Column::new("RSS MB", 1),
    ];
    let rows = iter::once(empty).chain(functions).map(|candidate| row(candidate, empty)).collect();
    let aims = functions.iter().flat_map(|candidate| aims_of(candidate, empty)).collect();
    let table = Table { title: format!("starts: {starts}"), columns, rows, plot: "median ms" };
    Section { title: "Cold start", about: ABOUT.to_owned(), tables: vec![table], aims }
}

fn row(candidate: &Candidate, empty: &Candidate) -> Row {
    let all: Vec<_> = candidate.starts.iter().map(|start| start.took).collect();
    let once = |percent| percentile(&all, percent).and_then(|took| Spread::once(millis(took)));
    let took = || candidate.rounds(took);
    let cells = vec![
        Spread::once(megabytes(candidate.size.zipped)),
        Spread::once(megabytes(candidate.size.raw)),
        once(0),
        Spread::of(took()),
        once(99),
        over(candidate, empty),
        Spread::of(took().zip(empty.rounds(self::took)).map(|(one, empty)| one / empty)),
        Spread::of(candidate.rounds(|start| millis(start.cpu))),
        Spread::of(candidate.rounds(|start| megabytes(start.resident))),
    ];
    Row { name: candidate.name.clone(), cells }
}

fn aims_of(candidate: &Candidate, empty: &Candidate) -> [Aim; 3] {
    let name = &candidate.name;
    let zipped = Spread::once(megabytes(candidate.size.zipped));
    let connections: usize = candidate.starts.iter().map(|start| start.connections).sum();
    let connections = Spread::once(float(connections));
    [
        Aim::at_most(format!("{name}: its zip"), zipped, MAX_ZIPPED_MB, " MB"),
        Aim::at_most(format!("{name}: over the empty one"), over(candidate, empty), MAX_OVER_MS, " ms"),
        Aim::at_most(format!("{name}: connections before it had an event"), connections, 0.0, ""),
    ]
}

fn over(candidate: &Candidate, empty: &Candidate) -> Option<Spread> {
    Spread::of(candidate.rounds(took).zip(empty.rounds(took)).map(|(one, empty)| one - empty))
}

fn took(start: &Start) -> f64 {
    millis(start.took)
}

impl Candidate {
    /// The median of each round's starts.
    fn rounds(&self, figure: impl Fn(&Start) -> f64) -> impl Iterator<Item = f64> {
        let rounds = self.starts.chunks(self.starts.len().div_ceil(ROUNDS).max(1));
        rounds.filter_map(move |starts| Some(Spread::of(starts.iter().map(&figure))?.median))
    }
}

use std::{iter, time::Duration};

use super::Candidate;
use crate::statistics::{difference, median, millis, percentile};

/// The aims: what a function may weigh as a zip, and how much longer than the empty one it may take.
const MOST_ZIPPED: u64 = 5_000_000;
const MOST_OVER_MS: f64 = 15.0;

/// A line each, and one for each thing that is not as it should be.
pub(super) fn show(empty: &Candidate, functions: &[Candidate]) -> String {
    let mut lines = vec![format!(
        "{:<22}{:>10}{:>8}{:>10}{:>11}{:>8}{:>12}{:>8}{:>8}",
        "", "zipped MB", "raw MB", "least ms", "median ms", "p99 ms", "over empty", "CPU ms", "RSS MB"
    )];
    let mut findings = Vec::new();
    let normal = median(&empty.each(|start| start.took));
    for candidate in iter::once(empty).chain(functions) {
        let took = candidate.each(|start| start.took);
        let over = difference(median(&took), normal);
        lines.push(line(candidate, &took, over));
        let connections = candidate.starts.iter().map(|start| start.connections).sum();
        let found = findings_of(candidate.size.zipped, over, connections);
        findings.extend(found.into_iter().map(|finding| format!("{} {finding}", candidate.name)));
    }
    lines.extend(findings);
    lines.join("\n")
}

fn line(candidate: &Candidate, took: &[Duration], over: f64) -> String {
    let cpu = median(&candidate.each(|start| start.cpu));
    let resident = candidate.starts.iter().map(|start| start.resident).max().unwrap_or_default();
    format!(
        "{:<22}{:>10.2}{:>8.2}{:>10.1}{:>11.1}{:>8.1}{over:>+12.1}{:>8.1}{:>8.1}",
        candidate.name,
        megabytes(candidate.size.zipped),
        megabytes(candidate.size.raw),
        millis(percentile(took, 0)),
        millis(median(took)),
        millis(percentile(took, 99)),
        millis(cpu),
        megabytes(resident),
    )
}

fn findings_of(zipped: u64, over: f64, connections: usize) -> Vec<String> {
    let mut findings = Vec::new();
    if zipped > MOST_ZIPPED {
        findings.push(format!(
            "is {:.2} MB as a zip: the aim is {:.0}",
            megabytes(zipped),
            megabytes(MOST_ZIPPED)
        ));
    }
    if over > MOST_OVER_MS {
        findings.push(format!("takes {over:.1} ms more than the empty one: the aim is {MOST_OVER_MS:.0}"));
    }
    if connections > 0 {
        findings.push(format!("made {connections} connections before it had an event"));
    }
    findings
}

#[expect(clippy::cast_precision_loss, reason = "two decimals are shown")]
fn megabytes(bytes: u64) -> f64 {
    bytes as f64 / 1e6
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_meets_the_aims_is_no_finding() {
        assert_eq!(findings_of(MOST_ZIPPED, MOST_OVER_MS, 0), Vec::<String>::new());
        assert_eq!(findings_of(1, -3.0, 0), Vec::<String>::new());
    }

    #[test]
    fn each_aim_that_is_missed_and_each_connection_is_a_finding() {
        assert_eq!(
            findings_of(5_780_000, 17.25, 2),
            [
                "is 5.78 MB as a zip: the aim is 5",
                "takes 17.2 ms more than the empty one: the aim is 15",
                "made 2 connections before it had an event",
            ]
        );
    }
}

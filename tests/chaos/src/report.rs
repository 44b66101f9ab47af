use std::fmt;

use crate::{check::Rule, run::Outcome};

/// So many findings of a rule are shown; the others are alike.
const SHOWN: usize = 10;

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "\nFaults")?;
        for (name, times) in &self.faults {
            writeln!(f, "  {name:<50} {times:>7}")?;
        }
        let tally = &self.verdict.tally;
        writeln!(f, "\nRecords")?;
        for (name, times) in [
            ("answered 202", self.accepted),
            ("enriched, and changed something", tally.changed),
            ("enriched, and said nothing new", tally.nothing_new),
            ("applied without Okta, and in dead letters", tally.in_both),
            ("in dead letters only", tally.in_letters),
            ("poison, in dead letters", tally.poison),
            ("enriched by one delivery, a letter by another", tally.overtaken_letters),
            ("people who wait for Okta", tally.pending),
            ("people who have left", tally.left),
            ("profiles that a cache showed too old for a while", self.stale_users),
        ] {
            writeln!(f, "  {name:<50} {times:>7}")?;
        }
        writeln!(f, "\nVerdict")?;
        for rule in Rule::ALL {
            let found: Vec<_> = self.verdict.findings.iter().filter(|finding| finding.rule == rule).collect();
            writeln!(f, "  {rule:<50} {:>7}", found.len())?;
            for finding in found.iter().take(SHOWN) {
                writeln!(f, "    {}", finding.detail)?;
            }
        }
        Ok(())
    }
}

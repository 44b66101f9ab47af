//! What is compared: each candidate's rounds, beside those of the first.

use std::{fmt::Display, ops::RangeInclusive, time::Duration};

use anyhow::Result;
use fastrand::Rng;

use crate::{
    report::{Column, Row, Table},
    statistics::{Spread, float, micros, millis, percentile},
};

/// What a round said of one candidate.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Measured {
    pub(crate) per_second: f64,
    /// What one operation cost the candidate's processes.
    pub(crate) cpu: Duration,
    /// The median and the 99th percentile, where operations were timed one by one.
    pub(crate) latency: Option<(Duration, Duration)>,
}

impl Measured {
    pub(crate) fn of(latencies: &[Duration], took: Duration, cpu: Duration) -> Self {
        let latency = percentile(latencies, 50).zip(percentile(latencies, 99));
        Self { latency, ..Self::of_many(latencies.len(), took, cpu) }
    }

    /// Of operations that were timed together.
    pub(crate) fn of_many(operations: usize, took: Duration, cpu: Duration) -> Self {
        let operations = float(operations);
        Self { per_second: operations / took.as_secs_f64(), cpu: cpu.div_f64(operations), latency: None }
    }

    pub(crate) fn cpu_micros(&self) -> f64 {
        micros(self.cpu)
    }

    pub(crate) fn p99_millis(&self) -> f64 {
        self.latency.map_or(f64::NAN, |(_, p99)| millis(p99))
    }
}

/// In the order of their table: the first is what the others are compared with.
pub(crate) struct Candidates(Vec<Candidate>);

pub(crate) struct Candidate {
    pub(crate) name: String,
    pub(crate) rounds: Vec<Measured>,
}

impl Candidates {
    pub(crate) fn named<N: Display>(names: impl IntoIterator<Item = N>) -> Self {
        let candidate = |name: N| Candidate { name: name.to_string(), rounds: Vec::new() };
        Self(names.into_iter().map(candidate).collect())
    }

    /// Measures all of them in each round. A round 0 is for warming up, and is not counted.
    pub(crate) async fn take_turns(
        &mut self,
        rounds: RangeInclusive<usize>,
        mut measure: impl AsyncFnMut(usize) -> Result<Measured>,
    ) -> Result<()> {
        for round in rounds {
            for number in shuffled(self.0.len(), round) {
                let measured = measure(number).await?;
                if round > 0 {
                    self.add(number, measured);
                }
            }
        }
        Ok(())
    }

    fn add(&mut self, number: usize, measured: Measured) {
        self.0[number].rounds.push(measured);
    }

    pub(crate) fn find(&self, name: &str) -> Option<&Candidate> {
        self.0.iter().find(|candidate| candidate.name == name)
    }

    /// Beside the first of them, round by round. Latencies have columns where there are any.
    pub(crate) fn table(&self, title: impl Into<String>, per_second: &'static str) -> Table {
        let is_timed =
            self.0.iter().flat_map(|candidate| &candidate.rounds).any(|round| round.latency.is_some());
        let mut columns = vec![Column::spread(per_second, 0)];
        if is_timed {
            columns.extend([Column::new("p50 ms", 2), Column::new("p99 ms", 2)]);
        }
        columns.extend([Column::new("CPU µs", 0), Column::spread("rate ×", 2)]);
        if is_timed {
            columns.push(Column::spread("p99 ×", 2));
        }
        columns.push(Column::spread("CPU ×", 2));
        let rows = self.0.iter().map(|candidate| self.row(candidate, is_timed)).collect();
        Table { title: title.into(), columns, rows, plot: per_second }
    }

    fn row(&self, candidate: &Candidate, is_timed: bool) -> Row {
        let base = &self.0[0];
        let mut cells = vec![candidate.spread(|measured| measured.per_second)];
        if is_timed {
            cells
                .push(candidate.spread(|measured| measured.latency.map_or(f64::NAN, |(p50, _)| millis(p50))));
            cells.push(candidate.spread(Measured::p99_millis));
        }
        cells.push(candidate.spread(Measured::cpu_micros));
        cells.push(candidate.ratio(base, |measured| measured.per_second));
        if is_timed {
            cells.push(candidate.ratio(base, Measured::p99_millis));
        }
        cells.push(candidate.ratio(base, Measured::cpu_micros));
        Row { name: candidate.name.clone(), cells }
    }
}

/// The numbers below `count` in another order each round, and in each run the same: who comes after whom meets the
/// machine that the other has left.
pub(crate) fn shuffled(count: usize, round: usize) -> Vec<usize> {
    let mut order: Vec<_> = (0..count).collect();
    Rng::with_seed(round as u64).shuffle(&mut order);
    order
}

impl Candidate {
    fn spread(&self, figure: impl Fn(&Measured) -> f64) -> Option<Spread> {
        Spread::of(self.rounds.iter().map(figure))
    }

    /// How many times the other's, in the same round: nothing where that is zero.
    pub(crate) fn ratio(&self, other: &Self, figure: impl Fn(&Measured) -> f64) -> Option<Spread> {
        Spread::of(self.rounds.iter().zip(&other.rounds).map(|(one, other)| figure(one) / figure(other)))
    }

    /// How much more than the other's, in the same round.
    pub(crate) fn over(&self, other: &Self, figure: impl Fn(&Measured) -> f64) -> Option<Spread> {
        Spread::of(self.rounds.iter().zip(&other.rounds).map(|(one, other)| figure(one) - figure(other)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn measured(per_second: f64, cpu: u64) -> Measured {
        Measured { per_second, cpu: Duration::from_micros(cpu), latency: None }
    }

    #[test]
    fn a_measurement_divides_time_and_cpu_by_the_operations() {
        let latencies = [Duration::from_millis(2); 100];
        let measured = Measured::of(&latencies, Duration::from_secs(2), Duration::from_millis(5));
        assert_eq!((measured.per_second, measured.cpu), (50.0, Duration::from_micros(50)));
        assert_eq!(measured.latency, Some((latencies[0], latencies[0])));
    }

    #[test]
    fn ratios_are_taken_within_a_round() {
        // The machine was half as fast in the second round: that changes neither ratio.
        let mut candidates = Candidates::named(["base", "ours"]);
        for (base, ours) in [((100.0, 10), (50.0, 30)), ((50.0, 20), (25.0, 60))] {
            candidates.add(0, measured(base.0, base.1));
            candidates.add(1, measured(ours.0, ours.1));
        }
        let row = &candidates.table("", "per s").rows[1];
        assert_eq!(row.cells[2..], [Spread::once(0.5), Spread::once(3.0)]);
        let (base, ours) = (candidates.find("base").unwrap(), candidates.find("ours").unwrap());
        let over = ours.over(base, Measured::cpu_micros).unwrap();
        assert_eq!((over.least, over.most), (20.0, 40.0));
    }

    #[test]
    fn there_is_no_ratio_to_what_took_less_than_a_tick() {
        let mut candidates = Candidates::named(["base", "ours"]);
        candidates.add(0, measured(10.0, 0));
        candidates.add(1, measured(10.0, 5));
        let rows = candidates.table("", "per s").rows;
        assert_eq!((rows[0].cells[3], rows[1].cells[3]), (None, None));
    }

    #[test]
    fn each_round_has_all_of_them_in_an_order_of_its_own_that_comes_again() {
        let orders: Vec<_> = (1..=3).map(|round| shuffled(5, round)).collect();
        assert!(orders[0] != orders[1] && orders[1] != orders[2]);
        for (round, mut order) in (1..).zip(orders) {
            assert_eq!(order, shuffled(5, round));
            order.sort_unstable();
            assert_eq!(order, [0, 1, 2, 3, 4]);
        }
    }
}

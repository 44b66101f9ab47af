//! Closed loops: each connection sends its next request when it has the answer to the last one.

use std::{
    fmt::Display,
    time::{Duration, Instant},
};

use anyhow::Result;
use futures_util::future::try_join_all;

use crate::{
    report::{Column, Row, Table},
    statistics::{Spread, float, micros, millis, percentile},
};

/// One connection, or one caller in this process.
pub(crate) trait Client {
    /// One request and its answer. An answer that isn't the expected one is an error.
    async fn call(&mut self) -> Result<()>;
}

/// How often and for how long is measured.
#[derive(Debug, Clone, Copy, clap::Args)]
pub(crate) struct Plan {
    /// How often each is measured, in turns
    #[arg(long, default_value_t = 3)]
    pub(crate) rounds: usize,
    /// For how long, in seconds; a fifth of it before that is not counted
    #[arg(long, default_value = "2", value_parser = seconds)]
    pub(crate) time: Duration,
}

/// What a round said of one candidate.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Measured {
    pub(crate) per_second: f64,
    pub(crate) p50: Duration,
    pub(crate) p99: Duration,
    /// What one operation cost the candidate's processes.
    pub(crate) cpu: Duration,
}

/// A candidate and its rounds.
pub(crate) struct Candidate {
    pub(crate) name: String,
    pub(crate) rounds: Vec<Measured>,
}

impl Measured {
    pub(crate) fn of(latencies: &[Duration], took: Duration, cpu: Duration) -> Self {
        Self {
            per_second: float(latencies.len()) / took.as_secs_f64(),
            p50: percentile(latencies, 50),
            p99: percentile(latencies, 99),
            cpu: cpu.div_f64(float(latencies.len()).max(1.0)),
        }
    }

    /// Of operations that weren't timed one by one.
    pub(crate) fn of_many(operations: usize, took: Duration, cpu: Duration) -> Self {
        let operations = float(operations).max(1.0);
        let per_second = operations / took.as_secs_f64();
        Self { per_second, p50: Duration::ZERO, p99: Duration::ZERO, cpu: cpu.div_f64(operations) }
    }
}

impl Plan {
    /// Loads the clients for the plan's time; `cpu` is what the measured processes have used so far.
    pub(crate) async fn drive<C: Client>(
        self,
        clients: &mut [C],
        cpu: impl Fn() -> Result<Duration>,
    ) -> Result<Measured> {
        run(clients, self.time / 5).await?;
        let (began, used) = (Instant::now(), cpu()?);
        let latencies = run(clients, self.time).await?;
        Ok(Measured::of(&latencies, began.elapsed(), cpu()?.saturating_sub(used)))
    }
}

async fn run<C: Client>(clients: &mut [C], time: Duration) -> Result<Vec<Duration>> {
    let end = Instant::now() + time;
    let loops = clients.iter_mut().map(async |client| {
        let mut latencies = Vec::new();
        loop {
            let began = Instant::now();
            if began >= end {
                return anyhow::Ok(latencies);
            }
            client.call().await?;
            latencies.push(began.elapsed());
        }
    });
    Ok(try_join_all(loops).await?.concat())
}

/// Adds a round's value to each candidate's.
pub(crate) fn collect(candidates: &mut Vec<Candidate>, name: impl Display, measured: Measured) {
    let name = name.to_string();
    match candidates.iter_mut().find(|known| known.name == name) {
        Some(known) => known.rounds.push(measured),
        None => candidates.push(Candidate { name, rounds: vec![measured] }),
    }
}

pub(crate) fn find<'a>(candidates: &'a [Candidate], name: &str) -> Option<&'a Candidate> {
    candidates.iter().find(|candidate| candidate.name == name)
}

/// The candidates beside the first of them, round by round.
pub(crate) fn compare(title: impl Into<String>, candidates: &[Candidate]) -> Table {
    let base = candidates.first();
    let rows = candidates.iter().map(|candidate| Row {
        name: candidate.name.clone(),
        cells: [
            Some(candidate.spread(|measured| measured.per_second)),
            Some(candidate.spread(|measured| millis(measured.p50))),
            Some(candidate.spread(|measured| millis(measured.p99))),
            Some(candidate.spread(|measured| micros(measured.cpu))),
            base.map(|base| candidate.ratio(base, |measured| measured.per_second)),
            base.map(|base| candidate.ratio(base, |measured| millis(measured.p99))),
            base.map(|base| candidate.ratio(base, |measured| micros(measured.cpu))),
        ]
        .into(),
    });
    Table {
        title: title.into(),
        columns: vec![
            Column::new("per s", 0),
            Column::new("p50 ms", 2),
            Column::new("p99 ms", 2),
            Column::new("CPU µs", 0),
            Column::spread("rate ×", 2),
            Column::spread("p99 ×", 2),
            Column::spread("CPU ×", 2),
        ],
        rows: rows.collect(),
        plot: "per s",
    }
}

/// The same of operations that weren't timed one by one.
pub(crate) fn throughput(title: impl Into<String>, candidates: &[Candidate]) -> Table {
    let base = candidates.first();
    let rows = candidates.iter().map(|candidate| Row {
        name: candidate.name.clone(),
        cells: [
            Some(candidate.spread(|measured| measured.per_second)),
            Some(candidate.spread(|measured| micros(measured.cpu))),
            base.map(|base| candidate.ratio(base, |measured| measured.per_second)),
            base.map(|base| candidate.ratio(base, |measured| micros(measured.cpu))),
        ]
        .into(),
    });
    Table {
        title: title.into(),
        columns: vec![
            Column::spread("records per s", 0),
            Column::new("CPU µs", 0),
            Column::spread("rate ×", 2),
            Column::spread("CPU ×", 2),
        ],
        rows: rows.collect(),
        plot: "records per s",
    }
}

impl Candidate {
    pub(crate) fn spread(&self, figure: impl Fn(&Measured) -> f64) -> Spread {
        Spread::of(self.rounds.iter().map(figure))
    }

    /// How many times the other's, in the same round.
    pub(crate) fn ratio(&self, other: &Self, figure: impl Fn(&Measured) -> f64) -> Spread {
        Spread::of(self.rounds.iter().zip(&other.rounds).map(|(one, other)| figure(one) / figure(other)))
    }

    /// How much more than the other's, in the same round.
    pub(crate) fn over(&self, other: &Self, figure: impl Fn(&Measured) -> f64) -> Spread {
        Spread::of(self.rounds.iter().zip(&other.rounds).map(|(one, other)| figure(one) - figure(other)))
    }
}

pub(crate) fn seconds(text: &str) -> Result<Duration, String> {
    let seconds = text.parse().ok().and_then(|seconds| Duration::try_from_secs_f64(seconds).ok());
    seconds
        .filter(|time| !time.is_zero())
        .ok_or_else(|| "a number of seconds is expected, such as 0.5".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Sleeper(u32);

    impl Client for Sleeper {
        async fn call(&mut self) -> Result<()> {
            self.0 += 1;
            anyhow::ensure!(self.0 < 4, "the fourth fails");
            tokio::time::sleep(Duration::from_millis(1)).await;
            Ok(())
        }
    }

    fn measured(per_second: f64, cpu: u64) -> Measured {
        let (p50, p99) = (Duration::from_millis(1), Duration::from_millis(2));
        Measured { per_second, p50, p99, cpu: Duration::from_micros(cpu) }
    }

    #[tokio::test]
    async fn a_wrong_answer_ends_the_run() {
        let plan = Plan { rounds: 1, time: Duration::from_mins(1) };
        let error = plan.drive(&mut [Sleeper(0), Sleeper(0)], || Ok(Duration::ZERO)).await.unwrap_err();
        assert_eq!(error.to_string(), "the fourth fails");
    }

    #[test]
    fn a_measurement_divides_time_and_cpu_by_the_requests() {
        let latencies = [Duration::from_millis(2); 100];
        let measured = Measured::of(&latencies, Duration::from_secs(2), Duration::from_millis(5));
        assert_eq!((measured.per_second, measured.cpu), (50.0, Duration::from_micros(50)));
    }

    #[test]
    fn ratios_are_taken_within_a_round() {
        // The machine was half as fast in the second round: that changes neither ratio.
        let mut candidates = Vec::new();
        for (base, ours) in
            [(measured(100.0, 10), measured(50.0, 30)), (measured(50.0, 20), measured(25.0, 60))]
        {
            collect(&mut candidates, "base", base);
            collect(&mut candidates, "ours", ours);
        }
        let row = &compare("", &candidates).rows[1];
        assert_eq!(row.cells[4], Some(Spread::once(0.5)));
        assert_eq!(row.cells[6], Some(Spread::once(3.0)));
        let over = candidates[1].over(&candidates[0], |measured| micros(measured.cpu));
        assert_eq!((over.least, over.most), (20.0, 40.0));
    }
}

use std::time::Duration;

use serde::Serialize;

/// One figure over the rounds of a run.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub(crate) struct Spread {
    pub(crate) median: f64,
    pub(crate) least: f64,
    pub(crate) most: f64,
}

impl Spread {
    /// None of no value, and none where one is no number: what was divided by a zero that a clock's tick had hidden.
    pub(crate) fn of(values: impl IntoIterator<Item = f64>) -> Option<Self> {
        let mut sorted: Vec<_> = values.into_iter().collect();
        sorted.sort_by(f64::total_cmp);
        let (least, most) = (*sorted.first()?, *sorted.last()?);
        let median = f64::midpoint(sorted[(sorted.len() - 1) / 2], sorted[sorted.len() / 2]);
        sorted.iter().all(|value| value.is_finite()).then_some(Self { median, least, most })
    }

    pub(crate) fn once(value: f64) -> Option<Self> {
        Self::of([value])
    }
}

/// The value that `percent` of all are not above: the nearest rank, so one that was measured; at 0 the least.
pub(crate) fn percentile(values: &[Duration], percent: usize) -> Option<Duration> {
    let mut sorted = values.to_vec();
    sorted.sort_unstable();
    let rank = (sorted.len() * percent).div_ceil(100).max(1);
    sorted.get(rank - 1).copied()
}

pub(crate) fn millis(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1e3
}

pub(crate) fn micros(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1e6
}

#[expect(clippy::cast_precision_loss, reason = "counts of requests and bytes are far below 2^52")]
pub(crate) fn float(count: impl TryInto<u64>) -> f64 {
    count.try_into().ok().expect("a count fits into 64 bits and isn't negative") as f64
}

/// In millions of bytes.
pub(crate) fn megabytes(bytes: u64) -> f64 {
    float(bytes) / 1e6
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(millis: &[u64]) -> Vec<Duration> {
        millis.iter().copied().map(Duration::from_millis).collect()
    }

    #[test]
    fn a_percentile_is_a_value_that_was_measured_whatever_their_order() {
        let hundred = of(&(1..=100).rev().collect::<Vec<_>>());
        for percent in [1, 50, 99, 100] {
            assert_eq!(percentile(&hundred, percent), Some(Duration::from_millis(percent as u64)));
        }
        assert_eq!(percentile(&hundred, 0), Some(Duration::from_millis(1)));
    }

    #[test]
    fn of_few_values_the_99th_percentile_is_the_worst() {
        assert_eq!(percentile(&of(&[2, 90, 4]), 99), Some(Duration::from_millis(90)));
        assert_eq!(percentile(&of(&[2]), 99), Some(Duration::from_millis(2)));
        assert_eq!(percentile(&[], 99), None);
    }

    #[test]
    fn a_spread_has_the_middle_or_the_mean_of_the_two_and_the_least_and_the_most() {
        assert_eq!(Spread::of([4.0, 3.0, 1.0, 2.0]), Some(Spread { median: 2.5, least: 1.0, most: 4.0 }));
        assert_eq!(Spread::of([3.0, 1.0, 2.0]), Some(Spread { median: 2.0, least: 1.0, most: 3.0 }));
        assert_eq!(Spread::once(7.0), Some(Spread { median: 7.0, least: 7.0, most: 7.0 }));
    }

    #[test]
    fn there_is_no_spread_of_nothing_nor_of_what_is_no_number() {
        assert_eq!(Spread::of([]), None);
        assert_eq!(Spread::of([1.0, 1.0 / 0.0]), None);
        assert_eq!(Spread::of([f64::NAN, 1.0]), None);
    }
}

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
    /// Of one value or more. What isn't a number counts as the most.
    pub(crate) fn of(values: impl IntoIterator<Item = f64>) -> Self {
        let mut sorted: Vec<_> = values.into_iter().collect();
        sorted.sort_by(f64::total_cmp);
        let at = |rank: usize| sorted.get(rank).copied().unwrap_or_default();
        let end = sorted.len().saturating_sub(1);
        Self { median: at(end / 2), least: at(0), most: at(end) }
    }

    pub(crate) fn once(value: f64) -> Self {
        Self::of([value])
    }
}

/// The value that `percent` of all are not above: the nearest rank, so one that was measured; at 0 the
/// least. Zero where there is none.
pub(crate) fn percentile(values: &[Duration], percent: usize) -> Duration {
    let mut sorted = values.to_vec();
    sorted.sort_unstable();
    let rank = (sorted.len() * percent).div_ceil(100).max(1);
    sorted.get(rank - 1).copied().unwrap_or_default()
}

pub(crate) fn median(values: &[Duration]) -> Duration {
    percentile(values, 50)
}

pub(crate) fn millis(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1e3
}

pub(crate) fn micros(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1e6
}

#[expect(clippy::cast_precision_loss, reason = "counts of requests and bytes are far below 2^52")]
pub(crate) fn float(count: impl TryInto<u64>) -> f64 {
    count.try_into().unwrap_or_default() as f64
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
            assert_eq!(percentile(&hundred, percent), Duration::from_millis(percent as u64));
        }
        assert_eq!(percentile(&hundred, 0), Duration::from_millis(1));
    }

    #[test]
    fn of_few_values_the_99th_percentile_is_the_worst() {
        assert_eq!(percentile(&of(&[2, 90, 4]), 99), Duration::from_millis(90));
        assert_eq!(percentile(&of(&[2]), 99), Duration::from_millis(2));
        assert_eq!(percentile(&[], 99), Duration::ZERO);
    }

    #[test]
    fn a_median_is_the_middle_one_or_the_lower_of_two_and_no_outlier_moves_it() {
        assert_eq!(median(&of(&[7, 1, 3])), Duration::from_millis(3));
        assert_eq!(median(&of(&[7, 1, 3, 5])), Duration::from_millis(3));
        assert_eq!(median(&of(&[10, 11, 12, 13, 9000])), Duration::from_millis(12));
    }

    #[test]
    fn a_spread_has_the_least_and_the_most_of_the_rounds() {
        assert_eq!(Spread::of([4.0, 3.0, 1.0, 2.0]), Spread { median: 2.0, least: 1.0, most: 4.0 });
        assert_eq!(Spread::of([3.0, 1.0, 2.0]), Spread { median: 2.0, least: 1.0, most: 3.0 });
        assert_eq!(Spread::once(7.0), Spread { median: 7.0, least: 7.0, most: 7.0 });
    }
}

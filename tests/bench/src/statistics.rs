use std::time::Duration;

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

/// In milliseconds, and negative where `a` is the shorter.
pub(crate) fn difference(a: Duration, b: Duration) -> f64 {
    millis(a) - millis(b)
}

pub(crate) fn millis(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1e3
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
        assert_eq!(median(&of(&[7, 1, 3])), Duration::from_millis(3));
        assert_eq!(median(&of(&[7, 1, 3, 5])), Duration::from_millis(3), "the lower of two in the middle");
    }

    #[test]
    fn of_few_values_the_99th_percentile_is_the_worst() {
        assert_eq!(percentile(&of(&[2, 90, 4]), 99), Duration::from_millis(90));
        assert_eq!(percentile(&of(&[2]), 99), Duration::from_millis(2));
        assert_eq!(percentile(&[], 99), Duration::ZERO);
    }

    #[test]
    fn one_outlier_does_not_move_the_median() {
        assert_eq!(median(&of(&[10, 11, 12, 13, 9000])), Duration::from_millis(12));
    }

    #[test]
    fn what_is_faster_than_the_other_differs_by_less_than_nothing() {
        let (a, b) = (Duration::from_micros(1500), Duration::from_millis(4));
        assert!((difference(a, b) + 2.5).abs() < 1e-9);
        assert!((difference(b, a) - 2.5).abs() < 1e-9);
    }
}

use jiff::{SignedDuration, Timestamp, Unit};

/// In the largest unit that fits: 45s, 12m, 3h, 9d.
pub(super) fn short(duration: SignedDuration) -> String {
    let seconds = duration.abs().as_secs();
    let (count, unit) = match seconds {
        0..60 => (seconds, 's'),
        60..3_600 => (seconds / 60, 'm'),
        3_600..172_800 => (seconds / 3_600, 'h'),
        _ => (seconds / 86_400, 'd'),
    };
    format!("{count}{unit}")
}

pub(super) fn age(of: Timestamp, now: Timestamp) -> String {
    short(now.duration_since(of).max(SignedDuration::ZERO))
}

/// To the second.
pub(super) fn exact(time: Timestamp) -> String {
    time.round(Unit::Second).unwrap_or(time).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_in_the_largest_unit_that_fits() {
        for (seconds, text) in
            [(0, "0s"), (59, "59s"), (60, "1m"), (7_199, "1h"), (172_799, "47h"), (172_800, "2d")]
        {
            assert_eq!(short(SignedDuration::from_secs(seconds)), text);
        }
    }

    #[test]
    fn what_a_faster_clock_wrote_is_not_older_than_now() {
        let now: Timestamp = "2026-01-31T18:42:00.7Z".parse().unwrap();
        assert_eq!(age(now + SignedDuration::from_secs(3), now), "0s");
        assert_eq!(exact(now), "2026-01-31T18:42:01Z");
    }
}

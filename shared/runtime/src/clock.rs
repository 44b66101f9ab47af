//! The one place that asks for the time, and makes ids from it.

use std::{
    sync::atomic::{AtomicI64, Ordering::Relaxed},
    time::Duration,
};

use jiff::{SignedDuration, Timestamp};
use uuid::Uuid;

#[derive(Debug, Clone, Copy)]
pub struct Clock(Source);

#[derive(Debug, Clone, Copy)]
enum Source {
    System,
    Ahead(&'static AtomicI64),
    Fixed(Timestamp),
}

/// What an invocation counts on that isn't told its deadline.
const UNKNOWN_TIME: Duration = Duration::from_secs(30);

impl Clock {
    pub const fn system() -> Self {
        Self(Source::System)
    }

    /// Is ahead by so many milliseconds at the time, or late if they are negative. For tests.
    pub const fn ahead(millis: &'static AtomicI64) -> Self {
        Self(Source::Ahead(millis))
    }

    /// Always says `at`. For tests.
    pub const fn fixed(at: Timestamp) -> Self {
        Self(Source::Fixed(at))
    }

    #[expect(clippy::disallowed_methods, reason = "this is the place that the ban points to")]
    pub fn now(self) -> Timestamp {
        match self.0 {
            Source::System => Timestamp::now(),
            Source::Ahead(millis) => Timestamp::now() + SignedDuration::from_millis(millis.load(Relaxed)),
            Source::Fixed(at) => at,
        }
    }

    /// A `UUIDv7`: unique, and sorted by the time that it was made.
    pub fn new_id(self) -> Uuid {
        let now = self.now();
        let millis = u64::try_from(now.as_millisecond()).unwrap_or(0);
        let subsec = u32::try_from(now.subsec_nanosecond()).unwrap_or(0);
        Uuid::new_v7(uuid::Timestamp::from_unix(uuid::NoContext, millis / 1000, subsec))
    }

    /// How many milliseconds ago `at` was; none if a clock has said it that is ahead of this one.
    pub fn millis_since(self, at: Timestamp) -> u64 {
        u64::try_from(self.now().duration_since(at).as_millis()).unwrap_or(0)
    }

    /// How long an invocation that begins now has until `deadline`, in milliseconds since 1970 as Lambda gives it. Lambda
    /// begins none after its deadline: one in the past is an emulator's, which gives a constant, and says nothing.
    pub fn until(self, deadline: u64) -> Duration {
        let now = u64::try_from(self.now().as_millisecond()).unwrap_or(0);
        deadline.checked_sub(now).filter(|left| *left > 0).map_or(UNKNOWN_TIME, Duration::from_millis)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clock_that_is_ahead_goes_on_from_there() {
        static AHEAD: AtomicI64 = AtomicI64::new(0);
        let hour = SignedDuration::from_hours(1);
        AHEAD.store(3_600_000, Relaxed);
        let ahead = Clock::ahead(&AHEAD).now().duration_since(Clock::system().now());
        assert!((hour - SignedDuration::from_mins(1)..hour + SignedDuration::from_mins(1)).contains(&ahead));
    }

    #[test]
    fn what_is_yet_to_come_was_no_time_ago() {
        let now: Timestamp = "2026-01-31T18:42:00Z".parse().unwrap();
        let second = SignedDuration::from_secs(1);
        assert_eq!(Clock::fixed(now).millis_since(now - second), 1000);
        assert_eq!(Clock::fixed(now).millis_since(now + second), 0);
    }

    #[test]
    fn a_deadline_that_has_passed_says_nothing() {
        let clock = Clock::system();
        let now = u64::try_from(clock.now().as_millisecond()).unwrap();
        assert!(clock.until(now + 90_000) > Duration::from_secs(80));
        for constant in [0, 600_000] {
            assert_eq!(clock.until(constant), UNKNOWN_TIME);
        }
    }
}

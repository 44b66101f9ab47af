//! The one place that asks for the time, and makes ids from it.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use uuid::Uuid;

#[derive(Debug, Clone, Copy)]
pub struct Clock(Source);

#[derive(Debug, Clone, Copy)]
enum Source {
    System { ahead: SignedDuration },
    Fixed(Timestamp),
}

/// What an invocation counts on that isn't told its deadline.
const UNKNOWN_TIME: Duration = Duration::from_secs(30);

impl Clock {
    pub const fn system() -> Self {
        Self::ahead_of_system(SignedDuration::ZERO)
    }

    /// Is wrong by `ahead`, or late by it if it is negative. For tests.
    pub const fn ahead_of_system(ahead: SignedDuration) -> Self {
        Self(Source::System { ahead })
    }

    /// Always says `at`. For tests.
    pub const fn fixed(at: Timestamp) -> Self {
        Self(Source::Fixed(at))
    }

    #[expect(clippy::disallowed_methods, reason = "this is the place that the ban points to")]
    pub fn now(self) -> Timestamp {
        match self.0 {
            Source::System { ahead } => Timestamp::now() + ahead,
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
    fn a_wrong_clock_is_off_by_what_it_was_told_and_goes_on() {
        let ahead = SignedDuration::from_secs(240);
        let (right, fast) = (Clock::system().now(), Clock::ahead_of_system(ahead).now());
        assert!((ahead..ahead + SignedDuration::from_mins(1)).contains(&fast.duration_since(right)));
        assert!(Clock::ahead_of_system(-ahead).now() < right);
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

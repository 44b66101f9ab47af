use std::{num::NonZeroU32, time::Duration};

use runtime::{ConfigError, Vars};

/// When a breaker opens, and for how long.
#[derive(Debug, Clone, Copy)]
pub struct Policy {
    /// `BREAKER_FAILURES` (5): so many calls of one process that failed in a row open it.
    pub failures: NonZeroU32,
    /// `BREAKER_BASE_SECONDS` (5): how long it is open first. It doubles each time that a probe fails.
    pub base: Duration,
    /// `BREAKER_CAP_SECONDS` (30): the longest that it is open between two probes.
    pub cap: Duration,
}

impl Policy {
    pub fn from_vars(vars: &Vars) -> Result<Self, ConfigError> {
        const FAILURES: NonZeroU32 = NonZeroU32::new(5).expect("5 is not 0");
        Ok(Self {
            failures: vars.parse_or("BREAKER_FAILURES", FAILURES, "a number of failures from 1")?,
            base: vars.seconds_or("BREAKER_BASE_SECONDS", Duration::from_secs(5))?,
            cap: vars.seconds_or("BREAKER_CAP_SECONDS", Duration::from_secs(30))?,
        })
    }

    /// How long it is open when it has opened so many times in a row.
    pub(crate) fn wait(self, times: u32) -> Duration {
        self.base.saturating_mul(2_u32.saturating_pow(times.saturating_sub(1))).min(self.cap)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_open_for_twice_as_long_each_time_up_to_the_cap() {
        let policy = Policy::from_vars(&Vars::default()).unwrap();
        let waits = [0, 1, 2, 3, 4, 5, 40, u32::MAX].map(|times| policy.wait(times).as_secs());
        assert_eq!(waits, [5, 5, 10, 20, 30, 30, 30, 30]);
    }

    #[test]
    fn one_that_would_open_without_a_failure_stops_the_start() {
        let error = Policy::from_vars(&Vars::from_iter([("BREAKER_FAILURES", "0")])).unwrap_err();
        assert_eq!(error.name, "BREAKER_FAILURES");
    }
}

use std::time::Duration;

use backon::{BackoffBuilder, ExponentialBuilder};
use breaker::Permit;
use runtime::{ConfigError, Vars};
use tokio::time::{Instant, sleep};

use crate::breakers;

/// How often Okta is asked again.
#[derive(Debug, Clone, Copy)]
pub struct RetryPolicy {
    /// `RETRY_MAX_ATTEMPTS` (3), the first included.
    pub attempts: usize,
    /// `RETRY_BASE_SECONDS` (2): the wait before the second attempt. It doubles, with up to as much again of jitter.
    pub base: Duration,
    /// `RETRY_CAP_SECONDS` (30): the longest wait that we choose; a rate limit may ask for more.
    pub cap: Duration,
}

/// The last error, and how many attempts it took.
#[derive(Debug)]
pub(crate) struct Exhausted {
    pub(crate) error: okta::Error,
    pub(crate) attempts: u32,
    /// Another attempt would have been due, and only the invocation's time was in its way.
    pub(crate) cut_short: bool,
}

impl RetryPolicy {
    /// One attempt, for those who wait for an answer.
    pub(crate) const ONCE: Self = Self { attempts: 1, base: Duration::ZERO, cap: Duration::ZERO };

    pub fn from_vars(vars: &Vars) -> Result<Self, ConfigError> {
        Ok(Self {
            attempts: vars.parse_or("RETRY_MAX_ATTEMPTS", 3, "a number of attempts")?,
            base: vars.seconds_or("RETRY_BASE_SECONDS", Duration::from_secs(2))?,
            cap: vars.seconds_or("RETRY_CAP_SECONDS", Duration::from_secs(30))?,
        })
    }

    /// Asks until there is an answer, an error that another attempt can't mend, or no time before `give_up_at`; or until Okta's
    /// breaker has opened, of which whoever asks may have a permit.
    pub(crate) async fn run<T, F>(
        self,
        give_up_at: Instant,
        permit: Option<&Permit>,
        mut ask: impl FnMut() -> F,
    ) -> Result<T, Exhausted>
    where
        F: Future<Output = Result<T, okta::Error>>,
    {
        let mut backoffs = ExponentialBuilder::default()
            .with_factor(2.0)
            .with_min_delay(self.base)
            .with_max_delay(self.cap)
            .with_max_times(self.attempts.saturating_sub(1))
            .with_jitter()
            .build();
        let mut attempts = 0;
        loop {
            attempts += 1;
            let error = match ask().await {
                Ok(answer) => return Ok(answer),
                Err(error) => error,
            };
            let next = if is_transient(&error) && !is_over(permit, &error) {
                Next::of(&error, backoffs.next().map(|backoff| backoff.min(self.cap)), give_up_at)
            } else {
                Next::End { cut_short: false }
            };
            // A failure that another attempt may mend is none yet.
            if let Some(permit) = permit
                && (matches!(next, Next::End { .. }) || !breakers::is_failure(&error))
            {
                breakers::note(permit, &error).await;
            }
            let wait = match next {
                Next::After(wait) => wait,
                Next::End { cut_short } => return Err(Exhausted { error, attempts, cut_short }),
            };
            tracing::info!(%error, ?wait, attempt = attempts, "asking Okta again");
            sleep(wait).await;
            if permit.is_some_and(Permit::is_over) {
                return Err(Exhausted { error, attempts, cut_short: false });
            }
        }
    }
}

/// What follows an attempt that another may mend.
#[derive(Debug, Clone, Copy)]
enum Next {
    After(Duration),
    End { cut_short: bool },
}

impl Next {
    fn of(error: &okta::Error, backoff: Option<Duration>, give_up_at: Instant) -> Self {
        let Some(backoff) = backoff else { return Self::End { cut_short: false } };
        let wait = wait(error, backoff);
        // Okta may ask for a wait that no clock knows.
        if Instant::now().checked_add(wait).is_none_or(|again| again >= give_up_at) {
            // Delivered again, a rate limit would only be met again.
            return Self::End { cut_short: breakers::is_failure(error) };
        }
        Self::After(wait)
    }
}

/// Whether the breaker lets nobody ask again: others have opened it, or a probe has failed.
fn is_over(permit: Option<&Permit>, error: &okta::Error) -> bool {
    permit.is_some_and(|permit| permit.is_over() || (permit.is_probe() && breakers::is_failure(error)))
}

fn is_transient(error: &okta::Error) -> bool {
    match error {
        okta::Error::RateLimited { .. }
        | okta::Error::Unreachable(_)
        | okta::Error::Failed { .. }
        | okta::Error::NoToken(_) => true,
        okta::Error::NotFound | okta::Error::Unauthorized { .. } | okta::Error::Malformed(_) => false,
    }
}

/// What Okta asks for, plus a share of the jittered backoff so that not everybody comes back at once; else the backoff.
fn wait(error: &okta::Error, backoff: Duration) -> Duration {
    match error {
        okta::Error::RateLimited { wait, .. } => wait.saturating_add(backoff / 4),
        _ => backoff,
    }
}

#[cfg(test)]
mod tests {
    use futures_util::future::join_all;
    use okta::{Error, Limit};
    use runtime::Clock;

    use super::*;

    const POLICY: RetryPolicy =
        RetryPolicy { attempts: 3, base: Duration::from_secs(2), cap: Duration::from_secs(30) };

    /// The times of the attempts when each meets `error`, on a paused clock.
    async fn attempts(error: impl Fn() -> Error, time_left: Duration) -> Vec<Duration> {
        let began = Instant::now();
        let times = std::cell::RefCell::new(Vec::new());
        let outcome: Result<(), Exhausted> = POLICY
            .run(began + time_left, None, || {
                times.borrow_mut().push(began.elapsed());
                std::future::ready(Err(error()))
            })
            .await;
        assert_eq!(outcome.unwrap_err().attempts as usize, times.borrow().len());
        times.into_inner()
    }

    fn secs(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    #[tokio::test(start_paused = true)]
    async fn three_attempts_two_and_four_jittered_seconds_apart() {
        let times = attempts(|| Error::Failed { status: 503 }, secs(60)).await;
        assert_eq!(times.len(), 3);
        assert!((secs(2)..=secs(4)).contains(&times[1].checked_sub(times[0]).unwrap()), "{times:?}");
        assert!((secs(4)..=secs(8)).contains(&times[2].checked_sub(times[1]).unwrap()), "{times:?}");
    }

    #[tokio::test(start_paused = true)]
    async fn a_rate_limit_is_waited_out_as_okta_says() {
        let limited = || Error::RateLimited { limit: Limit::Org, wait: secs(40) };
        let times = attempts(limited, secs(600)).await;
        assert_eq!(times.len(), 3);
        assert!(times[1] >= secs(40) && times[1] <= secs(42), "{times:?}");
    }

    #[tokio::test(start_paused = true)]
    async fn no_wait_goes_past_the_deadline() {
        let limited = || Error::RateLimited { limit: Limit::Org, wait: secs(40) };
        assert_eq!(attempts(limited, secs(30)).await.len(), 1);
        assert_eq!(attempts(|| Error::Failed { status: 500 }, secs(5)).await.len(), 2);
    }

    #[tokio::test(start_paused = true)]
    async fn a_wait_that_no_clock_knows_is_not_waited() {
        for wait in [Duration::MAX, secs(i64::MAX.unsigned_abs())] {
            let limited = || Error::RateLimited { limit: Limit::Org, wait };
            assert_eq!(attempts(limited, secs(600)).await.len(), 1);
        }
    }

    #[tokio::test(start_paused = true)]
    async fn what_another_attempt_cannot_mend_is_asked_once() {
        assert_eq!(attempts(|| Error::Unauthorized { status: 401 }, secs(60)).await.len(), 1);
        assert_eq!(attempts(|| Error::Malformed("x"), secs(60)).await.len(), 1);
        assert_eq!(attempts(|| Error::NotFound, secs(60)).await.len(), 1);
    }

    #[tokio::test(start_paused = true)]
    async fn a_wait_that_ends_with_the_time_is_not_waited() {
        let policy = RetryPolicy { base: Duration::ZERO, ..POLICY };
        let mut asked = 0;
        let outcome: Result<(), Exhausted> = policy
            .run(Instant::now() + secs(40), None, || {
                asked += 1;
                std::future::ready(Err(Error::RateLimited { limit: Limit::Org, wait: secs(40) }))
            })
            .await;
        assert_eq!((outcome.unwrap_err().attempts, asked), (1, 1));
    }

    #[tokio::test(start_paused = true)]
    async fn once_the_breaker_is_open_nobody_goes_on_and_none_of_it_is_cut_short() {
        let breaker = breakers::okta(&Vars::default(), breakers::tests::cache(), Clock::system()).unwrap();
        let began = Instant::now();
        let permits = join_all((0..10).map(|_| breaker.permit())).await;
        let asking = permits.into_iter().map(async |permit| {
            let permit = permit.unwrap();
            let ask = || std::future::ready(Err::<(), _>(Error::Failed { status: 503 }));
            let exhausted = POLICY.run(began + secs(60), Some(&permit), ask).await.unwrap_err();
            (exhausted.attempts, exhausted.cut_short)
        });
        let mut ended = join_all(asking).await;
        ended.sort_unstable();
        assert_eq!(ended[0], (2, false), "who waits to ask again when it opens doesn't ask");
        assert_eq!(ended[5..], [(3, false); 5], "it opens with the fifth who was asked for in vain");
    }

    #[tokio::test(start_paused = true)]
    async fn an_outage_that_retries_outlast_opens_nothing() {
        let breaker = breakers::okta(&Vars::default(), breakers::tests::cache(), Clock::system()).unwrap();
        let began = Instant::now();
        let permits = join_all((0..40).map(|_| breaker.permit())).await;
        let asking = permits.into_iter().map(async |permit| {
            let permit = permit.unwrap();
            let ask = || {
                let is_over = began.elapsed() > Duration::from_millis(1500);
                std::future::ready(if is_over { Ok(()) } else { Err(Error::Failed { status: 503 }) })
            };
            POLICY.run(began + secs(60), Some(&permit), ask).await
        });
        assert!(join_all(asking).await.iter().all(Result::is_ok));
        assert!(breaker.permit().await.is_ok());
    }

    /// Whether it counts as cut short, with this much time.
    async fn cut_short(error: impl Fn() -> Error, time_left: Duration) -> bool {
        let ask = || std::future::ready(Err::<(), _>(error()));
        POLICY.run(Instant::now() + time_left, None, ask).await.unwrap_err().cut_short
    }

    #[tokio::test(start_paused = true)]
    async fn only_what_another_delivery_may_mend_is_cut_short_and_only_before_the_last_attempt() {
        let failed = || Error::Failed { status: 503 };
        for (seconds, expected) in [(1, true), (5, true), (60, false)] {
            assert_eq!(cut_short(failed, secs(seconds)).await, expected, "{seconds} s");
        }
        let limited = || Error::RateLimited { limit: Limit::Org, wait: secs(40) };
        assert!(!cut_short(limited, secs(30)).await, "delivered again, it would be met again");
        assert!(!cut_short(|| Error::Malformed("x"), secs(30)).await);
    }
}

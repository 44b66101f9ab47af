use std::time::Duration;

use lambda_runtime::Context;
use runtime::Clock;
use tokio::time::Instant;

/// How an invocation spends its time.
#[derive(Debug, Clone, Copy)]
pub struct Deadline {
    /// From here on no record is started: what is started has time for more than a glance.
    pub stop_starting: Instant,
    /// From here on a handler waits for nobody, and brings to an end what it has.
    pub give_up: Instant,
    /// Here a record that still runs is dropped and reported, so that the answer reaches Lambda in time.
    pub cut_off: Instant,
}

impl Deadline {
    /// Of an invocation that has `remaining` left: the last 20 s start nothing, the last 5 s wait for nobody, the last
    /// 0.5 s are for the answer; for short ones 40, 10 and 5 percent.
    pub fn after(remaining: Duration) -> Self {
        let now = Instant::now();
        let before_the_end = |most: Duration, percent: u32| {
            now + remaining.saturating_sub(most.min(remaining * percent / 100))
        };
        Self {
            stop_starting: before_the_end(Duration::from_secs(20), 40),
            give_up: before_the_end(Duration::from_secs(5), 10),
            cut_off: before_the_end(Duration::from_millis(500), 5),
        }
    }

    pub(crate) fn of(context: &Context, clock: Clock) -> Self {
        Self::after(clock.until(context.deadline))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn every_part_of_the_deadline_comes_before_the_next() {
        for millis in [0, 1, 100, 3_000, 30_000, 90_000, 840_000] {
            let (now, remaining) = (Instant::now(), Duration::from_millis(millis));
            let deadline = Deadline::after(remaining);
            assert!(now <= deadline.stop_starting && deadline.stop_starting <= deadline.give_up);
            assert!(deadline.give_up <= deadline.cut_off && deadline.cut_off <= now + remaining);
        }
        for (remaining, parts) in
            [(90_000, [70_000, 85_000, 89_500]), (10_000, [6_000, 9_000, 9_500]), (100, [60, 90, 95])]
        {
            let (now, deadline) = (Instant::now(), Deadline::after(Duration::from_millis(remaining)));
            let after = [deadline.stop_starting, deadline.give_up, deadline.cut_off]
                .map(|part| (part - now).as_millis());
            assert_eq!(after, parts, "of {remaining} ms");
        }
    }
}

use std::time::Duration;

use tokio::{
    sync::Mutex,
    time::{Instant, sleep_until},
};

/// Lets so many through a second, one after the other.
#[derive(Debug)]
pub struct Pace {
    pause: Duration,
    next: Mutex<Instant>,
}

impl Pace {
    pub fn new(per_second: u32) -> Self {
        Self { pause: Duration::from_secs(1) / per_second.max(1), next: Mutex::new(Instant::now()) }
    }

    /// Waits for the next turn. `false`, at once, if that is only after `end`.
    pub async fn wait_before(&self, end: Instant) -> bool {
        let turn = {
            let mut next = self.next.lock().await;
            let turn = (*next).max(Instant::now());
            if turn >= end {
                return false;
            }
            *next = turn + self.pause;
            turn
        };
        sleep_until(turn).await;
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn so_many_pass_a_second_and_none_after_the_end() {
        let (pace, begin) = (Pace::new(10), Instant::now());
        let end = begin + Duration::from_secs(1);
        let mut passed = 0;
        while pace.wait_before(end).await {
            passed += 1;
        }
        assert_eq!((passed, begin.elapsed()), (10, Duration::from_millis(900)));
    }
}

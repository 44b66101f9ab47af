//! Closed loops: each connection sends its next request when it has the answer to the last one.

use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use futures_util::future::try_join_all;
use tokio::time::timeout;

use crate::candidates::Measured;

/// How long one answer may take on a busy machine.
const LIMIT: Duration = Duration::from_mins(1);

/// One connection, or one caller in this process.
pub(crate) trait Client {
    /// One request and its answer. An answer that isn't the expected one is an error.
    async fn call(&mut self) -> Result<()>;
}

/// How often and for how long is measured.
#[derive(Debug, Clone, Copy, clap::Args)]
pub(crate) struct Plan {
    /// How often each is measured, in turns
    #[arg(long, default_value_t = 3)]
    pub(crate) rounds: usize,
    /// For how long, in seconds; a fifth of it before that is not counted
    #[arg(long, default_value = "2", value_parser = seconds)]
    pub(crate) time: Duration,
}

impl Plan {
    /// Loads the clients for the plan's time; `cpu` is what the measured processes have used so far.
    pub(crate) async fn drive<C: Client>(
        self,
        clients: &mut [C],
        cpu: impl Fn() -> Result<Duration>,
    ) -> Result<Measured> {
        run(clients, self.time / 5).await?;
        let (began, used) = (Instant::now(), cpu()?);
        let latencies = run(clients, self.time).await?;
        ensure!(!latencies.is_empty(), "nothing was asked within {:?}", self.time);
        Ok(Measured::of(&latencies, began.elapsed(), cpu()?.saturating_sub(used)))
    }
}

async fn run<C: Client>(clients: &mut [C], time: Duration) -> Result<Vec<Duration>> {
    let end = Instant::now() + time;
    let loops = clients.iter_mut().map(async |client| {
        let mut latencies = Vec::new();
        loop {
            let began = Instant::now();
            if began >= end {
                return anyhow::Ok(latencies);
            }
            client.call().await?;
            latencies.push(began.elapsed());
        }
    });
    let all = timeout(time + LIMIT, try_join_all(loops)).await.context("an answer did not come")?;
    Ok(all?.concat())
}

fn seconds(text: &str) -> Result<Duration, String> {
    let seconds = text.parse().ok().and_then(|seconds| Duration::try_from_secs_f64(seconds).ok());
    seconds
        .filter(|time| !time.is_zero())
        .ok_or_else(|| "a number of seconds is expected, such as 0.5".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    struct FailsLater(u32);

    impl Client for FailsLater {
        async fn call(&mut self) -> Result<()> {
            self.0 += 1;
            ensure!(self.0 < 4, "the fourth fails");
            tokio::task::yield_now().await;
            Ok(())
        }
    }

    #[tokio::test]
    async fn a_wrong_answer_ends_the_run() {
        let plan = Plan { rounds: 1, time: LIMIT };
        let error = plan.drive(&mut [FailsLater(0), FailsLater(0)], || Ok(Duration::ZERO)).await.unwrap_err();
        assert_eq!(error.to_string(), "the fourth fails");
    }

    #[test]
    fn a_time_is_a_positive_number_of_seconds() {
        assert_eq!(seconds("0.5"), Ok(Duration::from_millis(500)));
        for wrong in ["0", "-1", "soon", "inf"] {
            assert!(seconds(wrong).is_err(), "{wrong}");
        }
    }
}

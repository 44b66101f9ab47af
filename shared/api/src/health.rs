//! Whether a function can do its work, and how what it rests on is.

use std::time::Duration;

use lambda_http::http::StatusCode;
use runtime::telemetry;
use serde::Serialize;
use tokio::time::{Instant, timeout};

/// How long a dependency may take to answer: long enough for a slow one, short enough for a load balancer's patience.
pub const TIMEOUT: Duration = Duration::from_secs(2);

/// Of a function.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Readiness {
    Ready,
    /// It does its work; something is away that it can do without.
    Degraded,
    Down,
}

/// Something that was asked whether it answers.
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Dependency {
    pub status: DependencyStatus,
    pub latency_ms: f64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum DependencyStatus {
    Up,
    Down,
}

/// Which of the things that a function rests on are up.
#[derive(Debug, Clone, Copy)]
pub struct Up {
    /// What it can't work without.
    pub required: bool,
    /// What it works worse without.
    pub optional: bool,
}

impl Readiness {
    pub fn of(up: Up) -> Self {
        match up {
            Up { required: true, optional: true } => Self::Ready,
            Up { required: true, optional: false } => Self::Degraded,
            Up { required: false, .. } => Self::Down,
        }
    }

    pub fn http_status(self) -> StatusCode {
        match self {
            Self::Ready | Self::Degraded => StatusCode::OK,
            Self::Down => StatusCode::SERVICE_UNAVAILABLE,
        }
    }
}

impl Dependency {
    pub fn is_up(&self) -> bool {
        self.status == DependencyStatus::Up
    }
}

/// Asks the dependency by `ping`, for [`TIMEOUT`] at most.
pub async fn probe<E: std::error::Error + 'static>(
    dependency: &'static str,
    ping: impl Future<Output = Result<(), E>>,
) -> Dependency {
    let began = Instant::now();
    let status = match timeout(TIMEOUT, ping).await {
        Ok(Ok(())) => DependencyStatus::Up,
        Ok(Err(error)) => {
            tracing::warn!(dependency, error = telemetry::chain(&error), "a dependency is down");
            DependencyStatus::Down
        }
        Err(_elapsed) => {
            tracing::warn!(dependency, limit = ?TIMEOUT, "a dependency did not answer in time");
            DependencyStatus::Down
        }
    };
    // To the microsecond.
    let latency_ms = (began.elapsed().as_secs_f64() * 1e6).round() / 1e3;
    Dependency { status, latency_ms }
}

#[cfg(test)]
mod tests {
    use std::{
        convert::Infallible,
        fmt,
        future::{pending, ready},
    };

    use tokio::time::sleep;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_slow_answer_is_told_in_milliseconds() {
        let slow = async {
            sleep(Duration::from_millis(250)).await;
            Ok::<_, Infallible>(())
        };
        let slow = probe("store", slow).await;
        assert_eq!((slow.status, slow.latency_ms.round()), (DependencyStatus::Up, 250.0));
    }

    #[tokio::test(start_paused = true)]
    async fn what_hangs_is_down_after_two_seconds_and_what_refuses_at_once() {
        let hung = probe("store", pending::<Result<(), Infallible>>()).await;
        assert_eq!((hung.status, hung.latency_ms.round()), (DependencyStatus::Down, 2000.0));
        let refused = probe("store", ready(Err(fmt::Error))).await;
        assert_eq!((refused.status, refused.latency_ms), (DependencyStatus::Down, 0.0));
    }

    #[test]
    fn only_what_can_do_its_work_is_answered_with_200() {
        for (required, optional, expected, status) in [
            (true, true, Readiness::Ready, 200),
            (true, false, Readiness::Degraded, 200),
            (false, true, Readiness::Down, 503),
            (false, false, Readiness::Down, 503),
        ] {
            let readiness = Readiness::of(Up { required, optional });
            assert_eq!((readiness, readiness.http_status().as_u16()), (expected, status));
        }
    }
}

use std::{
    collections::{BTreeMap, VecDeque},
    time::Duration,
};

use tokio::time::Instant;

use super::{Behaviour, Fault, random::Random};

/// Okta's limits are per minute.
const WINDOW: Duration = Duration::from_mins(1);

/// What the headers say while there is no limit: Okta's default for `/api/v1/users`.
const UNLIMITED: u32 = 600;

/// What was asked of the directory, and what may still be asked.
#[derive(Debug)]
pub(super) struct Traffic {
    requests: u64,
    in_flight: usize,
    window_start: Instant,
    in_window: u32,
    faults: VecDeque<Fault>,
    /// By login.
    lasting: BTreeMap<String, Fault>,
    errors: Random,
}

/// The three `X-Rate-Limit` headers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Standing {
    pub(super) limit: u32,
    pub(super) remaining: u32,
    pub(super) reset_in: Duration,
}

impl Traffic {
    pub(super) fn new(now: Instant) -> Self {
        Self {
            requests: 0,
            in_flight: 0,
            window_start: now,
            in_window: 0,
            faults: VecDeque::new(),
            lasting: BTreeMap::new(),
            errors: Random::new(0),
        }
    }

    pub(super) fn requests(&self) -> u64 {
        self.requests
    }

    pub(super) fn fail_no_more(&mut self) {
        self.faults.clear();
    }

    pub(super) fn fail_next(&mut self, fault: Fault) {
        self.faults.push_back(fault);
    }

    pub(super) fn fail_look_ups_of(&mut self, login: &str, fault: Option<Fault>) {
        match fault {
            Some(fault) => self.lasting.insert(login.to_owned(), fault),
            None => self.lasting.remove(login),
        };
    }

    /// The lasting fault of a look-up by login.
    pub(super) fn lasting_fault(&self, path: &str) -> Option<Fault> {
        self.lasting.get(path.strip_prefix("/api/v1/users/")?).copied()
    }

    /// Counts a request, whatever becomes of it.
    pub(super) fn arrive(&mut self) {
        self.requests += 1;
    }

    /// Begins a request that had the right token, and says what goes wrong with it. Ends with [`Self::leave`].
    pub(super) fn enter(&mut self, behaviour: &Behaviour, now: Instant) -> Option<Fault> {
        self.in_flight += 1;
        if let Some(fault) = self.faults.pop_front() {
            return Some(fault);
        }
        let standing = self.standing(behaviour, now);
        if standing.remaining == 0 {
            return Some(Fault::OrgLimit { reset_in: standing.reset_in });
        }
        if behaviour.concurrent_requests.is_some_and(|limit| self.in_flight > limit) {
            return Some(Fault::ConcurrencyLimit);
        }
        self.in_window += 1;
        // Drawn by chance, not every n-th: callers that make n requests each would fail always or never.
        let fails = self.errors.chance(behaviour.error_rate);
        fails.then(|| Fault::Status(if self.errors.chance(0.5) { 500 } else { 503 }))
    }

    pub(super) fn leave(&mut self) {
        self.in_flight -= 1;
    }

    pub(super) fn standing(&mut self, behaviour: &Behaviour, now: Instant) -> Standing {
        if now.duration_since(self.window_start) >= WINDOW {
            self.window_start = now;
            self.in_window = 0;
        }
        let reset_in = WINDOW.saturating_sub(now.duration_since(self.window_start));
        match behaviour.requests_per_minute {
            Some(limit) => Standing { limit, remaining: limit.saturating_sub(self.in_window), reset_in },
            None => Standing { limit: UNLIMITED, remaining: UNLIMITED, reset_in },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_org_limit_refuses_until_its_window_is_over() {
        let start = Instant::now();
        let mut traffic = Traffic::new(start);
        let behaviour = Behaviour { requests_per_minute: Some(2), ..Behaviour::default() };
        assert_eq!(traffic.enter(&behaviour, start), None);
        assert_eq!(traffic.enter(&behaviour, start), None);
        let later = start + Duration::from_secs(20);
        let reset_in = Duration::from_secs(40);
        assert_eq!(traffic.enter(&behaviour, later), Some(Fault::OrgLimit { reset_in }));
        assert_eq!(traffic.standing(&behaviour, later), Standing { limit: 2, remaining: 0, reset_in });
        assert_eq!(traffic.enter(&behaviour, start + WINDOW), None);
    }

    #[test]
    fn a_concurrency_limit_refuses_until_another_request_ends() {
        let now = Instant::now();
        let mut traffic = Traffic::new(now);
        let behaviour = Behaviour { concurrent_requests: Some(1), ..Behaviour::default() };
        assert_eq!(traffic.enter(&behaviour, now), None);
        assert_eq!(traffic.enter(&behaviour, now), Some(Fault::ConcurrencyLimit));
        traffic.leave();
        traffic.leave();
        assert_eq!(traffic.enter(&behaviour, now), None);
    }

    #[test]
    fn faults_come_in_order_and_before_everything_else() {
        let now = Instant::now();
        let mut traffic = Traffic::new(now);
        let behaviour = Behaviour { error_rate: 1.0, ..Behaviour::default() };
        traffic.fail_next(Fault::Hang);
        traffic.fail_next(Fault::Garbage);
        assert_eq!(traffic.enter(&behaviour, now), Some(Fault::Hang));
        assert_eq!(traffic.enter(&behaviour, now), Some(Fault::Garbage));
        assert!(matches!(traffic.enter(&behaviour, now), Some(Fault::Status(500 | 503))));
    }
}

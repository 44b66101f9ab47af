//! The life of a letter, as pure rules: what may happen in which state, and what is due next.

use std::time::Duration;

pub use contracts::LetterState;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

/// When a transient failure is tried again by itself, counted from its last failure, each ±20 %.
const SCHEDULE: [SignedDuration; 5] = [
    SignedDuration::from_mins(1),
    SignedDuration::from_mins(5),
    SignedDuration::from_mins(30),
    SignedDuration::from_hours(2),
    SignedDuration::from_hours(12),
];

/// How long a redrive may stay unconfirmed before it is published again, and how soon its outcome is asked for. Each
/// further time is after as long again.
const MIN_CHECK_INTERVAL: SignedDuration = SignedDuration::from_mins(1);

/// Between two tries to publish, or two looks at an outcome.
const MAX_CHECK_INTERVAL: SignedDuration = SignedDuration::from_hours(1);

/// A record is seven days on its topic at the most before Lambda makes it a dead letter again.
const OUTCOME_TIMEOUT: SignedDuration = SignedDuration::from_hours(8 * 24);

/// Where a letter stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Life {
    pub state: LetterState,
    /// The newest redrive, from 1. The number travels with the record, to be known when it comes back.
    pub redrives: u32,
    /// The newest redrive that came back.
    returned: u32,
    /// Redrives by schedule since a person last redrove it.
    automatic: u32,
    /// Whether the brokers are known to have the newest redrive.
    published: bool,
    pub(crate) redriven_at: Option<Timestamp>,
    /// Whether its payload may have been made to expire.
    pub(crate) expiring: bool,
    /// When the letter goes on by itself: is redriven or published again, its outcome checked, or its payload made to expire.
    pub due_at: Option<Timestamp>,
}

/// What can happen to a letter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// A person redrives it.
    Redrive,
    /// Its time has come to be redriven by the schedule.
    RedriveBySchedule,
    /// The newest redrive is published once more: nobody knows whether the brokers have it.
    Republish,
    /// The brokers have the newest redrive.
    Published,
    /// It can't be published: its payload is gone, or too large.
    Quarantine,
    /// Its record went through.
    Resolve,
    /// Its record has had no outcome yet.
    OutcomePending,
    /// Redrive number `redrive` failed.
    Returned { redrive: u32, retriable: bool },
    /// A person discards it.
    Discard,
    /// It is over, and its payload expires.
    Expired,
}

/// The letter's state doesn't allow the step.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a letter that is {} can't be {verb}", .state.name())]
pub struct Refused {
    pub state: LetterState,
    pub verb: &'static str,
}

/// Spreads the letters of one outage: from -20 % to +20 %.
#[derive(Debug, Clone, Copy)]
pub struct Jitter(i32);

impl Life {
    /// Of a new letter. `retriable`: another try can succeed with nothing changed by a person.
    pub fn begin(retriable: bool, now: Timestamp, jitter: Jitter) -> Self {
        let parked = Self {
            state: LetterState::Parked,
            redrives: 0,
            returned: 0,
            automatic: 0,
            published: false,
            redriven_at: None,
            expiring: false,
            due_at: None,
        };
        if retriable { parked.scheduled(now, jitter) } else { parked }
    }

    pub fn after(self, step: Step, now: Timestamp, jitter: Jitter) -> Result<Self, Refused> {
        let refused = |verb| Err(Refused { state: self.state, verb });
        match (step, self.state) {
            (Step::Redrive, LetterState::Resolved) => refused("redriven"),
            (Step::Redrive, _) => Ok(Self { automatic: 0, ..self.redriven(now) }),

            (Step::RedriveBySchedule, LetterState::Scheduled) => {
                Ok(Self { automatic: self.automatic + 1, ..self.redriven(now) })
            }
            (Step::RedriveBySchedule, _) => refused("redriven by schedule"),

            (Step::Republish, LetterState::Redriven) if !self.published => Ok(self.outcome_pending(now)),
            (Step::Republish, _) => refused("published again"),

            (Step::Published, LetterState::Redriven) => {
                Ok(Self { published: true, expiring: false, due_at: Some(now + MIN_CHECK_INTERVAL), ..self })
            }
            // It has come back, or a person decided, before we could note it.
            (Step::Published, _) => Ok(self),

            (Step::Quarantine, LetterState::Redriven) => Ok(self.at_rest(LetterState::Quarantined)),
            (Step::Quarantine, _) => refused("quarantined"),

            (Step::Resolve, LetterState::Redriven) => Ok(self.over(LetterState::Resolved, now)),
            (Step::Resolve, _) => refused("resolved"),

            (Step::OutcomePending, LetterState::Redriven) => Ok(self.outcome_pending(now)),
            (Step::OutcomePending, _) => refused("waited for"),

            (Step::Returned { redrive, .. }, _) if redrive <= self.returned => Ok(self),
            (Step::Returned { redrive, retriable }, LetterState::Redriven) if redrive >= self.redrives => {
                Ok(Self { returned: redrive, redrives: redrive, ..self }.returned(retriable, now, jitter))
            }
            // An older copy, while a newer one is on its way or when it is over: only noted.
            (Step::Returned { redrive, .. }, _) => {
                Ok(Self { returned: redrive, redrives: self.redrives.max(redrive), ..self })
            }

            (Step::Discard, LetterState::Resolved | LetterState::Discarded) => refused("discarded"),
            (Step::Discard, _) => Ok(self.over(LetterState::Discarded, now)),

            (Step::Expired, LetterState::Resolved | LetterState::Discarded) => Ok(self.at_rest(self.state)),
            (Step::Expired, _) => refused("expired"),
        }
    }

    /// What has to be done for a letter whose time has come.
    pub fn due(self) -> Due {
        match self.state {
            LetterState::Scheduled => Due::Redrive,
            LetterState::Redriven if self.published => Due::CheckOutcome,
            LetterState::Redriven => Due::Republish,
            LetterState::Resolved | LetterState::Discarded if self.due_at.is_some() => Due::Expire,
            LetterState::Parked
            | LetterState::Resolved
            | LetterState::Quarantined
            | LetterState::Discarded => Due::Nothing,
        }
    }

    /// When it is tried again without anybody doing something.
    pub(crate) fn next_attempt(self) -> Option<Timestamp> {
        self.due_at.filter(|_| self.state == LetterState::Scheduled)
    }

    /// Whether its newest redrive has been without an outcome for so long that none is to be expected.
    pub(crate) fn is_overdue(self, now: Timestamp) -> bool {
        self.since_redrive(now) >= OUTCOME_TIMEOUT
    }

    fn scheduled(self, now: Timestamp, jitter: Jitter) -> Self {
        let wait = SCHEDULE.get(usize::try_from(self.automatic).unwrap_or(usize::MAX));
        match wait {
            Some(wait) => {
                Self { due_at: Some(now + jitter.of(*wait)), ..self.at_rest(LetterState::Scheduled) }
            }
            None => self.at_rest(LetterState::Quarantined),
        }
    }

    fn redriven(self, now: Timestamp) -> Self {
        Self {
            state: LetterState::Redriven,
            // The number came with a record, and anybody may write a topic.
            redrives: self.redrives.saturating_add(1),
            published: false,
            redriven_at: Some(now),
            due_at: Some(now + MIN_CHECK_INTERVAL),
            ..self
        }
    }

    fn returned(self, retriable: bool, now: Timestamp, jitter: Jitter) -> Self {
        if retriable { self.scheduled(now, jitter) } else { self.at_rest(LetterState::Parked) }
    }

    /// Looks again after as long as it has been away already.
    fn outcome_pending(self, now: Timestamp) -> Self {
        if self.is_overdue(now) {
            return self.at_rest(LetterState::Quarantined);
        }
        Self {
            due_at: Some(now + self.since_redrive(now).clamp(MIN_CHECK_INTERVAL, MAX_CHECK_INTERVAL)),
            ..self
        }
    }

    fn since_redrive(self, now: Timestamp) -> SignedDuration {
        self.redriven_at.map_or(OUTCOME_TIMEOUT, |at| now.duration_since(at))
    }

    fn over(self, state: LetterState, now: Timestamp) -> Self {
        Self { due_at: Some(now), expiring: true, ..self.at_rest(state) }
    }

    fn at_rest(self, state: LetterState) -> Self {
        Self { state, due_at: None, ..self }
    }
}

/// What has to be done when a letter's time has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Due {
    Redrive,
    /// The process ended between the decision and the brokers' acknowledgement.
    Republish,
    /// Whether its record went through.
    CheckOutcome,
    /// It is over: its payload is made to expire.
    Expire,
    Nothing,
}

impl Jitter {
    /// From bytes that differ from letter to letter, so that the same letter always gets the same.
    pub fn from_bytes(bytes: [u8; 2]) -> Self {
        Self(i32::from(u16::from_be_bytes(bytes) % 401) - 200)
    }

    fn of(self, wait: SignedDuration) -> SignedDuration {
        wait + wait * self.0 / 1000
    }
}

/// How long a letter is kept once it is over: long enough to regret a discard, short enough for personal data.
pub(crate) const KEPT_WHEN_OVER: Duration = Duration::from_hours(30 * 24);

#[cfg(test)]
mod tests;

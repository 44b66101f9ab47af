//! The life of a letter, as pure rules: what may happen in which state, and what is due next.

use std::time::Duration;

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

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(rename = "LetterState"))]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// Waits for a person.
    Parked,
    /// Will be redriven by itself.
    Scheduled,
    /// On its way through its topic again.
    Redriven,
    /// Its record went through.
    Resolved,
    /// Was redriven by itself as often as that is done. Waits for a person.
    Quarantined,
    /// A person decided that it isn't needed.
    Discarded,
}

/// Where a letter stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Life {
    pub state: State,
    /// The newest redrive, from 1. The number travels with the record, to be known when it comes back.
    pub redrives: u32,
    /// The newest redrive that came back.
    returned: u32,
    /// Redrives by schedule since a person last redrove it.
    automatic: u32,
    /// Whether the brokers are known to have the newest redrive.
    published: bool,
    pub(crate) redriven_at: Option<Timestamp>,
    /// Whether what it held may have been given an end.
    pub(crate) expiring: bool,
    /// When the letter goes on by itself: is redriven, published again, asked after, or given an end.
    pub due_at: Option<Timestamp>,
}

/// What can happen to a letter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// A person redrives it.
    Redrive,
    /// Its time has come to be redriven by itself.
    RedriveByItself,
    /// The newest redrive is sent once more: nobody knows whether the brokers have it.
    SendAgain,
    /// The brokers have the newest redrive.
    Published,
    /// It can't be sent: what it held is gone, or too large.
    GiveUp,
    /// Its record went through.
    Enriched,
    /// Its record was not heard of.
    StillAway,
    /// Redrive number `redrive` failed.
    Returned { redrive: u32, retriable: bool },
    /// A person gives it up.
    Discard,
    /// It is over, and what it held will go.
    Expired,
}

/// The letter's state doesn't allow the step.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a letter that is {} can't be {verb}", .state.name())]
pub struct Refused {
    pub state: State,
    pub verb: &'static str,
}

/// Spreads the letters of one outage: from -20 % to +20 %.
#[derive(Debug, Clone, Copy)]
pub struct Jitter(i32);

impl State {
    pub const ALL: [Self; 6] =
        [Self::Parked, Self::Scheduled, Self::Redriven, Self::Resolved, Self::Quarantined, Self::Discarded];

    pub const fn name(self) -> &'static str {
        match self {
            Self::Parked => "parked",
            Self::Scheduled => "scheduled",
            Self::Redriven => "redriven",
            Self::Resolved => "resolved",
            Self::Quarantined => "quarantined",
            Self::Discarded => "discarded",
        }
    }

    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.name() == name)
    }

    /// Nothing happens any more unless a person wants it.
    pub const fn is_over(self) -> bool {
        matches!(self, Self::Resolved | Self::Discarded)
    }

    /// Somebody has yet to do something about it, by hand or by schedule.
    pub const fn waits(self) -> bool {
        matches!(self, Self::Parked | Self::Scheduled | Self::Quarantined)
    }
}

impl Life {
    /// Of a new letter. `retriable`: another try can succeed with nothing changed by a person.
    pub fn begin(retriable: bool, now: Timestamp, jitter: Jitter) -> Self {
        let parked = Self {
            state: State::Parked,
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
            (Step::Redrive, State::Resolved) => refused("redriven"),
            (Step::Redrive, _) => Ok(Self { automatic: 0, ..self.redriven(now) }),

            (Step::RedriveByItself, State::Scheduled) => {
                Ok(Self { automatic: self.automatic + 1, ..self.redriven(now) })
            }
            (Step::RedriveByItself, _) => refused("redriven by itself"),

            (Step::SendAgain, State::Redriven) if !self.published => Ok(self.still_away(now)),
            (Step::SendAgain, _) => refused("sent again"),

            (Step::Published, State::Redriven) => {
                Ok(Self { published: true, expiring: false, due_at: Some(now + MIN_CHECK_INTERVAL), ..self })
            }
            // It has come back, or a person decided, before we could note it.
            (Step::Published, _) => Ok(self),

            (Step::GiveUp, State::Redriven) => Ok(self.at_rest(State::Quarantined)),
            (Step::GiveUp, _) => refused("given up"),

            (Step::Enriched, State::Redriven) => Ok(self.over(State::Resolved, now)),
            (Step::Enriched, _) => refused("resolved"),

            (Step::StillAway, State::Redriven) => Ok(self.still_away(now)),
            (Step::StillAway, _) => refused("waited for"),

            (Step::Returned { redrive, .. }, _) if redrive <= self.returned => Ok(self),
            (Step::Returned { redrive, retriable }, State::Redriven) if redrive >= self.redrives => {
                Ok(Self { returned: redrive, redrives: redrive, ..self }.returned(retriable, now, jitter))
            }
            // An older copy, while a newer one is on its way or after the end: only noted.
            (Step::Returned { redrive, .. }, _) => {
                Ok(Self { returned: redrive, redrives: self.redrives.max(redrive), ..self })
            }

            (Step::Discard, State::Resolved | State::Discarded) => refused("discarded"),
            (Step::Discard, _) => Ok(self.over(State::Discarded, now)),

            (Step::Expired, State::Resolved | State::Discarded) => Ok(self.at_rest(self.state)),
            (Step::Expired, _) => refused("given an end"),
        }
    }

    /// What has to be done for a letter whose time has come.
    pub fn due(self) -> Due {
        match self.state {
            State::Scheduled => Due::Redrive,
            State::Redriven if self.published => Due::AskAfter,
            State::Redriven => Due::PublishAgain,
            State::Resolved | State::Discarded if self.due_at.is_some() => Due::Expire,
            State::Parked | State::Resolved | State::Quarantined | State::Discarded => Due::Nothing,
        }
    }

    /// Whether its newest redrive is away for so long that nothing is to be expected of it.
    pub(crate) fn is_silent(self, now: Timestamp) -> bool {
        self.away(now) >= OUTCOME_TIMEOUT
    }

    fn scheduled(self, now: Timestamp, jitter: Jitter) -> Self {
        let wait = SCHEDULE.get(usize::try_from(self.automatic).unwrap_or(usize::MAX));
        match wait {
            Some(wait) => Self { due_at: Some(now + jitter.of(*wait)), ..self.at_rest(State::Scheduled) },
            None => self.at_rest(State::Quarantined),
        }
    }

    fn redriven(self, now: Timestamp) -> Self {
        Self {
            state: State::Redriven,
            // The number came with a record, and anybody may write a topic.
            redrives: self.redrives.saturating_add(1),
            published: false,
            redriven_at: Some(now),
            due_at: Some(now + MIN_CHECK_INTERVAL),
            ..self
        }
    }

    fn returned(self, retriable: bool, now: Timestamp, jitter: Jitter) -> Self {
        if retriable { self.scheduled(now, jitter) } else { self.at_rest(State::Parked) }
    }

    /// Looks again after as long as it has been away already.
    fn still_away(self, now: Timestamp) -> Self {
        if self.is_silent(now) {
            return self.at_rest(State::Quarantined);
        }
        Self { due_at: Some(now + self.away(now).clamp(MIN_CHECK_INTERVAL, MAX_CHECK_INTERVAL)), ..self }
    }

    fn away(self, now: Timestamp) -> SignedDuration {
        self.redriven_at.map_or(OUTCOME_TIMEOUT, |at| now.duration_since(at))
    }

    fn over(self, state: State, now: Timestamp) -> Self {
        Self { due_at: Some(now), expiring: true, ..self.at_rest(state) }
    }

    fn at_rest(self, state: State) -> Self {
        Self { state, due_at: None, ..self }
    }
}

/// What has to be done when a letter's time has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Due {
    Redrive,
    /// The process ended between the decision and the brokers' acknowledgement.
    PublishAgain,
    /// Whether its record went through.
    AskAfter,
    /// It is over: what it held gets an end.
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

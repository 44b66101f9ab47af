use contracts::{Actor, CorrelationId, EmployeeId, EventId, FailedTopic, FailureHeaders, Origin, Reason};
use dynamo::rows::sortable;
use jiff::Timestamp;
use recovery::EventIds;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::{
    fingerprint::Fingerprint,
    hex::{hex, is_hex},
    life::{Jitter, LetterState, Life, Refused, Step},
    payload::Bytes,
    read::FailedRecord,
};

/// A record that could not be processed, and why. What the record held is its [`Payload`](crate::Payload).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeadLetter {
    pub id: LetterId,
    #[serde(flatten)]
    pub life: Life,
    /// Its newest failure.
    pub reason: Reason,
    pub message: String,
    /// Over all of its failures.
    pub attempts: u32,
    pub failed_at: Timestamp,
    pub parked_at: Timestamp,
    pub fingerprint: Fingerprint,
    /// As the record's headers, key and value say; absent when they say nothing usable.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub correlation_id: Option<CorrelationId>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub event_id: Option<EventId>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub employee_id: Option<EmployeeId>,
    /// Of the first failure.
    pub origin: Origin,
    /// The oldest first.
    pub history: Vec<HistoryEntry>,
    /// The failed topic from which it came. Letters of when there was one don't say it.
    #[serde(default = "only_topic", rename = "failed_topic")]
    pub topic: &'static FailedTopic,
    /// Its person was forgotten: its payload is gone or goes, and nothing takes its place.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(crate) forgotten: bool,
    /// The position of what was told of it last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) told: Option<String>,
    /// Changes with every write.
    pub(crate) version: u64,
}

fn only_topic() -> &'static FailedTopic {
    FailedTopic::ALL[0]
}

/// Something that happened to a letter.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct HistoryEntry {
    pub at: Timestamp,
    /// The state that it came to.
    pub state: LetterState,
    pub by: Actor,
    /// For people. Holds nothing personal but what a person wrote as the reason of a discard.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
}

/// What a record says of itself.
#[derive(Debug, Clone, Default)]
pub(crate) struct Ids {
    pub(crate) correlation: Option<CorrelationId>,
    pub(crate) event: Option<EventId>,
    pub(crate) employee: Option<EmployeeId>,
}

/// 32 hex digits.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(extend("pattern" = "^[0-9a-f]{32}$")))]
#[serde(transparent)]
pub struct LetterId(String);

/// A letter with all of its entries must fit into the table.
const MAX_NOTE_CHARS: usize = 500;

/// More than five schedules of five redrives. What is older gives way.
const MAX_HISTORY_ENTRIES: usize = 100;

impl DeadLetter {
    /// A letter that was not there before.
    pub(crate) fn new(failed: &FailedRecord, now: Timestamp) -> Self {
        let (failure, ids) = (failed.failure.clone(), failed.ids.clone());
        let value = failed.payload.value.as_ref().map(Bytes::to_vec);
        let id = LetterId::of(&failure.origin, value.as_deref());
        let by = Actor::pipeline();
        let life = Life::begin(failed.is_retriable(), now, id.jitter(0));
        let note = Some(format!("{}: {}", failure.reason, failure.message));
        let mut letter = Self {
            life,
            fingerprint: Fingerprint::of(failure.reason, &failure.origin, &failure.message),
            reason: failure.reason,
            message: failure.message,
            attempts: failure.attempts,
            failed_at: failure.failed_at,
            parked_at: now,
            correlation_id: ids.correlation,
            event_id: ids.event,
            employee_id: ids.employee,
            origin: failure.origin,
            history: vec![HistoryEntry { at: now, state: life.state, by, note }],
            forgotten: false,
            told: None,
            version: 0,
            topic: failed.topic,
            id,
        };
        letter.told = Some(letter.position());
        letter
    }

    /// Which event it is, if its record says so.
    pub(crate) fn event_ids(&self) -> Option<EventIds> {
        Some(EventIds {
            correlation_id: self.correlation_id.clone()?,
            employee_id: self.employee_id.clone()?,
            event_id: self.event_id.clone()?,
        })
    }

    /// Its newest failure among all of its event, which may have other letters.
    pub(crate) fn failure(&self) -> String {
        format!("{}#{}", sortable(self.failed_at), self.id.as_str())
    }

    /// Whether a person may redrive it.
    pub fn can_be_redriven(&self) -> Result<(), Refused> {
        self.life.after(Step::Redrive, self.failed_at, self.jitter()).map(|_life| ())
    }

    /// Whether a person may discard it.
    pub fn can_be_discarded(&self) -> Result<(), Refused> {
        self.life.after(Step::Discard, self.failed_at, self.jitter()).map(|_life| ())
    }

    /// One step on, noted in its history.
    pub(crate) fn step(
        &mut self,
        step: Step,
        by: &Actor,
        now: Timestamp,
        note: Option<String>,
    ) -> Result<(), Refused> {
        let after = self.life.after(step, now, self.jitter())?;
        let changed = after.state != self.life.state || after.redrives != self.life.redrives;
        self.life = after;
        if changed || note.is_some() {
            self.note(by, now, note);
        }
        Ok(())
    }

    /// Its redrive failed. `false` for a failure that is known already.
    pub(crate) fn returned(
        &mut self,
        redrive: u32,
        failure: FailureHeaders,
        retriable: bool,
        now: Timestamp,
    ) -> bool {
        let step = Step::Returned { redrive, retriable };
        let after = self.life.after(step, now, self.jitter()).unwrap_or(self.life);
        if after == self.life {
            return false;
        }
        self.life = after;
        self.fingerprint = Fingerprint::of(failure.reason, &failure.origin, &failure.message);
        self.attempts = self.attempts.saturating_add(failure.attempts);
        (self.reason, self.failed_at) = (failure.reason, failure.failed_at);
        let note = format!("redrive {redrive} failed, {}: {}", failure.reason, failure.message);
        self.message = failure.message;
        self.note(&Actor::pipeline(), now, Some(note));
        true
    }

    /// Leaves out what people wrote, too: it may be of the person.
    pub(crate) fn forget(&mut self) {
        self.forgotten = true;
        for entry in &mut self.history {
            if entry.by.is_person() {
                entry.note = None;
            }
        }
    }

    fn note(&mut self, by: &Actor, at: Timestamp, note: Option<String>) {
        let note = note.map(|note| note.chars().take(MAX_NOTE_CHARS).collect());
        if self.history.len() >= MAX_HISTORY_ENTRIES {
            // The first one says how it all began.
            self.history.remove(1);
        }
        self.history.push(HistoryEntry { at, state: self.life.state, by: by.clone(), note });
    }

    /// Another one for every redrive.
    fn jitter(&self) -> Jitter {
        self.id.jitter(self.life.redrives)
    }
}

impl LetterId {
    /// The same for every delivery of one failed record. The record's time and value are part of it, since a topic
    /// that is made anew starts at offset 0 again.
    pub(crate) fn of(origin: &Origin, value: Option<&[u8]>) -> Self {
        let mut hash = Sha256::new();
        hash.update(&origin.topic);
        hash.update([0]);
        hash.update(origin.partition.to_be_bytes());
        hash.update(origin.offset.to_be_bytes());
        hash.update(origin.timestamp.as_nanosecond().to_be_bytes());
        hash.update(value.unwrap_or_default());
        Self(hex(&hash.finalize()[..16]))
    }

    /// `None` for what is no id of a letter.
    pub fn parse(text: &str) -> Option<Self> {
        is_hex(text, 32).then(|| Self(text.to_owned()))
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }

    pub(crate) fn jitter(&self, redrives: u32) -> Jitter {
        let hash = Sha256::new().chain_update(&self.0).chain_update(redrives.to_be_bytes()).finalize();
        Jitter::from_bytes([hash[0], hash[1]])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn origin(offset: i64, timestamp: &str) -> Origin {
        Origin {
            topic: "user.enrichment.requested".to_owned(),
            partition: 0,
            offset,
            timestamp: timestamp.parse().unwrap(),
        }
    }

    #[test]
    fn a_redelivered_record_has_the_same_id_and_any_other_has_another() {
        let first = origin(5, "2026-01-31T18:42:00Z");
        let id = LetterId::of(&first, Some(b"{}"));
        assert_eq!(id, LetterId::of(&first.clone(), Some(b"{}")));
        assert_ne!(id, LetterId::of(&origin(6, "2026-01-31T18:42:00Z"), Some(b"{}")));
        assert_ne!(id, LetterId::of(&origin(5, "2026-02-01T00:00:00Z"), Some(b"{}")), "a topic made anew");
        assert_ne!(id, LetterId::of(&first, Some(b"[]")));
        assert_eq!(LetterId::parse(id.as_str()), Some(id));
    }

    #[test]
    fn the_letters_of_one_outage_are_spread() {
        let wait = |offset| {
            let jitter = LetterId::of(&origin(offset, "2026-01-31T18:42:00Z"), None).jitter(0);
            Life::begin(true, Timestamp::UNIX_EPOCH, jitter).due_at.unwrap().as_millisecond()
        };
        let waits: std::collections::BTreeSet<_> = (0..1000).map(wait).collect();
        assert!(waits.len() > 300, "{} different waits", waits.len());
        assert!(*waits.first().unwrap() < 50_000 && *waits.last().unwrap() > 70_000);
    }
}

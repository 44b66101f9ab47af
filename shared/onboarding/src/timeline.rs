use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// When the event was where. Each time is by the clock of whoever did it, so that from the webhook's to the enrichment's there
/// may be less than nothing.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Timeline {
    /// The webhook got it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub received: Option<Timestamp>,
    /// The webhook gave it to the brokers: the timestamp that its record was created with.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub published: Option<Timestamp>,
    /// The enrichment took it off the topic, for the first time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub taken: Option<Timestamp>,
    /// Okta had answered, or was given up on. Not there if Okta had not to be asked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub asked: Option<Timestamp>,
    /// The person and the history were written with it. Not there if it said nothing new.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stored: Option<Timestamp>,
    /// It was found in a dead letter, the last time that it became one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failed: Option<Timestamp>,
}

impl Timeline {
    pub(crate) fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// With what an earlier delivery has noted: it came once, and what is done again has its last time.
    pub(crate) fn after(self, earlier: Self) -> Self {
        Self {
            received: earlier.received.or(self.received),
            published: earlier.published.or(self.published),
            taken: earlier.taken.or(self.taken),
            asked: self.asked.or(earlier.asked),
            stored: self.stored.or(earlier.stored),
            failed: self.failed.or(earlier.failed),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_that_comes_again_has_come_when_it_first_did_and_was_stored_when_it_last_was() {
        let at = |second| Some(Timestamp::from_second(second).unwrap());
        let all = |second| Timeline {
            received: at(second),
            published: at(second),
            taken: at(second),
            asked: at(second),
            stored: at(second),
            failed: at(second),
        };
        let both = all(2).after(all(1));
        assert_eq!([both.received, both.published, both.taken], [at(1); 3]);
        assert_eq!([both.asked, both.stored, both.failed], [at(2); 3]);
        assert_eq!((all(2).after(Timeline::default()), Timeline::default().after(all(1))), (all(2), all(1)));
    }
}

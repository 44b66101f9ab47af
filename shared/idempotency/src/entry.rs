use std::time::Duration;

use api::Call;
use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use contracts::CorrelationId;
use jiff::Timestamp;
use lambda_http::{Body, Response, http::StatusCode};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::{Keyed, keyed};

/// How long a key stands for its first request.
pub(crate) const KEPT: Duration = Duration::from_hours(24);

/// How much longer a claim holds than its invocation can run: one instance's clock is behind another's.
const MARGIN: Duration = Duration::from_secs(2);

/// What is remembered of a key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Entry {
    pub(crate) id: String,
    fingerprint: String,
    /// The first request's, so that it stays the same request whoever works on it. `None` in entries from before
    /// November 2026, whose requests were known by the fingerprint alone.
    #[serde(default)]
    request_id: Option<Uuid>,
    /// Who wrote it: whoever took the key over has another one.
    pub(crate) attempt: String,
    /// Epoch seconds. DynamoDB deletes up to days later.
    expires_at: i64,
    #[serde(flatten)]
    state: State,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "state", rename_all = "snake_case")]
enum State {
    /// The first request is being worked on, or its invocation was killed, which `until` tells apart.
    InFlight {
        until: Timestamp,
    },
    /// The first request was answered with a problem. It may be sent again, corrected or not.
    Failed,
    Answered {
        answer: Answer,
    },
}

/// What the first request was answered. Our answers are JSON and hold nothing personal.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Answer {
    pub(crate) status: Status,
    pub(crate) correlation_id: CorrelationId,
    pub(crate) body: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "u16", into = "u16")]
pub(crate) struct Status(pub(crate) StatusCode);

/// What a request with a key is.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Decision {
    /// The first with this key, or one that goes on in place of the first: the claim to take the key with.
    First(Entry),
    Repeat(Answer),
    InFlight,
    OtherBody,
}

impl Entry {
    /// `deadline` is when the invocation ends that works on the request.
    pub(crate) fn claim(keyed: &Keyed, attempt: String, now: Timestamp, deadline: Timestamp) -> Self {
        Self {
            id: keyed.id.clone(),
            fingerprint: keyed.fingerprint(),
            request_id: Some(keyed.request_id()),
            attempt,
            expires_at: (now + KEPT).as_second(),
            state: State::InFlight { until: deadline + MARGIN },
        }
    }

    pub(crate) fn answered(self, answer: Answer) -> Self {
        Self { state: State::Answered { answer }, ..self }
    }

    pub(crate) fn failed(self) -> Self {
        Self { state: State::Failed, ..self }
    }

    /// What the request is whose `claim` found this entry in its place.
    pub(crate) fn decide(self, claim: Self, now: Timestamp) -> Decision {
        // The SDK repeats a write whose answer got lost, and then meets itself.
        if self.attempt == claim.attempt || now.as_second() >= self.expires_at {
            return Decision::First(claim);
        }
        let is_same = self.fingerprint == claim.fingerprint;
        match &self.state {
            State::Failed if !is_same => Decision::First(claim),
            // Also for a claim that was left behind: what it stood for may have been done.
            State::InFlight { .. } | State::Answered { .. } if !is_same => Decision::OtherBody,
            State::InFlight { until } if now < *until => Decision::InFlight,
            // What was killed or failed may have been done all the same.
            State::InFlight { .. } | State::Failed => Decision::First(claim.in_place_of(&self)),
            State::Answered { answer } => Decision::Repeat(answer.clone()),
        }
    }

    /// Goes on with the same request, whose day began with its first claim.
    fn in_place_of(self, first: &Self) -> Self {
        Self { request_id: Some(first.request_id()), expires_at: first.expires_at, ..self }
    }

    pub(crate) fn request_id(&self) -> Uuid {
        self.request_id.unwrap_or_else(|| {
            let mut fingerprint = [0; 32];
            // One that isn't ours is no request's id either.
            drop(BASE64_URL_SAFE_NO_PAD.decode_slice(&self.fingerprint, &mut fingerprint));
            keyed::uuid(fingerprint)
        })
    }
}

impl Answer {
    pub(crate) fn of(call: &Call, response: &Response<Body>) -> Self {
        Self {
            status: Status(response.status()),
            correlation_id: call.correlation_id.clone(),
            body: String::from_utf8_lossy(response.body()).into_owned(),
        }
    }
}

impl TryFrom<u16> for Status {
    type Error = lambda_http::http::status::InvalidStatusCode;

    fn try_from(code: u16) -> Result<Self, Self::Error> {
        StatusCode::from_u16(code).map(Self)
    }
}

impl From<Status> for u16 {
    fn from(status: Status) -> Self {
        status.0.as_u16()
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;
    use crate::keyed::tests::{keyed, keyed_at};

    const DAY: i64 = 24 * 60 * 60;

    /// What the version before made of the key "k" and the body "body".
    const LEGACY_ID: &str = "6aae8d1a-cd71-8963-90ae-2bcb23e326f8";

    pub(crate) fn at(second: i64) -> Timestamp {
        Timestamp::from_second(1_700_000_000 + second).unwrap()
    }

    pub(crate) fn accepted() -> Answer {
        let correlation_id = CorrelationId::parse("c-1").unwrap();
        Answer { status: Status(StatusCode::ACCEPTED), correlation_id, body: "{}".to_owned() }
    }

    /// By an invocation that may run for ten seconds.
    fn claim_of(attempt: &str, body: &str, second: i64) -> Entry {
        Entry::claim(&keyed_at("k", body, second), attempt.to_owned(), at(second), at(second + 10))
    }

    fn claim() -> Entry {
        claim_of("one", "body", 0)
    }

    /// What a claim that comes then is.
    fn decided(entry: &Entry, body: &str, second: i64) -> Decision {
        entry.clone().decide(claim_of("another", body, second), at(second))
    }

    /// The claim of a request that goes on in place of the first.
    fn takes_over(entry: &Entry, second: i64) -> Entry {
        let Decision::First(claim) = decided(entry, "body", second) else { panic!("it may go on") };
        claim
    }

    #[test]
    fn a_claim_that_meets_itself_is_the_first() {
        assert_eq!(claim().decide(claim(), at(0)), Decision::First(claim()));
    }

    #[test]
    fn a_claim_holds_a_little_longer_than_its_invocation_can_run() {
        assert_eq!(decided(&claim(), "body", 0), Decision::InFlight);
        assert_eq!(decided(&claim(), "body", 11), Decision::InFlight);
        assert!(matches!(decided(&claim(), "body", 12), Decision::First(_)), "that invocation was killed");
    }

    #[test]
    fn an_answer_is_given_again_for_a_day() {
        let answered = claim().answered(accepted());
        for second in [0, 12, DAY - 1] {
            assert_eq!(decided(&answered, "body", second), Decision::Repeat(accepted()), "{second}");
        }
        let first = Decision::First(claim_of("another", "body", DAY));
        assert_eq!(decided(&answered, "body", DAY), first, "whether or not it was deleted");
    }

    #[test]
    fn what_was_killed_or_failed_goes_on_as_the_same_request_until_its_day_is_over() {
        for first in [claim(), claim().failed()] {
            for second in [12, 12 * 60 * 60, DAY - 1] {
                let again = takes_over(&first, second);
                assert_eq!(again.request_id(), first.request_id(), "{second}");
                assert_eq!((again.expires_at, again.attempt.as_str()), (first.expires_at, "another"));
            }
            let tomorrow = takes_over(&first, DAY);
            assert_ne!(tomorrow.request_id(), first.request_id());
            assert_eq!(tomorrow.expires_at, first.expires_at + DAY);
        }
    }

    #[test]
    fn what_failed_may_be_corrected_under_its_key() {
        let corrected = Decision::First(claim_of("another", "corrected", 1));
        assert_eq!(decided(&claim().failed(), "corrected", 1), corrected);
    }

    #[test]
    fn an_entry_from_before_ids_were_kept_is_read_and_goes_on_as_it_was_known() {
        let known = keyed("k", "body");
        let old = json!({
            "id": known.id, "fingerprint": known.fingerprint(), "attempt": "one",
            "expires_at": at(DAY).as_second(), "state": "in_flight", "until": at(12),
        });
        let old: Entry = serde_json::from_value(old).unwrap();
        assert_eq!(decided(&old, "another", 12), Decision::OtherBody);
        // The first half of the fingerprint, as it was then.
        assert_eq!(takes_over(&old, 12).request_id().to_string(), LEGACY_ID);
        assert_eq!(decided(&old.answered(accepted()), "body", 12), Decision::Repeat(accepted()));
    }

    proptest! {
        #[test]
        fn for_a_day_a_key_stands_for_one_body_whatever_became_of_it(
            body in "[a-z]{0,8}", answered: bool, second in 0..2 * DAY,
        ) {
            prop_assume!(body != "body");
            let entry = if answered { claim().answered(accepted()) } else { claim() };
            let is_refused = decided(&entry, &body, second) == Decision::OtherBody;
            prop_assert_eq!(is_refused, second < DAY);
        }
    }
}

use std::time::Duration;

use api::Call;
use contracts::CorrelationId;
use jiff::Timestamp;
use lambda_http::{Body, Response, http::StatusCode};
use serde::{Deserialize, Serialize};

use crate::Keyed;

/// How long a key stands for its first request.
pub(crate) const KEPT: Duration = Duration::from_hours(24);

/// How much longer a claim holds than its invocation can run: one instance's clock is behind another's.
const MARGIN: Duration = Duration::from_secs(2);

/// What is remembered of a key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Entry {
    pub(crate) id: String,
    fingerprint: String,
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
    /// The first with this key, or an entry has had its time.
    First,
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
            attempt,
            expires_at: (now + KEPT).as_second(),
            state: State::InFlight { until: deadline + MARGIN },
        }
    }

    pub(crate) fn answered(self, answer: Answer) -> Self {
        Self { state: State::Answered { answer }, ..self }
    }

    /// What the request is that found this entry in the place of its `claim`.
    pub(crate) fn decide(self, claim: &Self, now: Timestamp) -> Decision {
        // The SDK repeats a write whose answer got lost, and then meets itself.
        if self.attempt == claim.attempt || now.as_second() >= self.expires_at {
            return Decision::First;
        }
        // Also for a claim that was left behind: what it stood for may have been done.
        if self.fingerprint != claim.fingerprint {
            return Decision::OtherBody;
        }
        match self.state {
            State::Answered { answer } => Decision::Repeat(answer),
            State::InFlight { until } if now < until => Decision::InFlight,
            State::InFlight { .. } => Decision::First,
        }
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

    use super::*;
    use crate::keyed::tests::keyed;

    const DAY: i64 = 24 * 60 * 60;

    pub(crate) fn at(second: i64) -> Timestamp {
        Timestamp::from_second(1_700_000_000 + second).unwrap()
    }

    pub(crate) fn accepted() -> Answer {
        let correlation_id = CorrelationId::parse("c-1").unwrap();
        Answer { status: Status(StatusCode::ACCEPTED), correlation_id, body: "{}".to_owned() }
    }

    /// By an invocation that may run for ten seconds.
    fn claim_of(attempt: &str, body: &str, second: i64) -> Entry {
        Entry::claim(&keyed("k", body), attempt.to_owned(), at(second), at(second + 10))
    }

    fn claim() -> Entry {
        claim_of("one", "body", 0)
    }

    fn decided(entry: &Entry, body: &str, second: i64) -> Decision {
        entry.clone().decide(&claim_of("another", body, second), at(second))
    }

    #[test]
    fn a_claim_that_meets_itself_is_the_first() {
        assert_eq!(claim().decide(&claim(), at(0)), Decision::First);
    }

    #[test]
    fn a_claim_holds_a_little_longer_than_its_invocation_can_run() {
        assert_eq!(decided(&claim(), "body", 0), Decision::InFlight);
        assert_eq!(decided(&claim(), "body", 11), Decision::InFlight);
        assert_eq!(decided(&claim(), "body", 12), Decision::First, "that invocation was killed");
    }

    #[test]
    fn an_answer_is_given_again_for_a_day() {
        let answered = claim().answered(accepted());
        for second in [0, 12, DAY - 1] {
            assert_eq!(decided(&answered, "body", second), Decision::Repeat(accepted()), "{second}");
        }
        assert_eq!(decided(&answered, "body", DAY), Decision::First, "whether or not it was deleted");
    }

    proptest! {
        #[test]
        fn for_a_day_a_key_stands_for_one_body_whatever_became_of_it(
            body in "[a-z]{0,8}", answered: bool, second in 0..2 * DAY,
        ) {
            prop_assume!(body != "body");
            let entry = if answered { claim().answered(accepted()) } else { claim() };
            let expected = if second < DAY { Decision::OtherBody } else { Decision::First };
            prop_assert_eq!(decided(&entry, &body, second), expected);
        }
    }
}

use contracts::Actor;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::{job::Task, letter::LetterId};

/// What a person did to dead letters. Written before it is done: what can't be recorded isn't done. What a letter's
/// state doesn't allow is in it as well, but nothing of letters and jobs that aren't there.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct AuditRecord {
    /// A UUID.
    pub id: String,
    pub at: Timestamp,
    pub by: Actor,
    pub deed: Deed,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(tag = "action", rename_all = "snake_case")]
pub enum Deed {
    Redrive {
        letter: LetterId,
    },
    /// What was edited is in the letter's payload, beside its original.
    Edit {
        letter: LetterId,
    },
    Discard {
        letter: LetterId,
        because: String,
    },
    StartJob {
        job: String,
        task: Task,
    },
    StopJob {
        job: String,
    },
    ResumeJob {
        job: String,
    },
}

#[cfg(test)]
mod tests {
    use contracts::Reason;
    use runtime::Clock;

    use super::*;
    use crate::{
        Discard, Error, RunJobs,
        redrive::tests::redrive,
        store::tests::{letter, second, store},
    };

    #[tokio::test]
    async fn what_is_tried_with_a_letter_that_is_there_is_recorded_and_nothing_else() {
        let (store, clock, by) = (store().await, Clock::fixed(second(9)), Actor::caller("somebody"));
        let redrive = redrive(&store, clock);
        let (discard, jobs) =
            (Discard::new(store.clone(), clock), RunJobs::new(store.clone(), redrive.clone(), clock));
        let nobody = LetterId::parse("0123456789abcdef0123456789abcdef").unwrap();
        for refused in [
            redrive.redrive(&nobody, &by).await.map(drop),
            discard.discard(&nobody, "a test's", &by).await.map(drop),
            jobs.stop("01968f2e-7c00-7000-8000-000000000001", &by).await.map(drop),
            jobs.resume("01968f2e-7c00-7000-8000-000000000001", &by).await.map(drop),
        ] {
            assert!(matches!(refused, Err(Error::Unknown)), "{refused:?}");
        }
        assert_eq!(store.audit(None, 9).await.unwrap().len(), 0);

        let (there, payload) = letter(1, Reason::Invalid, "E1", second(0));
        store.insert(&there, &payload).await.unwrap();
        discard.discard(&there.id, "a test's", &by).await.unwrap();
        let refused = discard.discard(&there.id, "again", &by).await;
        assert!(matches!(refused, Err(Error::Refused(_))), "{refused:?}");
        assert_eq!(store.audit(None, 9).await.unwrap().len(), 2);
    }
}

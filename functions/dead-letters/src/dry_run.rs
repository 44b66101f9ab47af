//! What would happen to each letter, with nothing changed.

use api::{Call, Problem, cursor::Page, json};
use contracts::{Warning, header};
use dlq::{Action, Bytes, DeadLetter, LetterId, Task};
use futures_util::{StreamExt, TryStreamExt, stream};
use lambda::Deadline;
use lambda_http::{Body, Response, http::StatusCode};
use recovery::{Correction, Foresight, Repair, Unknown};
use runtime::telemetry;
use serde::Serialize;
use tokio::time::{Instant, timeout_at};

use crate::{Function, problem, unknown_letter};

/// Okta is asked for each.
const CONCURRENCY: usize = 8;

#[derive(Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub(crate) struct DryRun {
    dry_run: Vec<Foreseen>,
    next_cursor: Option<String>,
}

#[derive(Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub(crate) struct Foreseen {
    id: LetterId,
    #[serde(flatten)]
    would: Would,
}

#[derive(Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub(crate) struct ForeseenEdit<'a> {
    #[serde(flatten)]
    foreseen: Foreseen,
    /// What was sent and could not be read: it would be left out.
    #[serde(skip_serializing_if = "<[Warning]>::is_empty")]
    warnings: &'a [Warning],
}

#[derive(Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(untagged)]
enum Would {
    Happen(Foresight),
    NotBeTouched(Untouched),
}

/// Reads as the others do.
#[derive(Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
struct Untouched {
    #[cfg_attr(feature = "schema", schemars(extend("enum" = ["left_alone", "discarded"])))]
    outcome: &'static str,
    because: String,
}

impl Function {
    pub(crate) async fn foresee_redrive(
        &self,
        call: &Call,
        id: &LetterId,
    ) -> Result<Response<Body>, Problem> {
        let letter = self.letters.letter(id).await.map_err(|error| problem(error, unknown_letter()))?;
        letter.can_be_redriven().map_err(|refused| problem(refused.into(), unknown_letter()))?;
        Ok(json(StatusCode::OK, &self.foreseen(letter, self.give_up(call)).await?))
    }

    pub(crate) async fn foresee_discard(
        &self,
        id: &LetterId,
        because: &str,
    ) -> Result<Response<Body>, Problem> {
        let letter = self.letters.letter(id).await.map_err(|error| problem(error, unknown_letter()))?;
        letter.can_be_discarded().map_err(|refused| problem(refused.into(), unknown_letter()))?;
        Ok(json(StatusCode::OK, &untouched(letter.id, "discarded", because.to_owned())))
    }

    pub(crate) async fn foresee_edit(
        &self,
        call: &Call,
        id: &LetterId,
        feature: &dyn Repair,
        correction: &Correction,
    ) -> Result<Response<Body>, Problem> {
        let until = self.give_up(call);
        let foreseen = in_time(id, until, async || {
            let would = Would::Happen(foresight(feature, None, &correction.value, until).await?);
            Ok(Foreseen { id: id.clone(), would })
        });
        let edit = ForeseenEdit { foreseen: foreseen.await?, warnings: &correction.warnings };
        Ok(json(StatusCode::OK, &edit))
    }

    /// A page of the letters that the job would take. Those that there is no time for are in it and say so.
    pub(crate) async fn foresee_many(
        &self,
        call: &Call,
        task: &Task,
        limit: usize,
    ) -> Result<Response<Body>, Problem> {
        let page = self.letters.letters(&task.filter, call.query("cursor"), limit).await;
        let Page { items, next } = page.map_err(|error| problem(error, unknown_letter()))?;
        let until = self.give_up(call);
        let dry_run = stream::iter(items)
            .map(|letter| self.foreseen_in(letter, task, until))
            .buffered(CONCURRENCY)
            .try_collect()
            .await?;
        Ok(json(StatusCode::OK, &DryRun { dry_run, next_cursor: next }))
    }

    /// From then on nobody is waited for: the answer has to be on its way before Lambda ends the invocation.
    fn give_up(&self, call: &Call) -> Instant {
        let remaining = call.deadline.duration_since(self.clock.now());
        Deadline::after(remaining.try_into().unwrap_or_default()).give_up
    }

    async fn foreseen_in(
        &self,
        letter: DeadLetter,
        task: &Task,
        until: Instant,
    ) -> Result<Foreseen, Problem> {
        let state = letter.life.state;
        if !state.is_waiting() && task.filter.state.is_none() {
            return Ok(untouched(letter.id, "left_alone", format!("it is {}", state.name())));
        }
        let allowed = match &task.action {
            Action::Redrive => letter.can_be_redriven(),
            Action::Discard { .. } => letter.can_be_discarded(),
        };
        match (&task.action, allowed) {
            (_, Err(refused)) => Ok(untouched(letter.id, "left_alone", refused.to_string())),
            (Action::Redrive, Ok(())) => self.foreseen(letter, until).await,
            (Action::Discard { because }, Ok(())) => Ok(untouched(letter.id, "discarded", because.clone())),
        }
    }

    async fn foreseen(&self, letter: DeadLetter, until: Instant) -> Result<Foreseen, Problem> {
        let (id, feature) = (letter.id, self.features.of(letter.topic));
        let left_alone = |because: &str| Ok(untouched(id.clone(), "left_alone", because.to_owned()));
        let foreseen = in_time(&id, until, async || {
            let payload = self.letters.payload(&id).await;
            let Some(payload) = payload.map_err(|error| problem(error, unknown_letter()))? else {
                return left_alone("its payload is gone");
            };
            let Some(value) = payload.value.as_ref().map(Bytes::to_vec) else {
                return left_alone("its value is not here");
            };
            let version = payload.header(header::SCHEMA_VERSION);
            let would = Would::Happen(foresight(feature, version, &value, until).await?);
            Ok(Foreseen { id: id.clone(), would })
        });
        foreseen.await
    }
}

async fn foresight(
    feature: &dyn Repair,
    version: Option<&str>,
    value: &[u8],
    until: Instant,
) -> Result<Foresight, Problem> {
    feature.foresee(version, value, until).await.map_err(|error| {
        tracing::error!(error = telemetry::chain(&error), "a dry run was not answered");
        Problem::unavailable()
    })
}

/// What is not seen until then is said not to have been looked at.
async fn in_time(
    id: &LetterId,
    until: Instant,
    look: impl AsyncFnOnce() -> Result<Foreseen, Problem>,
) -> Result<Foreseen, Problem> {
    timeout_at(until, look()).await.unwrap_or_else(|_elapsed| {
        let because = "there was no time to look at it".to_owned();
        Ok(Foreseen { id: id.clone(), would: Would::Happen(Foresight::Unknown(Unknown { because })) })
    })
}

fn untouched(id: LetterId, outcome: &'static str, because: String) -> Foreseen {
    Foreseen { id, would: Would::NotBeTouched(Untouched { outcome, because }) }
}

//! What would happen to each letter, with nothing changed.

use api::{Call, Problem, json};
use dlq::{Action, Bytes, DeadLetter, LetterId, Page, Task};
use futures_util::{StreamExt, TryStreamExt, stream};
use lambda_http::{Body, Response, http::StatusCode};
use onboarding::Foresight;
use runtime::telemetry;
use serde::Serialize;

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
#[serde(untagged)]
enum Would {
    Happen(Foresight),
    NotBeTouched(Untouched),
}

/// Reads as the others do.
#[derive(Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
struct Untouched {
    #[cfg_attr(feature = "schema", schemars(extend("enum" = ["be_left_alone", "be_discarded"])))]
    would: &'static str,
    because: String,
}

impl Function {
    pub(crate) async fn foresee_redrive(&self, id: &LetterId) -> Result<Response<Body>, Problem> {
        let letter = self.letters.letter(id).await.map_err(|error| problem(error, unknown_letter()))?;
        letter.can_be_redriven().map_err(|refused| problem(refused.into(), unknown_letter()))?;
        Ok(json(StatusCode::OK, &self.foreseen(id.clone()).await?))
    }

    pub(crate) async fn foresee_discard(
        &self,
        id: &LetterId,
        because: &str,
    ) -> Result<Response<Body>, Problem> {
        let letter = self.letters.letter(id).await.map_err(|error| problem(error, unknown_letter()))?;
        letter.can_be_discarded().map_err(|refused| problem(refused.into(), unknown_letter()))?;
        Ok(json(StatusCode::OK, &untouched(letter.id, "be_discarded", because.to_owned())))
    }

    pub(crate) async fn foresee_value(
        &self,
        id: &LetterId,
        value: Option<&[u8]>,
    ) -> Result<Response<Body>, Problem> {
        let would = Would::Happen(self.foresight(value).await?);
        Ok(json(StatusCode::OK, &Foreseen { id: id.clone(), would }))
    }

    /// A page of the letters that the job would take.
    pub(crate) async fn foresee_many(
        &self,
        call: &Call,
        task: &Task,
        limit: usize,
    ) -> Result<Response<Body>, Problem> {
        let page = self.letters.letters(&task.filter, call.query("cursor"), limit).await;
        let Page { items, next } = page.map_err(|error| problem(error, unknown_letter()))?;
        let dry_run = stream::iter(items)
            .map(|letter| self.foreseen_in(letter, task))
            .buffered(CONCURRENCY)
            .try_collect()
            .await?;
        Ok(json(StatusCode::OK, &DryRun { dry_run, next_cursor: next }))
    }

    async fn foreseen_in(&self, letter: DeadLetter, task: &Task) -> Result<Foreseen, Problem> {
        let state = letter.life.state;
        if !state.waits() && task.filter.state.is_none() {
            return Ok(untouched(letter.id, "be_left_alone", format!("it is {}", state.name())));
        }
        let allowed = match &task.action {
            Action::Redrive => letter.can_be_redriven(),
            Action::Discard { .. } => letter.can_be_discarded(),
        };
        match (&task.action, allowed) {
            (_, Err(refused)) => Ok(untouched(letter.id, "be_left_alone", refused.to_string())),
            (Action::Redrive, Ok(())) => self.foreseen(letter.id).await,
            (Action::Discard { because }, Ok(())) => {
                Ok(untouched(letter.id, "be_discarded", because.clone()))
            }
        }
    }

    async fn foreseen(&self, id: LetterId) -> Result<Foreseen, Problem> {
        let payload = self.letters.payload(&id).await.map_err(|error| problem(error, unknown_letter()))?;
        let left_alone = |because: &str| Ok(untouched(id.clone(), "be_left_alone", because.to_owned()));
        let Some(payload) = payload else { return left_alone("what it held is gone") };
        let Some(value) = payload.value.as_ref().map(Bytes::to_vec) else {
            return left_alone("its value is not here");
        };
        let would = Would::Happen(self.foresight(Some(&value)).await?);
        Ok(Foreseen { id, would })
    }

    async fn foresight(&self, value: Option<&[u8]>) -> Result<Foresight, Problem> {
        self.foresee.foresee(value).await.map_err(|error| {
            tracing::error!(error = telemetry::chain(&error), "a dry run was not answered");
            Problem::unavailable()
        })
    }
}

fn untouched(id: LetterId, would: &'static str, because: String) -> Foreseen {
    Foreseen { id, would: Would::NotBeTouched(Untouched { would, because }) }
}

use api::{Call, Fault, Problem, json};
use contracts::{TraceParent, Warning, header};
use dlq::{Bytes, Error};
use lambda_http::{Body, Response, http::StatusCode};
use recovery::{Failed, Refusal};
use serde::{Deserialize, Serialize};

use crate::{Function, by, letter_id, problem, show::Letter, unknown_letter};

#[derive(Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub(crate) struct Discarding {
    #[cfg_attr(feature = "schema", schemars(length(max = 500), regex(pattern = "\\S")))]
    because: String,
}

/// A letter after an edit.
#[derive(Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(rename = "EditedDeadLetter"))]
pub(crate) struct Edited<'a> {
    #[serde(flatten)]
    letter: Letter<'a>,
    /// What was sent and could not be read: it was left out.
    #[serde(skip_serializing_if = "<[Warning]>::is_empty")]
    warnings: &'a [Warning],
}

impl Function {
    pub(crate) async fn redrive(&self, call: &Call) -> Result<Response<Body>, Problem> {
        let id = letter_id(call)?;
        if call.is_dry_run()? {
            return self.foresee_redrive(call, &id).await;
        }
        // It is written down that the letter is to be redriven; it may be on its way already.
        let letter = self.redrive.redrive(&id, &by(call)).await;
        let letter = letter.map_err(|error| problem(error, unknown_letter()))?;
        Ok(json(StatusCode::ACCEPTED, &Letter::of(&letter)))
    }

    /// The body is what one sends to the feature whose record it is: to the webhook, say.
    pub(crate) async fn edit(&self, call: &Call) -> Result<Response<Body>, Problem> {
        let (id, body) = (letter_id(call)?, call.json_body()?);
        let found = tokio::try_join!(self.letters.letter(&id), self.letters.payload(&id));
        let (letter, payload) = found.map_err(|error| problem(error, unknown_letter()))?;
        letter.can_be_redriven().map_err(|refused| problem(refused.into(), unknown_letter()))?;
        let payload = payload.ok_or_else(|| problem(Error::PayloadGone, unknown_letter()))?;
        let value = payload.value.as_ref().map(Bytes::to_vec);
        let trace = payload.header(header::TRACEPARENT).and_then(TraceParent::parse);
        let failed = Failed {
            correlation_id: letter.correlation_id.unwrap_or_else(|| call.correlation_id.clone()),
            event_id: letter.event_id,
            employee_id: letter.employee_id,
            value: value.as_deref(),
            version: payload.header(header::SCHEMA_VERSION),
            event_type: payload.header(header::EVENT_TYPE),
            traceparent: trace.unwrap_or_else(|| call.traceparent()),
            published_at: letter.origin.timestamp,
        };
        let feature = self.features.of(letter.topic);
        let correction =
            feature.correct(body, failed, self.clock.now()).map_err(|refusal| match refusal {
                Refusal::Invalid(faults) => Problem::faults(faults),
                Refusal::Malformed { .. } => {
                    Problem::bad_request("malformed_json", format!("Not edited: {refusal}."))
                }
            })?;
        if call.is_dry_run()? {
            return self.foresee_edit(call, &id, feature, &correction).await;
        }
        let letter = self.redrive.redrive_edited(&id, &correction, &by(call)).await;
        let letter = letter.map_err(|error| problem(error, unknown_letter()))?;
        let edited = Edited { letter: Letter::of(&letter), warnings: &correction.warnings };
        Ok(json(StatusCode::ACCEPTED, &edited))
    }

    pub(crate) async fn discard(&self, call: &Call) -> Result<Response<Body>, Problem> {
        let id = letter_id(call)?;
        let Discarding { because } = call.json()?;
        let because = reason(&because, "/because")?;
        if call.is_dry_run()? {
            return self.foresee_discard(&id, because).await;
        }
        let letter = self.discard.discard(&id, because, &by(call)).await;
        let letter = letter.map_err(|error| problem(error, unknown_letter()))?;
        Ok(json(StatusCode::OK, &Letter::of(&letter)))
    }
}

/// A discard without a reason is regretted by the next person.
pub(crate) fn reason<'a>(because: &'a str, pointer: &str) -> Result<&'a str, Problem> {
    const MAX_CHARS: usize = 500;
    let because = because.trim();
    let is_unreadable = |c: char| c.is_control() && !matches!(c, '\n' | '\r' | '\t');
    if because.is_empty() || because.chars().count() > MAX_CHARS || because.contains(is_unreadable) {
        let detail = format!("must say why, in at most {MAX_CHARS} characters that can be read");
        return Err(Problem::faults(vec![Fault { pointer: pointer.to_owned(), detail }]));
    }
    Ok(because)
}

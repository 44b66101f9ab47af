//! The enrichment: one event off the topic, to a stored person, and to a dead letter where Okta's part is missing.

mod dead_letter;
mod failure;
mod forget;
mod turns;

use std::time::Duration;

use breaker::Breaker;
use cache::Cache;
use contracts::{
    Cause, Email, EmployeeId, EnrichmentRequestedV2, EnrichmentState, EventType, Facts, Outcome, Reason,
    RedriveHeaders, TraceParent, header,
};
use facts::{Backlog, Publisher};
use kafka::Producer;
use runtime::{
    Clock,
    record::{Record, Retry},
    telemetry,
};
use tokio::time::{timeout, timeout_at};

pub(crate) use self::failure::{ACCOUNT_TOO_LARGE, EMAIL_TAKEN, USER_NOT_FOUND};
use self::failure::{Away, Failure, Stopped};
pub use self::forget::Forgotten;
pub use self::turns::{AskUntil, Turns};
use crate::{
    ask,
    claim::{self, Standing},
    completion::CompletionTimes,
    converge::{self, Answer, Draft, Place, Written},
    directory::Account,
    entry::Entry,
    find_users::cache_key,
    okta_health::{OktaHealth, OktaOutcome},
    person::Person,
    request::{RequestEvent, RequestState},
    retry::RetryPolicy,
    store::{self, Saved, Store, Write},
    timeline::Timeline,
    told,
};

/// Others write the same person only while a partition changes hands, and we ourselves once while Okta is slow: four
/// rounds are plenty.
const ROUNDS: usize = 4;

/// How long HR's part waits for Okta's, to be written with it in one transaction. To wait for a turn counts.
const PATIENCE: Duration = Duration::from_secs(1);

#[derive(Debug, Clone)]
pub struct Enrich {
    pub store: Store,
    pub cache: Cache,
    pub okta: okta::Client,
    pub turns: Turns,
    /// Before Okta.
    pub breaker: Breaker,
    /// How Okta was, for those who ask after it.
    pub okta_health: OktaHealth,
    /// How long events took, for the same people.
    pub times: CompletionTimes,
    pub producer: Producer,
    pub facts: Publisher,
    pub retry: RetryPolicy,
    pub clock: Clock,
}

/// What brings a record that was delivered before, and what its outcome is if it changes nothing this time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Delivery {
    /// Lambda's: the first may have ended before it could tell what it had changed, so that is told now.
    Lambdas,
    /// A redrive is asked after for what it changed itself.
    Redrive,
}

impl Delivery {
    /// How many of an event's changes were told before: its outcome is of those that come after them.
    fn told_before(self, event: &EnrichmentRequestedV2, place: Place, known: Option<&Entry>) -> usize {
        match (self, place, known) {
            (Self::Lambdas, Place::Known, Some(known)) if known.is_of(event) => 0,
            (_, _, known) => known.map_or(0, |known| known.all_changes().count()),
        }
    }
}

/// An event off the topic, and how it came.
#[derive(Clone, Copy)]
struct Taken<'r> {
    event: &'r EnrichmentRequestedV2,
    delivery: Delivery,
    /// Of the span that takes it, where that is recorded; else the record's.
    traceparent: Option<&'r str>,
    /// It was taken before, as far as is known: of what became of it then something may not be told yet.
    is_repeat: bool,
    timeline: Timeline,
}

/// What came of an event, and how far its person is then; `None` where there is none.
struct Applied<'r> {
    taken: Taken<'r>,
    outcome: Outcome,
    state: Option<EnrichmentState>,
    unpublished: Option<Unpublished>,
}

/// Facts that were written, and are not on the topic yet.
struct Unpublished {
    facts: Facts,
    backlog: Backlog,
}

/// What Okta was asked for, and what it said.
struct Asked {
    email: Email,
    said: Said,
}

enum Said {
    Account(Account),
    Nobody,
    /// Nothing that we can use. The person is written all the same, and waits for this reason.
    Nothing(Reason, Stopped),
}

impl Enrich {
    /// For one invocation, with turns of its own: another is another partition's, on AWS in another sandbox.
    #[must_use]
    pub fn for_invocation(&self) -> Self {
        Self { turns: self.turns.others(), ..self.clone() }
    }

    /// Applies the record, or makes it a dead letter. Okta is asked `until` then.
    ///
    /// # Errors
    /// When Lambda has to deliver the record again: the store or the brokers are away, or time ran out.
    pub async fn enrich(&self, record: &Record, until: AskUntil) -> Result<Enriched, Retry> {
        let event = match decode(record) {
            Ok(event) => event,
            Err(failure) => return self.dead_letter(record, &failure).await.map(|()| Enriched::DeadLetter),
        };
        let delivery = if RedriveHeaders::read(|name| record.header(name)).is_some() {
            Delivery::Redrive
        } else {
            Delivery::Lambdas
        };
        let own = otlp::traceparent().map(|own| own.to_string());
        let records =
            || record.header(header::TRACEPARENT).filter(|value| TraceParent::parse(value).is_some());
        let timeline = Timeline {
            received: Some(event.received_at),
            published: record.created_at(),
            taken: Some(self.clock.now()),
            ..Timeline::default()
        };
        let taken = Taken {
            event: &event,
            delivery,
            traceparent: own.as_deref().or_else(records),
            is_repeat: delivery == Delivery::Redrive,
            timeline,
        };
        let enriched = match event.event_type {
            EventType::Erased => self.forget(taken).await.map(Box::new).map(Enriched::Forgotten),
            EventType::Hired | EventType::Updated | EventType::Terminated => {
                self.apply(taken, until).await.map(|_outcome| Enriched::Applied)
            }
        };
        match enriched {
            Ok(enriched) => Ok(enriched),
            Err(Stopped::DeadLetter(failure)) => {
                self.dead_letter(record, &failure).await.map(|()| Enriched::DeadLetter)
            }
            Err(Stopped::Retry(away)) => {
                tracing::warn!(error = telemetry::chain(&away), "the record is reported back");
                Err(Retry)
            }
        }
    }

    async fn apply(&self, taken: Taken<'_>, until: AskUntil) -> Result<Outcome, Stopped> {
        let Applied { taken, outcome, state, unpublished } = self.converge(taken, until).await?;
        self.publish(unpublished);
        // Also for a repeat: its first delivery may have ended between the write and this line.
        self.cache.invalidate(&cache_key(&taken.event.employee_id)).await;
        self.end(taken, &outcome, state).await?;
        Ok(outcome)
    }

    /// Tells whoever asks how the event ended. `state` is the person's then, if there is one.
    async fn end(
        &self,
        taken: Taken<'_>,
        outcome: &Outcome,
        state: Option<EnrichmentState>,
    ) -> Result<(), store::Error> {
        let Taken { event, is_repeat, .. } = taken;
        let ended = self.request_event(taken, RequestState::Ended(outcome.clone()));
        let facts = told::ended(&event.correlation_id, &ended, "").map(|facts| taken.trace(facts));
        let has_ended_now = self.store.end_request(&event.correlation_id, &ended, facts.as_ref()).await?;
        let is_complete = matches!(state, Some(EnrichmentState::Complete | EnrichmentState::Left));
        // A request ends well once, however often its record is delivered: so an event is counted once at the most.
        let took = (has_ended_now && is_complete).then(|| self.clock.millis_since(event.received_at));
        tracing::info!(outcome = name(outcome), accepted_to_complete_ms = took, "enriched");
        if let Some(took) = took {
            self.times.note(took).await;
        }
        let backlog = if is_repeat { Backlog::Possible } else { Backlog::None };
        self.publish(facts.filter(|_| has_ended_now).map(|facts| Unpublished { facts, backlog }));
        Ok(())
    }

    /// Compare and set: whoever else wrote the person meanwhile, the registers have the last word.
    async fn converge<'r>(&self, mut taken: Taken<'r>, until: AskUntil) -> Result<Applied<'r>, Stopped> {
        let Taken { event, delivery, .. } = taken;
        let mut asked: Option<Asked> = None;
        let mut told_before = None;
        for round in 0..ROUNDS {
            let accepted = async { if round == 0 { self.accept(taken).await } else { Ok(taken) } };
            let ((person, known), accepted) = tokio::try_join!(self.store.person_and_entry(event), accepted)?;
            taken = accepted;
            let place = Place::of(event, person.as_ref(), known.as_ref());
            let told_before =
                *told_before.get_or_insert_with(|| delivery.told_before(event, place, known.as_ref()));
            let all = match place {
                Place::InsteadOfKnown => self.store.entries(&event.employee_id).await?,
                Place::New | Place::Known | Place::OfForgotten => Vec::new(),
            };
            let read = person.clone();
            let draft = Draft::new(event, person, known, &all, self.clock.now());
            match draft.asks_for() {
                None => asked = None,
                // What was said of this address before a conflict still is what Okta says.
                Some(email) if asked.as_ref().is_some_and(|asked| asked.email == *email) => {}
                Some(email) => {
                    let mut asking = Box::pin(self.ask(&event.employee_id, email.clone(), until));
                    let said = match timeout(PATIENCE, &mut asking).await {
                        Ok(said) => said,
                        Err(_elapsed) => {
                            if self.commit_early(taken, draft.clone(), read.as_ref()).await? {
                                taken.timeline.stored = Some(self.clock.now());
                            }
                            asked = Some(Asked { email: email.clone(), said: asking.await });
                            taken.timeline.asked = Some(self.clock.now());
                            // The person has been written since they were read.
                            continue;
                        }
                    };
                    asked = Some(Asked { email: email.clone(), said });
                    taken.timeline.asked = Some(self.clock.now());
                }
            }
            // Also after a conflict, which may be that another has claimed the account.
            let standing = match asked.as_ref().map(|asked| &asked.said) {
                Some(Said::Account(account)) => Some(claim::standing(&self.store, account, &draft).await?),
                Some(Said::Nobody | Said::Nothing(..)) | None => None,
            };
            let is_taken = matches!(standing, Some(Standing::Taken));
            let answer = asked.as_ref().map(|asked| asked.said.answer(is_taken));
            let mut written = draft.answered(event, answer, self.clock.now());
            let mut unpublished = None;
            if written.is_new {
                match self.commit(taken, &mut written, read.as_ref(), standing).await? {
                    (Saved::Yes, facts) => {
                        taken.timeline.stored = Some(self.clock.now());
                        unpublished = facts;
                    }
                    (Saved::Conflict, _) => continue,
                }
            }
            let stopped = match asked.map(|asked| asked.said) {
                Some(Said::Nothing(_, stopped)) => stopped,
                Some(Said::Account(_)) if is_taken && !written.person.has_left() => {
                    Stopped::DeadLetter(Failure::EmailTaken)
                }
                Some(Said::Nobody) if !written.person.has_left() => {
                    Stopped::DeadLetter(Failure::UserNotFound)
                }
                Some(Said::Account(_) | Said::Nobody) | None => {
                    let outcome = converge::outcome(written.entry.all_changes().skip(told_before));
                    return Ok(Applied { taken, outcome, state: written.person.state(), unpublished });
                }
            };
            // HR's part is written: whoever reads the person sees it from now on.
            self.cache.invalidate(&cache_key(&event.employee_id)).await;
            self.publish(unpublished);
            return Err(stopped);
        }
        Err(Stopped::Retry(Away::Contended))
    }

    /// HR's part, where Okta lets us wait: nobody shall. Returns whether it was written: that somebody else has written
    /// meanwhile is as good.
    async fn commit_early(
        &self,
        taken: Taken<'_>,
        draft: Draft,
        read: Option<&Person>,
    ) -> Result<bool, Stopped> {
        let okta_is_slow = Some(Answer::None(Reason::OktaUnavailable));
        let mut waiting = draft.answered(taken.event, okta_is_slow, self.clock.now());
        if !waiting.is_new {
            return Ok(false);
        }
        let (saved, unpublished) = self.commit(taken, &mut waiting, read, None).await?;
        self.cache.invalidate(&cache_key(&taken.event.employee_id)).await;
        self.publish(unpublished);
        Ok(saved == Saved::Yes)
    }

    /// The person, the entry, what changes of their claims with them, and what is to be told of it, in one transaction.
    /// Returns what is to be published then.
    async fn commit(
        &self,
        taken: Taken<'_>,
        written: &mut Written,
        read: Option<&Person>,
        standing: Option<Standing>,
    ) -> Result<(Saved, Option<Unpublished>), store::Error> {
        let facts = written.facts.take().map(|facts| taken.trace(facts));
        let Written { person, entry, .. } = written;
        let claims = claim::changes(&self.store, person, read, standing).await?;
        let write = Write { new: person, read, entry: Some(entry), claims: &claims, facts: facts.as_ref() };
        let saved = self.store.write(write).await?;
        let backlog = if read.is_none() { Backlog::None } else { Backlog::Possible };
        Ok((saved, facts.filter(|_| saved == Saved::Yes).map(|facts| Unpublished { facts, backlog })))
    }

    fn publish(&self, unpublished: Option<Unpublished>) {
        if let Some(Unpublished { facts, backlog }) = unpublished {
            self.facts.publish(facts, backlog);
        }
    }

    async fn ask(&self, id: &EmployeeId, email: Email, until: AskUntil) -> Said {
        let AskUntil { stop_starting, give_up } = until;
        let Some(_turn) = self.turns.next(stop_starting).await else { return Said::out_of_time() };
        // Dead letters, and at once: reported back, they would use up their redeliveries while Okta is away.
        let permit = match self.breaker.permit().await {
            Ok(permit) => permit.about(id),
            Err(refused) => {
                let failure = Failure::OktaAway(refused);
                return Said::Nothing(failure.reason(), Stopped::DeadLetter(failure));
            }
        };
        let asking = ask::account(&self.okta, &email, self.retry, give_up, Some(&permit));
        let account = timeout_at(give_up, asking).await;
        // Where our time was over Okta may have been about to answer.
        if let Ok(answer) = &account {
            let outcome =
                answer.as_ref().map_or_else(|exhausted| (&exhausted.error).into(), |_| OktaOutcome::Answered);
            self.okta_health.note(outcome).await;
        }
        match account {
            Ok(Ok(Some(account))) if account.fits() => Said::Account(account),
            Ok(Ok(Some(_))) => {
                Said::Nothing(Reason::Unstorable, Stopped::DeadLetter(Failure::AccountTooLarge))
            }
            Ok(Ok(None)) => Said::Nobody,
            Ok(Err(exhausted)) => Said::Nothing(failure::reason(&exhausted.error), exhausted.into()),
            Err(_elapsed) => Said::out_of_time(),
        }
    }

    /// Tells whoever asks that the event was taken off the topic, and finds out whether it was before.
    async fn accept<'r>(&self, taken: Taken<'r>) -> Result<Taken<'r>, store::Error> {
        let accepted = self.request_event(taken, RequestState::Accepted);
        let earlier = self.store.accept_request(&taken.event.correlation_id, &accepted).await?;
        Ok(match earlier {
            None => taken,
            Some(earlier) => Taken { is_repeat: true, timeline: taken.timeline.after(earlier), ..taken },
        })
    }

    fn request_event(&self, taken: Taken<'_>, state: RequestState) -> RequestEvent {
        let Taken { event, timeline, .. } = taken;
        RequestEvent {
            event_id: event.event_id.clone(),
            employee_id: event.employee_id.clone(),
            updated_at: self.clock.now(),
            next_attempt: None,
            timeline,
            state,
        }
    }
}

impl Taken<'_> {
    fn trace(self, facts: Facts) -> Facts {
        let traceparent = self.traceparent.map(str::to_owned);
        Facts { cause: Cause { traceparent, ..facts.cause }, ..facts }
    }
}

/// How a record ended.
#[derive(Debug, Clone, PartialEq)]
pub enum Enriched {
    Applied,
    DeadLetter,
    /// What was received of the person until then is forgotten here. Whoever else keeps some has to forget it, too; only
    /// then is it [done](Enrich::end_forgetting).
    Forgotten(Box<Forgotten>),
}

impl Said {
    fn out_of_time() -> Self {
        Self::Nothing(Reason::OktaUnavailable, Stopped::Retry(Away::OutOfTime))
    }

    fn answer(&self, is_taken: bool) -> Answer {
        match self {
            Self::Account(_) if is_taken => Answer::Taken,
            Self::Account(account) => Answer::Account(account.clone()),
            Self::Nobody => Answer::Nobody,
            Self::Nothing(reason, _) => Answer::None(*reason),
        }
    }
}

fn decode(record: &Record) -> Result<EnrichmentRequestedV2, Failure> {
    let value = record.value.as_deref().ok_or(Failure::Empty)?;
    let version = record.header(header::SCHEMA_VERSION);
    EnrichmentRequestedV2::decode(version, value).map_err(Failure::Undecodable)
}

fn name(outcome: &Outcome) -> &'static str {
    match outcome {
        Outcome::Changed { .. } => "changed",
        Outcome::NothingNew => "nothing_new",
        Outcome::Failed { .. } => "failed",
    }
}

#[cfg(test)]
pub(crate) mod tests;

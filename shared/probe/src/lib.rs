#![doc = include_str!("../README.md")]

mod answer;
mod client;
mod error;

use std::time::Duration;

use contracts::{CorrelationId, Email, EmployeeId};
use reqwest::Method;
use runtime::Clock;
use secrets::Secret;
use serde_json::json;
use tokio::time::{Instant, sleep, timeout_at};
use url::Url;

use answer::{Event, Receipt, Report};
use client::{Client, Failure};

pub use error::{Error, NotPrivate, Waits};

/// The usual id of the test employee.
pub const EMPLOYEE_ID: &str = "joiner-canary";

/// How long an event may usually take.
pub const WITHIN: Duration = Duration::from_mins(1);

/// Before the request is asked for once more. It doubles each time.
const FIRST_PAUSE: Duration = Duration::from_millis(100);
const MAX_PAUSE: Duration = Duration::from_secs(2);

/// What is probed, and with whom.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Where the API is: what stands before `/v1`.
    pub base: Url,
    /// A key that may send events and ask for requests; `None` where everybody is let in.
    pub key: Option<Secret>,
    pub employee_id: EmployeeId,
    /// Of an account in Okta that no other employee has.
    pub email: Email,
    /// How long an event may take from being sent until its person is complete.
    pub within: Duration,
}

/// Sends events all the way. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Probe {
    client: Client,
    employee_id: EmployeeId,
    email: Email,
    within: Duration,
    clock: Clock,
}

/// An event that the webhook has taken.
#[derive(Debug, Clone)]
pub struct Accepted {
    pub correlation_id: CorrelationId,
    /// How long after it was sent.
    pub accepted_ms: u64,
    sent: Instant,
}

impl Probe {
    pub fn new(settings: Settings, clock: Clock) -> Result<Self, NotPrivate> {
        let Settings { base, key, employee_id, email, within } = settings;
        if !okta::is_private(&base) {
            return Err(NotPrivate);
        }
        Ok(Self { client: Client::new(base, key), employee_id, email, within, clock })
    }

    /// Sends a new event. Returns when the webhook has accepted it.
    pub async fn send(&self) -> Result<Accepted, Error> {
        let sent = Instant::now();
        let event = json!({
            "event_id": self.clock.new_id().to_string(),
            "event_type": "hired",
            "employee_id": self.employee_id,
            "first_name": "Joiner",
            "last_name": "Canary",
            "email": self.email,
            "title": format!("Probe of {}", self.clock.now()),
        });
        let posting = self.client.call(Method::POST, &["hr", "webhook"], Some(&event));
        let posted = timeout_at(sent + self.within, posting).await.unwrap_or(Err(Failure::Late));
        let Receipt { correlation_id } = posted.map_err(Error::NotAccepted)?;
        Ok(Accepted { correlation_id, accepted_ms: millis_since(sent), sent })
    }

    /// Asks for the event's request until its person is complete. Returns how many milliseconds after the event was sent
    /// that was.
    pub async fn follow(&self, accepted: &Accepted) -> Result<u64, Error> {
        let mut waits = Waits::OnTheTopic;
        let asking = self.ask(&accepted.correlation_id, &mut waits);
        match timeout_at(accepted.sent + self.within, asking).await {
            Ok(ended) => ended.map(|()| millis_since(accepted.sent)),
            Err(_elapsed) => Err(Error::NotComplete { within: self.within, waits }),
        }
    }

    async fn ask(&self, id: &CorrelationId, waits: &mut Waits) -> Result<(), Error> {
        let mut pause = FIRST_PAUSE;
        loop {
            match self.client.call(Method::GET, &["requests", id.as_str()], None).await {
                Ok(Report { events: [event] }) => match event {
                    Event::Accepted => *waits = Waits::InWork,
                    // HR's part and Okta's: the event has stated an address.
                    Event::Enriched { outcome } if outcome == "changed" => return Ok(()),
                    Event::Enriched { .. } => return Err(Error::NothingNew),
                    Event::Failed { reason, message } => return Err(Error::DeadLetter { reason, message }),
                },
                Err(failure) if failure.is_not_found() => *waits = Waits::OnTheTopic,
                Err(failure) if failure.passes() => *waits = Waits::Unknown(failure),
                Err(failure) => return Err(Error::NotFollowed(failure)),
            }
            sleep(pause).await;
            pause = (pause * 2).min(MAX_PAUSE);
        }
    }
}

fn millis_since(start: Instant) -> u64 {
    u64::try_from(start.elapsed().as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests;

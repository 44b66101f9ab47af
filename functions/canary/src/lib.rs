//! Every few minutes: sends a test employee's event through all of Joiner, and fails where it isn't complete in time. That
//! nothing is wrong and that nothing is asked look the same from inside; from outside they don't.

use aws::Aws;
use contracts::{CorrelationId, Email, EmployeeId};
use lambda::Tick;
use probe::{Error, Probe, Settings};
use runtime::{Clock, ConfigError, Vars, config::wrong, telemetry};
use secrets::Secret;
use url::Url;

#[derive(Debug, Clone)]
pub struct Function {
    probe: Probe,
}

/// How long the event took, in milliseconds since it was sent.
#[derive(Debug)]
pub struct Complete {
    pub correlation_id: CorrelationId,
    pub accepted_ms: u64,
    pub complete_ms: u64,
}

impl lambda::Function for Function {
    const NAME: &'static str = env!("CARGO_PKG_NAME");
    type Event = Tick;

    /// Reads `CANARY_URL`, `CANARY_EMAIL`, `CANARY_WITHIN_SECONDS` (60), and `API_KEY` or `API_KEY_SECRET_ID`.
    fn from_vars(vars: &Vars, clock: Clock) -> Result<Self, ConfigError> {
        let url = "the API's URL, with https://, or http:// on this machine";
        let base = Url::parse(vars.require("CANARY_URL", url)?).map_err(|_| wrong("CANARY_URL", url))?;
        let address = "the address of an account in Okta that no other employee has";
        let email = Email::parse(vars.require("CANARY_EMAIL", address)?);
        let settings = Settings {
            base,
            key: Secret::from_vars(vars, "API_KEY", &Aws::from_vars(vars)?)?,
            employee_id: EmployeeId::parse(probe::EMPLOYEE_ID).expect("it is one"),
            email: email.map_err(|_| wrong("CANARY_EMAIL", address))?,
            within: vars.seconds_or("CANARY_WITHIN_SECONDS", probe::WITHIN)?,
        };
        Ok(Self { probe: Probe::new(settings, clock).map_err(|_| wrong("CANARY_URL", url))? })
    }

    /// # Errors
    /// When the event isn't complete in time, whatever the reason.
    async fn handle(&self, _tick: Tick) -> Result<(), lambda::Error> {
        self.run().await?;
        Ok(())
    }
}

impl Function {
    pub async fn run(&self) -> Result<Complete, Error> {
        let accepted = self.probe.send().await.inspect_err(|error| report(error, None))?;
        let (correlation_id, accepted_ms) = (accepted.correlation_id.clone(), accepted.accepted_ms);
        let followed = self.probe.follow(&accepted).await;
        let complete_ms = followed.inspect_err(|error| report(error, Some(&correlation_id)))?;
        tracing::info!(
            correlation_id = correlation_id.as_str(),
            accepted_ms,
            complete_ms,
            "the canary's event is complete"
        );
        Ok(Complete { correlation_id, accepted_ms, complete_ms })
    }
}

fn report(error: &Error, correlation_id: Option<&CorrelationId>) {
    let correlation_id = correlation_id.map(CorrelationId::as_str);
    tracing::error!(correlation_id, error = telemetry::chain(error), "the canary's event is not complete");
}

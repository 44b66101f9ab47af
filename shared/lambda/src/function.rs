use std::future::{Future, ready};

use lambda_runtime::{Context, Error, LambdaEvent};
use runtime::{Clock, ConfigError, Vars};
use serde::{Serialize, de::DeserializeOwned};

/// What Lambda invokes.
pub trait Function: Clone + Send + Sync + 'static {
    /// The name of its package, which is also that of its folder and its binary.
    const NAME: &'static str;

    type Event: Event;

    /// Connects to nobody: what is away must not keep a function from its start.
    fn from_vars(vars: &Vars, clock: Clock) -> Result<Self, ConfigError>;

    fn handle(&self, event: Self::Event) -> impl Future<Output = <Self::Event as Event>::Answer> + Send;

    /// To be awaited before the process ends.
    fn flush(&self) -> impl Future<Output = ()> + Send {
        ready(())
    }
}

/// What a function is invoked with, as one kind of service sends it.
pub trait Event: Send + Sized {
    /// As it is in JSON.
    type Payload: DeserializeOwned + Send;

    /// What the function says to it.
    type Answer: Send;

    /// Called when the process of a function starts that gets such events.
    fn starting(_vars: &Vars) {}

    /// Reads the event, and writes what `function` answers.
    fn invoke<F: Function<Event = Self>>(
        function: &F,
        event: LambdaEvent<Self::Payload>,
        clock: Clock,
    ) -> impl Future<Output = Result<impl Serialize + Send, Error>> + Send;
}

/// Invokes the function as Lambda does: JSON in, JSON out.
pub async fn invoke<F: Function>(
    function: &F,
    payload: &[u8],
    context: Context,
    clock: Clock,
) -> Result<Vec<u8>, Error> {
    let event = LambdaEvent::new(serde_json::from_slice(payload)?, context);
    let answer = F::Event::invoke(function, event, clock).await;
    // Then Lambda freezes the process.
    otlp::flush().await;
    Ok(serde_json::to_vec(&answer?)?)
}

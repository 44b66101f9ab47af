//! What is one service's own.

use lambda_runtime::{Error, LambdaEvent};
use runtime::Clock;
use serde::{Serialize, de::DeserializeOwned};
use serde_json::Value;
use tracing::Instrument;

use crate::{
    deadline::Deadline,
    function::{Event, Function},
    span::invocation,
};

/// An event of whatever service, as `T` reads it.
#[derive(Debug)]
pub struct Json<T> {
    pub payload: T,
    pub deadline: Deadline,
}

impl<T: DeserializeOwned + Send> Event for Json<T> {
    type Payload = T;
    type Answer = Result<Value, Error>;

    async fn invoke<F: Function<Event = Self>>(
        function: &F,
        event: LambdaEvent<T>,
        clock: Clock,
    ) -> Result<impl Serialize + Send, Error> {
        let LambdaEvent { payload, context } = event;
        let deadline = Deadline::of(&context, clock);
        function.handle(Self { payload, deadline }).instrument(invocation(F::NAME, &context)).await
    }
}

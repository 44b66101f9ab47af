//! API Gateway's HTTP API.

use std::convert::Infallible;

use lambda_http::{Adapter, Body, Request, Response, request::LambdaRequest, tower::Service};
use lambda_runtime::{Error, LambdaEvent, service_fn};
use runtime::{Clock, Vars};
use serde::Serialize;

use crate::function::{Event, Function};

impl Event for Request {
    type Payload = LambdaRequest;
    type Answer = Response<Body>;

    fn starting(vars: &Vars) {
        api::warn_if_open(vars);
    }

    /// A request carries its context.
    async fn invoke<F: Function<Event = Self>>(
        function: &F,
        event: LambdaEvent<LambdaRequest>,
        _clock: Clock,
    ) -> Result<impl Serialize + Send, Error> {
        let handle = |request| async move { Ok::<_, Infallible>(function.handle(request).await) };
        Ok(Adapter::from(service_fn(handle)).call(event).await?)
    }
}

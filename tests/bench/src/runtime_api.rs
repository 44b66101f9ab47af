use std::{
    future::{IntoFuture, pending},
    net::{Ipv4Addr, SocketAddr},
    time::{Duration, Instant},
};

use anyhow::{Context, Result, bail, ensure};
use axum::{
    Json, Router,
    body::Bytes,
    extract::{Path, State},
    http::{HeaderName, StatusCode},
    response::IntoResponse,
    routing::{get, post},
};
use runtime::Clock;
use serde_json::json;
use tokio::{
    net::TcpListener,
    select,
    sync::{
        mpsc::{self, UnboundedReceiver, UnboundedSender},
        oneshot,
    },
    time::sleep,
};

use crate::process::Process;

const EXTENSION_ID: HeaderName = HeaderName::from_static("lambda-extension-identifier");
const REQUEST_ID: HeaderName = HeaderName::from_static("lambda-runtime-aws-request-id");
const DEADLINE: HeaderName = HeaderName::from_static("lambda-runtime-deadline-ms");
const ARN: HeaderName = HeaderName::from_static("lambda-runtime-invoked-function-arn");

/// How long anything may take on a busy machine.
const LIMIT: Duration = Duration::from_mins(1);

/// Lambda's Runtime API, for one function at a time.
pub(crate) struct RuntimeApi {
    pub(crate) address: SocketAddr,
    asked: UnboundedReceiver<Asked>,
    answered: UnboundedReceiver<Answer>,
}

/// A request for an event. Dropped, it waits for ever.
pub(crate) struct Asked {
    pub(crate) at: Instant,
    give: oneshot::Sender<Vec<u8>>,
}

/// What a function made of an event.
pub(crate) struct Answer {
    /// From when it got the event.
    pub(crate) took: Duration,
    pub(crate) at: Instant,
    pub(crate) body: Bytes,
    /// `response`, or `error`.
    kind: String,
}

#[derive(Clone)]
struct Tell {
    asked: UnboundedSender<Asked>,
    answered: UnboundedSender<Answer>,
}

impl RuntimeApi {
    pub(crate) async fn start() -> Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let address = listener.local_addr()?;
        let ((tell_asked, asked), (tell_answered, answered)) =
            (mpsc::unbounded_channel(), mpsc::unbounded_channel());
        let app = Router::new()
            .route("/2018-06-01/runtime/invocation/next", get(next))
            .route("/2018-06-01/runtime/invocation/{id}/{kind}", post(answer))
            // How a function that has to flush something learns of its end.
            .route("/2020-01-01/extension/register", post(register))
            .route("/2020-01-01/extension/event/next", get(pending::<()>))
            .with_state(Tell { asked: tell_asked, answered: tell_answered });
        tokio::spawn(axum::serve(listener, app).into_future());
        Ok(Self { address, asked, answered })
    }

    /// Waits until the function asks for an event.
    pub(crate) async fn asked(&mut self, process: &mut Process) -> Result<Asked> {
        loop {
            select! {
                asked = self.asked.recv() => return asked.context("the Runtime API has ended"),
                () = sleep(Duration::from_millis(100)) => {
                    process.check_running()?;
                    ensure!(process.began.elapsed() < LIMIT, "it asked for no event within {LIMIT:?}");
                }
            }
        }
    }

    /// Gives the event to the function that asked for one, and waits for its answer.
    pub(crate) async fn invoke(&mut self, asked: Asked, event: Vec<u8>) -> Result<Answer> {
        let given = Instant::now();
        ensure!(asked.give.send(event).is_ok(), "the function has hung up");
        let answer = tokio::time::timeout(LIMIT, self.answered.recv()).await.context("there is no answer")?;
        let answer = answer.context("the Runtime API has ended")?;
        if answer.kind != "response" {
            bail!("the function failed: {}", String::from_utf8_lossy(&answer.body));
        }
        Ok(Answer { took: answer.at - given, ..answer })
    }
}

async fn next(State(tell): State<Tell>) -> impl IntoResponse {
    let (give, given) = oneshot::channel();
    // Whoever listens may have given up.
    let _ = tell.asked.send(Asked { at: Instant::now(), give });
    let Ok(event) = given.await else { pending().await };
    let deadline = (Clock::system().now() + LIMIT).as_millisecond();
    let arn = "arn:aws:lambda:eu-west-1:000000000000:function:bench";
    ([(REQUEST_ID, "bench".to_owned()), (DEADLINE, deadline.to_string()), (ARN, arn.to_owned())], event)
}

async fn answer(
    State(tell): State<Tell>,
    Path((_id, kind)): Path<(String, String)>,
    body: Bytes,
) -> StatusCode {
    let _ = tell.answered.send(Answer { took: Duration::ZERO, at: Instant::now(), body, kind });
    StatusCode::ACCEPTED
}

async fn register() -> impl IntoResponse {
    let extension = json!({ "functionName": "bench", "functionVersion": "$LATEST", "handler": "bootstrap" });
    ([(EXTENSION_ID, "bench")], Json(extension))
}

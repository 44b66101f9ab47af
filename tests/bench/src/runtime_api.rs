use std::{
    future::{IntoFuture, pending},
    net::{Ipv4Addr, SocketAddr},
    time::Instant,
};

use anyhow::{Context, Result};
use axum::{
    Json, Router,
    extract::State,
    http::HeaderName,
    response::IntoResponse,
    routing::{get, post},
};
use serde_json::json;
use tokio::{
    net::TcpListener,
    sync::mpsc::{self, UnboundedReceiver, UnboundedSender},
};

const EXTENSION_ID: HeaderName = HeaderName::from_static("lambda-extension-identifier");

/// Lambda's Runtime API for one function at a time, which never has an event for it.
pub(crate) struct RuntimeApi {
    pub(crate) address: SocketAddr,
    asked: UnboundedReceiver<Instant>,
}

impl RuntimeApi {
    pub(crate) async fn start() -> Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let address = listener.local_addr()?;
        let (tell, asked) = mpsc::unbounded_channel();
        let app = Router::new()
            .route("/2018-06-01/runtime/invocation/next", get(next))
            // How a function that has to flush something learns of its end.
            .route("/2020-01-01/extension/register", post(register))
            .route("/2020-01-01/extension/event/next", get(pending::<()>))
            .with_state(tell);
        tokio::spawn(axum::serve(listener, app).into_future());
        Ok(Self { address, asked })
    }

    /// When a function asked for its first event.
    pub(crate) async fn asked(&mut self) -> Result<Instant> {
        self.asked.recv().await.context("the Runtime API has ended")
    }
}

async fn next(State(tell): State<UnboundedSender<Instant>>) {
    // Whoever listens may have given up.
    let _ = tell.send(Instant::now());
    pending::<()>().await;
}

async fn register() -> impl IntoResponse {
    let extension = json!({ "functionName": "bench", "functionVersion": "$LATEST", "handler": "bootstrap" });
    ([(EXTENSION_ID, "bench")], Json(extension))
}

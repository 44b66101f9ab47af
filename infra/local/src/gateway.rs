//! The HTTP API: routes requests to functions as API Gateway does, payload format version 2.

mod event;
mod routes;

use std::{future::Future, sync::Arc};

use axum::{
    Router,
    body::Body,
    extract::{Request, State},
    http::{StatusCode, header, request::Parts},
    response::Response,
};
use runtime::{Clock, loopback};
use tokio::net::TcpListener;

pub(crate) use self::routes::Routes;

/// API Gateway's limit.
const MOST_BYTES: usize = 10 * 1024 * 1024;

struct Gateway {
    routes: Routes,
    clock: Clock,
}

/// Serves until `shutdown`, then lets requests that are under way end.
pub(crate) async fn serve(
    listener: TcpListener,
    routes: Routes,
    clock: Clock,
    shutdown: impl Future<Output = ()> + Send + 'static,
) -> std::io::Result<()> {
    let app = Router::new().fallback(handle).with_state(Arc::new(Gateway { routes, clock }));
    axum::serve(listener, app).with_graceful_shutdown(shutdown).await
}

async fn handle(State(gateway): State<Arc<Gateway>>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    if !is_for_this_machine(&parts) {
        return message(
            StatusCode::MISDIRECTED_REQUEST,
            "This is localhost, and answers under that name only.",
        );
    }
    let Ok(body) = axum::body::to_bytes(body, MOST_BYTES).await else {
        return message(StatusCode::PAYLOAD_TOO_LARGE, "Request Too Long");
    };
    let Some(matched) = gateway.routes.find(parts.method.as_str(), parts.uri.path()) else {
        return message(StatusCode::NOT_FOUND, "Not Found");
    };
    let event = event::request(&parts, &body, &matched, gateway.clock);
    match matched.function.invoke(event).await.and_then(|answer| event::response(&answer)) {
        Ok(response) => response,
        Err(error) => {
            let function = matched.function.name.as_str();
            tracing::error!(function, error = format!("{error:#}"), "an invocation failed");
            message(StatusCode::INTERNAL_SERVER_ERROR, "Internal Server Error")
        }
    }
}

/// The port may be another, which somebody forwards to ours.
fn is_for_this_machine(request: &Parts) -> bool {
    let host = request.headers.get(header::HOST).and_then(|host| host.to_str().ok());
    host.is_some_and(loopback::is_loopback)
}

/// API Gateway's own errors.
fn message(status: StatusCode, text: &str) -> Response {
    let mut response = Response::new(Body::from(serde_json::json!({ "message": text }).to_string()));
    *response.status_mut() = status;
    response
}

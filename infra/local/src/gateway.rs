//! The HTTP API: routes requests to functions as API Gateway does, payload format version 2.

mod cors;
mod event;
mod routes;

use std::{future::Future, sync::Arc};

use axum::{
    Router,
    body::Body,
    extract::{Request, State},
    http::{StatusCode, header, request::Parts},
    response::{IntoResponse, Response},
};
use runtime::{Clock, loopback};
use tokio::net::TcpListener;

use self::cors::FromPage;
pub(crate) use self::{cors::Cors, routes::Routes};

/// API Gateway's limit.
const MAX_BODY_BYTES: usize = 10 * 1024 * 1024;

pub(crate) struct Gateway {
    pub(crate) routes: Routes,
    /// `None` where the template configures none.
    pub(crate) cors: Option<Cors>,
    pub(crate) clock: Clock,
}

impl Gateway {
    /// Serves until `shutdown`, then lets requests that are under way end.
    pub(crate) async fn serve(
        self,
        listener: TcpListener,
        shutdown: impl Future<Output = ()> + Send + 'static,
    ) -> std::io::Result<()> {
        let app = Router::new().fallback(handle).with_state(Arc::new(self));
        axum::serve(listener, app).with_graceful_shutdown(shutdown).await
    }

    async fn answer(&self, parts: Parts, body: Body, is_preflight: bool) -> Response {
        let Ok(body) = axum::body::to_bytes(body, MAX_BODY_BYTES).await else {
            return message(StatusCode::PAYLOAD_TOO_LARGE, "Request Too Long");
        };
        let Some(matched) = self.routes.find(parts.method.as_str(), parts.uri.path()) else {
            if is_preflight && self.cors.is_some() {
                return StatusCode::NO_CONTENT.into_response();
            }
            return message(StatusCode::NOT_FOUND, "Not Found");
        };
        let event = event::request(&parts, &body, &matched, self.clock);
        match matched.function.invoke(event).await.and_then(|answer| event::response(&answer)) {
            Ok(response) => response,
            Err(error) => {
                let function = matched.function.name.as_str();
                tracing::error!(function, error = format!("{error:#}"), "an invocation failed");
                message(StatusCode::INTERNAL_SERVER_ERROR, "Internal Server Error")
            }
        }
    }
}

async fn handle(State(gateway): State<Arc<Gateway>>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    if !is_for_this_machine(&parts) {
        return message(
            StatusCode::MISDIRECTED_REQUEST,
            "This is localhost, and answers under that name only.",
        );
    }
    let page = FromPage::of(&parts);
    let is_preflight = page.as_ref().is_some_and(|page| page.is_preflight);
    let mut response = gateway.answer(parts, body, is_preflight).await;
    if let Some(cors) = &gateway.cors {
        cors.answer(page.as_ref(), response.headers_mut());
    }
    response
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::template;

    #[tokio::test]
    async fn a_preflight_that_no_route_takes_is_answered_where_cors_is_configured() {
        for (cors, expected) in [(None, 404), (Some(template::Cors::default()), 204)] {
            let cors = cors.map(|cors| Cors::new(cors).unwrap());
            let gateway = Gateway { routes: Routes::default(), cors, clock: Clock::system() };
            let (parts, body) = Request::options("/v1/users").body(Body::empty()).unwrap().into_parts();
            assert_eq!(gateway.answer(parts, body, true).await.status().as_u16(), expected);
        }
    }
}

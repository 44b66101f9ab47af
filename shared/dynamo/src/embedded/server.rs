//! HTTP around the operations, and who may ask for them.

use std::{future::Future, io, net::SocketAddr, sync::Arc};

use axum::{
    Router,
    body::{Body, to_bytes},
    extract::{Request, State},
    http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header},
    response::Response,
};
use dynoxide::{Database, DynoxideError};
use runtime::loopback;
use serde_json::json;
use tokio::net::TcpListener;

use super::operations;

/// DynamoDB's limit.
const MAX_BODY_BYTES: usize = 16 * 1024 * 1024;

const TARGET: HeaderName = HeaderName::from_static("x-amz-target");

pub(super) struct Server {
    pub(super) database: Database,
    pub(super) address: SocketAddr,
    pub(super) access_key_id: String,
}

impl Server {
    pub(super) async fn serve(
        self,
        listener: TcpListener,
        shutdown: impl Future<Output = ()> + Send + 'static,
    ) -> io::Result<()> {
        let app = Router::new().fallback(answer).with_state(Arc::new(self));
        axum::serve(listener, app).with_graceful_shutdown(shutdown).await
    }

    /// <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-authentication-methods.html>
    fn knows(&self, headers: &HeaderMap) -> bool {
        let given = headers.get(header::AUTHORIZATION).and_then(|given| given.to_str().ok());
        let scope = given.and_then(|given| given.strip_prefix("AWS4-HMAC-SHA256 Credential="));
        scope.and_then(|scope| scope.split('/').next()) == Some(self.access_key_id.as_str())
    }
}

async fn answer(State(server): State<Arc<Server>>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let bytes = |name| parts.headers.get(name).map(HeaderValue::as_bytes);
    if !loopback::is_from_a_program(server.address, bytes(header::HOST), bytes(header::ORIGIN)) {
        return refusal(
            StatusCode::FORBIDDEN,
            "AccessDeniedException",
            "Only programs on this machine may ask.",
        );
    }
    if !server.knows(&parts.headers) {
        let message = "The security token included in the request is invalid.";
        return refusal(StatusCode::BAD_REQUEST, "UnrecognizedClientException", message);
    }
    let Ok(body) = to_bytes(body, MAX_BODY_BYTES).await else {
        return refusal(StatusCode::PAYLOAD_TOO_LARGE, "RequestEntityTooLarge", "The request is too long.");
    };
    let target = parts.headers.get(TARGET).and_then(|target| target.to_str().ok());
    let operation = target.and_then(|target| target.strip_prefix("DynamoDB_20120810."));
    match operations::run(&server.database, operation.unwrap_or_default(), &body) {
        Some(Ok(answer)) => json_response(StatusCode::OK, answer),
        Some(Err(error)) => {
            let status =
                StatusCode::from_u16(error.status_code()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
            json_response(status, DynoxideError::to_json(&error))
        }
        None => refusal(StatusCode::BAD_REQUEST, "UnknownOperationException", "The tables don't have this."),
    }
}

fn refusal(status: StatusCode, kind: &str, message: &str) -> Response {
    json_response(status, json!({ "__type": kind, "message": message }).to_string())
}

fn json_response(status: StatusCode, body: impl Into<Body>) -> Response {
    let mut response = Response::new(body.into());
    *response.status_mut() = status;
    let kind = HeaderValue::from_static("application/x-amz-json-1.0");
    response.headers_mut().insert(header::CONTENT_TYPE, kind);
    response
}

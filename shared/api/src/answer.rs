use lambda_http::{
    Body, Response,
    http::{HeaderValue, StatusCode, header},
};
use serde::Serialize;
use url::form_urlencoded;

/// A JSON answer.
pub fn json(status: StatusCode, body: &impl Serialize) -> Response<Body> {
    raw_json(status, serde_json::to_string(body).expect("our answers have string keys"))
}

/// An answer that is JSON already.
pub fn raw_json(status: StatusCode, body: String) -> Response<Body> {
    let mut response = Response::new(Body::Text(body));
    *response.status_mut() = status;
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}

/// The header that leads to the next page: <https://www.rfc-editor.org/rfc/rfc8288>.
pub fn link_to_next(response: &mut Response<Body>, path: &str, query: &[(&str, Option<&str>)]) {
    let mut encoded = form_urlencoded::Serializer::new(String::new());
    encoded.extend_pairs(query.iter().filter_map(|(name, value)| Some((*name, (*value)?))));
    let link = HeaderValue::try_from(format!("<{path}?{}>; rel=\"next\"", encoded.finish()));
    response.headers_mut().insert(header::LINK, link.expect("a form-encoded query is visible ASCII"));
}

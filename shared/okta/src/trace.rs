use tracing::{Span, field::Empty};
use url::Url;

/// A request's part of its trace, without what its URL says of somebody.
/// <https://opentelemetry.io/docs/specs/semconv/http/http-spans/#http-client-span>
pub(crate) fn get(url: &Url) -> Span {
    tracing::info_span!(
        "okta",
        otel.kind = "client",
        otel.name = format!("GET {}", template(url)),
        otel.status_code = Empty,
        http.request.method = "GET",
        http.response.status_code = Empty,
        error.type = Empty,
        url.template = template(url),
        server.address = url.host_str(),
        server.port = url.port_or_known_default(),
    )
}

/// The path with `{id}` for whom it is about, and without a query, which may have their address.
fn template(url: &Url) -> String {
    let mut is_id = false;
    let parts = url.path().split('/').map(|part| {
        let shown = if is_id && !part.is_empty() { "{id}" } else { part };
        is_id = part == "users" && !is_id;
        shown
    });
    parts.collect::<Vec<_>>().join("/")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_template_says_what_is_asked_for_and_not_of_whom() {
        for (path, expected) in [
            ("/api/v1/users?filter=profile.email%20eq%20%22ada%40acme.example%22", "/api/v1/users"),
            ("/api/v1/users/ada%40acme.example", "/api/v1/users/{id}"),
            ("/api/v1/users/users/groups?limit=200", "/api/v1/users/{id}/groups"),
            ("/api/v1/users/00u1/appLinks", "/api/v1/users/{id}/appLinks"),
        ] {
            assert_eq!(template(&Url::parse(&format!("https://example.okta.com{path}")).unwrap()), expected);
        }
    }
}

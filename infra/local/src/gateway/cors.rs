//! CORS as API Gateway does it by itself, for pages of other origins:
//! <https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-cors.html>.
//!
//! A preflight is answered without a function only where no route takes it: `ANY` and `$default` take `OPTIONS` too, as
//! <https://github.com/aws/serverless-application-model/issues/1603> found. The headers are the gateway's either way.

use anyhow::Context;
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, header, request::Parts};

use crate::template;

#[derive(Debug)]
pub(crate) struct Cors {
    origins: Vec<String>,
    for_all: Vec<(HeaderName, HeaderValue)>,
    for_preflights: Vec<(HeaderName, HeaderValue)>,
}

/// A request that a page makes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct FromPage {
    origin: HeaderValue,
    /// Whether a browser asks if the page may make the request that it wants to make.
    pub(super) is_preflight: bool,
}

impl Cors {
    pub(crate) fn new(configured: template::Cors) -> anyhow::Result<Self> {
        let list = |values: &[String]| {
            HeaderValue::try_from(values.join(",")).context("CorsConfiguration has what no header takes")
        };
        let all = [(header::ACCESS_CONTROL_EXPOSE_HEADERS, list(&configured.expose_headers)?)];
        let preflights = [
            (header::ACCESS_CONTROL_ALLOW_METHODS, list(&configured.allow_methods)?),
            (header::ACCESS_CONTROL_ALLOW_HEADERS, list(&configured.allow_headers)?),
        ];
        let is_configured = |(_, value): &(HeaderName, HeaderValue)| !value.is_empty();
        let mut for_all: Vec<_> = all.into_iter().filter(is_configured).collect();
        let mut for_preflights: Vec<_> = preflights.into_iter().filter(is_configured).collect();
        if configured.allow_credentials {
            for_all.push((header::ACCESS_CONTROL_ALLOW_CREDENTIALS, HeaderValue::from_static("true")));
        }
        for_preflights.extend(configured.max_age.map(|age| (header::ACCESS_CONTROL_MAX_AGE, age.into())));
        Ok(Self { origins: configured.allow_origins, for_all, for_preflights })
    }

    /// Sets the headers that let the page at the answer, if it may; those of a function don't count.
    pub(super) fn answer(&self, page: Option<&FromPage>, headers: &mut HeaderMap) {
        let of_a_function: Vec<_> =
            headers.keys().filter(|name| name.as_str().starts_with("access-control-")).cloned().collect();
        for name in of_a_function {
            headers.remove(name);
        }
        let Some((page, origin)) = page.and_then(|page| Some((page, self.allowed(&page.origin)?))) else {
            return;
        };
        headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin);
        headers.extend(self.for_all.iter().cloned());
        if page.is_preflight {
            headers.extend(self.for_preflights.iter().cloned());
        }
    }

    /// An origin is one that the template has, or `*`, or of a scheme that is let in with `https://*`.
    fn allowed(&self, origin: &HeaderValue) -> Option<HeaderValue> {
        let name = origin.to_str().ok()?;
        if self.origins.iter().any(|allowed| allowed == "*") {
            return Some(HeaderValue::from_static("*"));
        }
        let allows = |allowed: &String| match allowed.strip_suffix('*') {
            Some(scheme) => name.starts_with(scheme),
            None => allowed == name,
        };
        self.origins.iter().any(allows).then(|| origin.clone())
    }
}

impl FromPage {
    pub(super) fn of(request: &Parts) -> Option<Self> {
        let is_preflight = request.method == Method::OPTIONS
            && request.headers.contains_key(header::ACCESS_CONTROL_REQUEST_METHOD);
        let origin = request.headers.get(header::ORIGIN)?.clone();
        Some(Self { origin, is_preflight })
    }
}

#[cfg(test)]
mod tests {
    use axum::http::Request;

    use super::*;

    const OURS: &str = "https://console.example";

    fn words(words: &[&str]) -> Vec<String> {
        words.iter().map(|&word| word.to_owned()).collect()
    }

    fn configured(origins: &[&str]) -> template::Cors {
        template::Cors {
            allow_origins: words(origins),
            allow_methods: words(&["GET", "POST"]),
            allow_headers: words(&["X-API-Key"]),
            expose_headers: words(&["Link"]),
            max_age: Some(3600),
            allow_credentials: false,
        }
    }

    /// The headers of an answer to a request of that method and with those headers, in order.
    fn answered(configured: template::Cors, method: &str, headers: &[(&str, &str)]) -> Vec<String> {
        let request = headers
            .iter()
            .fold(Request::builder().method(method), |request, (name, value)| request.header(*name, *value));
        let (parts, ()) = request.body(()).unwrap().into_parts();
        let mut answer = HeaderMap::new();
        answer.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("https://the.function"));
        Cors::new(configured).unwrap().answer(FromPage::of(&parts).as_ref(), &mut answer);
        let mut lines: Vec<_> =
            answer.iter().map(|(name, value)| format!("{name}: {}", value.to_str().unwrap())).collect();
        lines.sort();
        lines
    }

    #[test]
    fn a_page_that_is_let_in_reads_the_answer_and_may_ask_beforehand() {
        let request = answered(configured(&[OURS]), "GET", &[("origin", OURS)]);
        let readable =
            ["access-control-allow-origin: https://console.example", "access-control-expose-headers: Link"];
        assert_eq!(request, readable);
        let preflight = [("origin", OURS), ("access-control-request-method", "POST")];
        assert_eq!(
            answered(configured(&[OURS]), "OPTIONS", &preflight),
            [
                "access-control-allow-headers: X-API-Key",
                "access-control-allow-methods: GET,POST",
                readable[0],
                readable[1],
                "access-control-max-age: 3600",
            ]
        );
        let credentials = template::Cors { allow_credentials: true, ..configured(&[OURS]) };
        let with_credentials = answered(credentials, "GET", &[("origin", OURS)]);
        assert_eq!(with_credentials[0], "access-control-allow-credentials: true");
    }

    #[test]
    fn any_other_page_and_a_program_get_no_header_not_even_a_functions() {
        for origin in
            ["https://evil.example", "https://console.example:8443", "http://console.example", "null"]
        {
            assert_eq!(answered(configured(&[OURS]), "GET", &[("origin", origin)]), [""; 0], "{origin}");
        }
        assert_eq!(answered(configured(&[OURS, "*"]), "GET", &[]), [""; 0]);
        assert_eq!(answered(template::Cors::default(), "GET", &[("origin", OURS)]), [""; 0]);
    }

    #[test]
    fn a_star_is_every_page_or_every_page_of_a_scheme() {
        let origin = |origins: &[&str]| answered(configured(origins), "GET", &[("origin", OURS)]).remove(0);
        assert_eq!(origin(&["*"]), "access-control-allow-origin: *");
        assert_eq!(origin(&["https://*"]), "access-control-allow-origin: https://console.example");
        assert_eq!(answered(configured(&["http://*"]), "GET", &[("origin", OURS)]), [""; 0]);
    }
}

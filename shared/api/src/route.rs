//! One row for each thing that an API does. Dispatch, `Allow`, who may, which query parameters there are, the API's
//! description and the check of `template.yaml` come from the rows.

use std::pin::Pin;

use jiff::{civil::Date, tz::TimeZone};
use lambda_http::{
    Body, Response,
    http::{HeaderMap, HeaderName, HeaderValue, Method},
};

use crate::{Call, Problem, scope::Scope};

/// `F` is the function whose route it is.
#[derive(Debug)]
pub struct Route<F> {
    pub method: &'static str,
    /// As `template.yaml` has it, such as `/v1/users/{id}`.
    pub path: &'static str,
    /// Its name in the API's description.
    pub operation: &'static str,
    /// `None` is open to everybody.
    pub scope: Option<Scope>,
    pub query: &'static [&'static str],
    pub deprecation: Option<Deprecation>,
    pub(crate) handler: Handler<F>,
}

pub type Handler<F> = for<'a> fn(&'a F, &'a Call) -> Answering<'a>;

pub type Answering<'a> = Pin<Box<dyn Future<Output = Result<Response<Body>, Problem>> + Send + 'a>>;

/// The route goes on to work as it did, until its sunset.
#[derive(Debug, Clone, Copy)]
pub struct Deprecation {
    pub since: Date,
    /// From this day on the route may be gone.
    pub sunset: Date,
}

impl<F> Route<F> {
    pub const fn get(path: &'static str, operation: &'static str, scope: Scope, handler: Handler<F>) -> Self {
        Self::new("GET", path, operation, Some(scope), handler)
    }

    pub const fn post(
        path: &'static str,
        operation: &'static str,
        scope: Scope,
        handler: Handler<F>,
    ) -> Self {
        Self::new("POST", path, operation, Some(scope), handler)
    }

    pub const fn delete(
        path: &'static str,
        operation: &'static str,
        scope: Scope,
        handler: Handler<F>,
    ) -> Self {
        Self::new("DELETE", path, operation, Some(scope), handler)
    }

    /// A GET that needs no key.
    pub const fn open(path: &'static str, operation: &'static str, handler: Handler<F>) -> Self {
        Self::new("GET", path, operation, None, handler)
    }

    /// The query parameters that it knows; any other is refused.
    #[must_use]
    pub const fn query(self, names: &'static [&'static str]) -> Self {
        Self { query: names, ..self }
    }

    #[must_use]
    pub const fn deprecated(self, since: Date, sunset: Date) -> Self {
        Self { deprecation: Some(Deprecation { since, sunset }), ..self }
    }

    const fn new(
        method: &'static str,
        path: &'static str,
        operation: &'static str,
        scope: Option<Scope>,
        handler: Handler<F>,
    ) -> Self {
        Self { method, path, operation, scope, query: &[], deprecation: None, handler }
    }

    /// HEAD is answered as GET.
    pub(crate) fn takes(&self, method: &Method) -> bool {
        let method = if method == Method::HEAD { &Method::GET } else { method };
        self.method == method.as_str()
    }
}

impl Deprecation {
    /// <https://www.rfc-editor.org/rfc/rfc9745> and <https://www.rfc-editor.org/rfc/rfc8594>
    pub(crate) fn announce(self, headers: &mut HeaderMap) {
        let since = self.since.to_zoned(TimeZone::UTC).expect("UTC has every day").timestamp().as_second();
        let sunset = self.sunset.strftime("%a, %d %b %Y 00:00:00 GMT");
        for (name, value) in [("deprecation", format!("@{since}")), ("sunset", sunset.to_string())] {
            let value = HeaderValue::try_from(value).expect("a date is visible ASCII");
            headers.insert(HeaderName::from_static(name), value);
        }
    }
}

const METHODS: [&str; 6] = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"];

/// What the header `Allow` says of a path that has these methods. OPTIONS is answered of every path.
pub(crate) fn allow(methods: &[&str]) -> String {
    let has = |method: &str| methods.contains(&if method == "HEAD" { "GET" } else { method });
    let mut allowed: Vec<_> = METHODS.into_iter().filter(|method| has(method)).collect();
    allowed.push("OPTIONS");
    allowed.join(", ")
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;

    #[test]
    fn allow_lists_head_with_get_and_each_method_once() {
        assert_eq!(allow(&["DELETE", "GET", "GET"]), "GET, HEAD, DELETE, OPTIONS");
        assert_eq!(allow(&["POST"]), "POST, OPTIONS");
    }

    #[test]
    fn a_deprecation_is_announced_as_the_rfcs_write_it() {
        let mut headers = HeaderMap::new();
        Deprecation { since: date(2023, 6, 30), sunset: date(2024, 6, 30) }.announce(&mut headers);
        assert_eq!(headers["deprecation"], "@1688083200");
        assert_eq!(headers["sunset"], "Sun, 30 Jun 2024 00:00:00 GMT");
    }
}

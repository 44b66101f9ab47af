use std::{cmp::Reverse, collections::BTreeMap};

use percent_encoding::percent_decode_str;

use crate::{function::Function, template::Route};

/// How a parameter ends that takes all segments that are left.
const GREEDY: &str = "+}";

/// The routes of all functions.
#[derive(Debug, Default)]
pub(crate) struct Routes(Vec<(Route, Function)>);

/// A route that a request takes.
#[derive(Debug)]
pub(crate) struct Matched<'a> {
    pub(crate) key: String,
    pub(crate) parameters: BTreeMap<String, String>,
    pub(crate) function: &'a Function,
}

impl Routes {
    pub(crate) fn add(&mut self, routes: &[Route], function: &Function) {
        self.0.extend(routes.iter().map(|route| (route.clone(), function.clone())));
    }

    /// The most specific route: literal segments before parameters, a method before ANY, then a greedy parameter, and
    /// `$default` last.
    pub(crate) fn find(&self, method: &str, path: &str) -> Option<Matched<'_>> {
        let candidates = self.0.iter().filter_map(|(route, function)| {
            let parameters = matches(route, method, path)?;
            let is_greedy = route.path.as_deref().is_some_and(|path| path.ends_with(GREEDY));
            let literal = Reverse(parameters.len());
            let rank = (route.path.is_some(), !is_greedy, literal, route.method.is_some());
            Some((rank, route, parameters, function))
        });
        let (_, route, parameters, function) = candidates.max_by_key(|(rank, ..)| *rank)?;
        Some(Matched { key: route.key(), parameters, function })
    }
}

fn matches(route: &Route, method: &str, path: &str) -> Option<BTreeMap<String, String>> {
    if route.method.as_deref().is_some_and(|only| only != method) {
        return None;
    }
    let Some(template) = &route.path else { return Some(BTreeMap::new()) };
    let mut parameters = BTreeMap::new();
    let (template, path) = match template.strip_suffix(GREEDY).and_then(|parent| parent.rsplit_once("/{")) {
        Some((parent, name)) => {
            let depth = parent.split('/').count();
            let (start, _) = path.match_indices('/').nth(depth - 1)?;
            let rest = &path[start + 1..];
            // It stands for one segment at the least.
            if rest.is_empty() {
                return None;
            }
            parameters.insert(name.to_owned(), decoded(rest));
            (parent, &path[..start])
        }
        None => (template.as_str(), path),
    };
    let (template, path) = (template.split('/'), path.split('/'));
    if template.clone().count() != path.clone().count() {
        return None;
    }
    for (expected, found) in template.zip(path) {
        match expected.strip_prefix('{').and_then(|name| name.strip_suffix('}')) {
            Some(name) => {
                parameters.insert(name.to_owned(), decoded(found));
            }
            None if expected == found => {}
            None => return None,
        }
    }
    Some(parameters)
}

fn decoded(text: &str) -> String {
    percent_decode_str(text).decode_utf8_lossy().into_owned()
}

#[cfg(test)]
mod tests {
    use std::{future::ready, sync::Arc, time::Duration};

    use futures_util::future::BoxFuture;
    use runtime::Clock;

    use super::*;

    fn route(method: Option<&str>, path: &str) -> Route {
        Route { method: method.map(str::to_owned), path: Some(path.to_owned()) }
    }

    #[test]
    fn parameters_are_decoded_segments() {
        let found = matches(&route(None, "/v1/users/{id}"), "GET", "/v1/users/a%2Fb").unwrap();
        assert_eq!(found["id"], "a/b");
        assert_eq!(matches(&route(None, "/v1/users/{id}"), "GET", "/v1/users"), None);
        assert_eq!(matches(&route(None, "/v1/users/{id}"), "GET", "/v1/users/a/b"), None);
    }

    #[test]
    fn a_route_with_a_method_takes_that_method_only() {
        assert!(matches(&route(Some("GET"), "/x"), "GET", "/x").is_some());
        assert!(matches(&route(Some("GET"), "/x"), "POST", "/x").is_none());
    }

    #[test]
    fn a_greedy_parameter_takes_what_is_below_and_not_its_parent() {
        let greedy = route(None, "/v1/{proxy+}");
        for (path, rest) in [
            ("/v1/a", Some("a")),
            ("/v1/a/b%2Fc/", Some("a/b/c/")),
            ("/v1/", None),
            ("/v1", None),
            ("/v2/a", None),
        ] {
            let found = matches(&greedy, "GET", path);
            assert_eq!(found.as_ref().map(|found| found["proxy"].as_str()), rest, "{path}");
        }
        assert_eq!(matches(&route(None, "/{proxy+}"), "GET", "/"), None);
        assert_eq!(matches(&route(None, "/{proxy+}"), "GET", "/v1").unwrap()["proxy"], "v1");
    }

    #[test]
    fn a_method_of_the_path_comes_before_one_of_everything() {
        let echo = Arc::new(|payload, _context| -> BoxFuture<'static, _> { Box::pin(ready(Ok(payload))) });
        let function = Function::new("echo".to_owned(), Duration::ZERO, Clock::system(), echo);
        let mut routes = Routes::default();
        let all = [
            Route { method: None, path: None },
            route(Some("PUT"), "/{proxy+}"),
            route(Some("GET"), "/{proxy+}"),
            route(Some("GET"), "/v1/users/{id}"),
            route(Some("GET"), "/v1/users/healthz"),
        ];
        routes.add(&all, &function);
        for (method, path, key) in [
            ("GET", "/v1/users/healthz", "GET /v1/users/healthz"),
            ("GET", "/v1/users/E1", "GET /v1/users/{id}"),
            ("PUT", "/v1/users/E1", "PUT /{proxy+}"),
            ("GET", "/v1/nowhere", "GET /{proxy+}"),
            ("DELETE", "/v1/users/E1", "$default"),
        ] {
            assert_eq!(routes.find(method, path).unwrap().key, key, "{method} {path}");
        }
    }

    #[test]
    fn the_default_route_takes_everything() {
        assert!(matches(&Route { method: None, path: None }, "PUT", "/any/thing").is_some());
    }
}

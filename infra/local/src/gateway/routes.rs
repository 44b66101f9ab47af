use std::collections::BTreeMap;

use percent_encoding::percent_decode_str;

use crate::{function::Function, template::Route};

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

    /// The most specific route: literal segments before parameters, a method before ANY, `$default` last.
    pub(crate) fn find(&self, method: &str, path: &str) -> Option<Matched<'_>> {
        let candidates = self.0.iter().filter_map(|(route, function)| {
            let parameters = matches(route, method, path)?;
            let rank = (route.path.is_some(), std::cmp::Reverse(parameters.len()), route.method.is_some());
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
    let (template, path) = (template.split('/'), path.split('/'));
    if template.clone().count() != path.clone().count() {
        return None;
    }
    let mut parameters = BTreeMap::new();
    for (expected, found) in template.zip(path) {
        match expected.strip_prefix('{').and_then(|name| name.strip_suffix('}')) {
            Some(name) => {
                let value = percent_decode_str(found).decode_utf8_lossy().into_owned();
                parameters.insert(name.to_owned(), value);
            }
            None if expected == found => {}
            None => return None,
        }
    }
    Some(parameters)
}

#[cfg(test)]
mod tests {
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
    fn the_default_route_takes_everything() {
        assert!(matches(&Route { method: None, path: None }, "PUT", "/any/thing").is_some());
    }
}

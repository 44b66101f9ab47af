//! `template.yaml` has a route for each row, and no other.

use std::collections::BTreeSet;

use joiner::template::{Route, Template};
use lambda::Function as _;

use crate::{Describe, FUNCTIONS, description_of, root};

/// What no row takes comes to one function. OPTIONS is missing: a preflight that a route takes would come to it, too.
const CATCH_ALL: [&str; 7] = [
    "DELETE /{proxy+}",
    "GET /",
    "GET /{proxy+}",
    "HEAD /{proxy+}",
    "PATCH /{proxy+}",
    "POST /{proxy+}",
    "PUT /{proxy+}",
];

fn template() -> Template {
    Template::read(&root().join("template.yaml")).unwrap()
}

/// The functions' routes as "GET /v1/users". HEAD is a method of its own to API Gateway.
fn routes_of(functions: &[(&str, Describe)]) -> BTreeSet<String> {
    let mut routes = BTreeSet::new();
    for key in description_of(functions).keys() {
        routes.extend(key.strip_prefix("GET ").map(|path| format!("HEAD {path}")));
        routes.insert(key);
    }
    routes
}

#[test]
fn each_function_has_the_routes_of_its_rows_and_no_other() {
    for function in template().functions {
        let described: Vec<_> = FUNCTIONS.into_iter().filter(|(name, _)| *name == function.name).collect();
        let mut expected = routes_of(&described);
        if function.name == user_query::Function::NAME {
            expected.extend(CATCH_ALL.map(str::to_owned));
        }
        let routes: BTreeSet<_> = function.routes.iter().map(Route::key).collect();
        assert_eq!(routes, expected, "{}", function.name);
    }
}

#[test]
fn a_page_may_use_each_method_that_a_row_has() {
    let routes = routes_of(&FUNCTIONS);
    let methods: BTreeSet<_> = routes.iter().filter_map(|route| route.split(' ').next()).collect();
    let cors = template().cors.unwrap();
    let allowed: BTreeSet<_> = cors.allow_methods.iter().map(String::as_str).collect();
    assert_eq!(allowed, methods);
}

//! `docs/openapi.yaml` says what the code does: it is made of the code's types, and held to its routes.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

use api::openapi::Description;
use joiner::template::Template;
use reqwest::{Method, StatusCode};
use testkit::World;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

fn described() -> Description {
    let mut description = Description::default();
    hr_webhook::describe(&mut description);
    user_query::describe(&mut description);
    dead_letters::describe(&mut description);
    description
}

#[test]
fn the_document_is_what_the_code_describes() {
    let path = root().join("docs/openapi.yaml");
    let document = serde_norway::to_string(&described().finish(env!("CARGO_PKG_VERSION"))).unwrap();
    if std::env::var_os("UPDATE_OPENAPI").is_some() {
        fs::write(&path, &document).unwrap();
    }
    let written = fs::read_to_string(&path).unwrap_or_default();
    let differs = written.lines().zip(document.lines()).position(|(written, made)| written != made);
    assert!(
        written == document,
        "docs/openapi.yaml is not what the code says, from line {} on: make openapi",
        differs.map_or(written.lines().count(), |line| line + 1),
    );
}

#[test]
fn every_route_of_the_template_is_described_and_no_other() {
    let template = Template::read(&root().join("template.yaml")).unwrap();
    let routes = template.functions.iter().flat_map(|function| &function.routes);
    let routes: BTreeSet<_> = routes.filter_map(|route| route.path.as_deref()).collect();
    let described = described();
    let paths: BTreeSet<_> = described.methods().map(|(path, _)| path).collect();
    assert_eq!(paths, routes);
}

#[tokio::test(flavor = "multi_thread")]
async fn every_method_that_is_not_described_is_refused_with_those_that_are() {
    let world = World::new().await;
    for (path, methods) in described().methods() {
        let described: BTreeSet<_> = methods.into_iter().map(str::to_uppercase).collect();
        let path = path.replace("{id}", "E1");
        for method in [Method::GET, Method::POST, Method::PUT, Method::PATCH, Method::DELETE] {
            if described.contains(method.as_str()) {
                continue;
            }
            let answer = world.call(method.clone(), &path, &[], None).await;
            assert_eq!(answer.status, StatusCode::METHOD_NOT_ALLOWED, "{method} {path}");
            let allowed = answer.headers["allow"].to_str().unwrap().split(", ").map(str::to_owned).collect();
            assert_eq!(described, allowed, "{path}");
        }
    }
}

#[test]
fn every_operation_has_its_own_id_and_every_reference_a_target() {
    let document = serde_json::to_value(described().finish("0")).unwrap();
    let operations =
        document["paths"].as_object().unwrap().values().flat_map(|path| path.as_object().unwrap().values());
    let ids: Vec<_> = operations.map(|operation| operation["operationId"].as_str().unwrap()).collect();
    let (mut named, mut targets) = (BTreeSet::new(), BTreeSet::new());
    walk(&document, &mut |name, value| match name {
        "operationId" => drop(named.insert(value.to_owned())),
        "$ref" => drop(targets.insert(value.to_owned())),
        _ => {}
    });
    assert!(ids.len() > 10);
    assert_eq!(named, ids.iter().map(|id| (*id).to_owned()).collect(), "a link leads nowhere");
    assert_eq!(named.len(), ids.len(), "two operations with one id");
    for target in &targets {
        let pointer = target.strip_prefix('#').unwrap();
        assert!(document.pointer(pointer).is_some(), "nothing at {target}");
    }
    for (name, _) in document["components"]["schemas"].as_object().unwrap() {
        assert!(targets.contains(&format!("#/components/schemas/{name}")), "nobody needs {name}");
    }
}

/// Every text in the document, with the name of what holds it.
fn walk(value: &serde_json::Value, see: &mut impl FnMut(&str, &str)) {
    match value {
        serde_json::Value::Object(fields) => {
            for (name, field) in fields {
                if let Some(text) = field.as_str() {
                    see(name, text);
                }
                walk(field, see);
            }
        }
        serde_json::Value::Array(items) => items.iter().for_each(|item| walk(item, see)),
        _ => {}
    }
}

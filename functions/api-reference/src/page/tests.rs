use std::collections::BTreeSet;

use super::*;

/// What stands between each `before` and the next quotation mark.
fn after<'a>(page: &'a str, before: &str) -> Vec<&'a str> {
    page.split(before).skip(1).filter_map(|rest| rest.split('"').next()).collect()
}

#[test]
fn every_operation_message_and_schema_has_its_place_and_every_link_leads_to_one() {
    let page = render();
    let ids = after(&page, " id=\"");
    let unique: BTreeSet<_> = ids.iter().copied().collect();
    assert_eq!(ids.len(), unique.len(), "two places with one id");
    for target in after(&page, "href=\"#") {
        assert!(unique.contains(target), "nothing at #{target}");
    }
    let document: Value = serde_json::from_str(OPENAPI).unwrap();
    let mut operations = 0;
    for (path, methods) in html::fields(&document["paths"]) {
        for (method, operation) in html::fields(methods) {
            operations += 1;
            let id = operation["operationId"].as_str().unwrap();
            assert!(unique.contains(id), "{method} {path}");
        }
    }
    assert!(operations > 20, "{operations}");
    for name in html::fields(&document["components"]["schemas"]).keys() {
        assert!(unique.contains(format!("schema-{name}").as_str()), "{name}");
    }
    for one in SchemaList::all().schemas {
        let newest = one.versions.last().unwrap();
        assert!(page.contains(&format!("href=\"v1/schemas/{}/versions/{newest}\"", one.subject)));
    }
}

#[test]
fn the_page_loads_nothing_and_its_policy_allows_its_style_alone() {
    let page = render();
    for loading in ["<script", "<link", "<img", "<iframe", " style=", " src=", "@import", "url(", " on"] {
        let is_there = page.split('<').any(|tag| {
            tag.split('>')
                .next()
                .is_some_and(|tag| format!("<{tag}").contains(loading) && !tag.starts_with("style>"))
        });
        assert!(!is_there, "{loading}");
    }
    let style = page.split("<style>").nth(1).unwrap().split("</style>").next().unwrap();
    for loading in ["@import", "url("] {
        assert!(!style.contains(loading), "{loading}");
    }
    let hash = BASE64_STANDARD.encode(Sha256::digest(style));
    assert!(policy().contains(&format!("style-src 'sha256-{hash}'")));
    assert!(policy().starts_with("default-src 'none'; "));
}

#[test]
fn every_element_that_is_opened_is_closed() {
    let page = render();
    let mut open = Vec::new();
    for part in page.split('<').skip(1) {
        let tag = part.split(['>', ' ']).next().unwrap();
        match tag.strip_prefix('/') {
            Some(closed) => assert_eq!(open.pop(), Some(closed)),
            None if ["!doctype", "meta", "br"].contains(&tag) => {}
            None => open.push(tag),
        }
    }
    assert_eq!(open, [""; 0]);
}

#[test]
fn a_group_is_the_beginning_of_a_path() {
    for (path, group) in [
        ("/v1/users/{id}/history", "/v1/users"),
        ("/v1/users", "/v1/users"),
        ("/docs", "/docs"),
        ("/a/b", "/a"),
    ] {
        assert_eq!(beginning(path), group);
    }
}

//! The reference as a page, made of the description. It has no script, and needs nothing from anywhere.

mod html;
mod operation;
mod schema;

use std::collections::BTreeMap;

use base64::{Engine, prelude::BASE64_STANDARD};
use serde_json::Value;
use sha2::{Digest, Sha256};

use self::{
    html::{escaped, prose, text},
    operation::Operation,
};
use crate::{OPENAPI, schemas::SchemaList};

const STYLE: &str = include_str!("page/style.css");

/// What a browser may do with the page: use its own style, and nothing else.
pub(crate) fn policy() -> String {
    let hash = BASE64_STANDARD.encode(Sha256::digest(STYLE));
    format!(
        "default-src 'none'; style-src 'sha256-{hash}'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    )
}

pub(crate) fn render() -> String {
    let document: Value = serde_json::from_str(OPENAPI).expect("the build wrote it");
    let title = format!("{} {}", text(&document["info"]["title"]), text(&document["info"]["version"]));
    let groups = groups(&document);
    let schemas = html::fields(&document["components"]["schemas"]);
    format!(
        "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\">\
        <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\
        <meta name=\"color-scheme\" content=\"light dark\"><title>{title}</title><style>{STYLE}</style></head>\
        <body><a class=\"skip\" href=\"#content\">Skip to the content</a>\
        <header><h1>{title}</h1><p>{}</p><p>{}</p>\
        <p><a href=\"openapi.json\">openapi.json</a> <a href=\"#messages\">Messages</a> <a href=\"#schemas\">Schemas</a></p>\
        </header>{}<main id=\"content\">{}{}<section id=\"schemas\"><h2>Schemas</h2>{}</section></main></body></html>",
        prose(&document["info"]["summary"]),
        prose(&document["info"]["description"]),
        contents(&groups, schemas.keys()),
        groups.iter().map(|(path, operations)| group(path, operations)).collect::<Vec<_>>().concat(),
        messages(),
        schemas.iter().map(|(name, schema)| schema::section(name, schema)).collect::<Vec<_>>().concat(),
    )
}

/// The operations, by the beginning of their paths.
fn groups(document: &Value) -> BTreeMap<&str, Vec<Operation<'_>>> {
    let mut groups = BTreeMap::<_, Vec<_>>::new();
    for (path, methods) in html::fields(&document["paths"]) {
        for (method, object) in html::fields(methods) {
            groups.entry(beginning(path)).or_default().push(Operation { document, method, path, object });
        }
    }
    groups
}

/// `/v1/users` of `/v1/users/{id}`.
fn beginning(path: &str) -> &str {
    let depth = if path.starts_with("/v1/") { 3 } else { 2 };
    path.match_indices('/').nth(depth - 1).map_or(path, |(end, _)| &path[..end])
}

fn contents<'a>(
    groups: &BTreeMap<&str, Vec<Operation<'_>>>,
    schemas: impl Iterator<Item = &'a String>,
) -> String {
    let operations = |operations: &[Operation<'_>]| {
        let links: Vec<_> = operations.iter().map(|one| format!("<li>{}</li>", one.link())).collect();
        links.concat()
    };
    let groups = groups.iter().map(|(path, group)| {
        format!("<li><code>{}</code><ul>{}</ul></li>", escaped(path), operations(group))
    });
    let schemas = schemas.map(|name| format!("<li>{}</li>", schema::link(name)));
    format!(
        "<details class=\"contents\"><summary>Contents</summary><nav aria-label=\"Contents\"><ul>{}\
        <li><a href=\"#messages\">Messages</a></li><li><a href=\"#schemas\">Schemas</a><ul>{}</ul></li></ul></nav></details>",
        groups.collect::<Vec<_>>().concat(),
        schemas.collect::<Vec<_>>().concat(),
    )
}

fn group(path: &str, operations: &[Operation<'_>]) -> String {
    let sections: Vec<_> = operations.iter().map(Operation::section).collect();
    let path = escaped(path);
    format!("<section><h2><code>{path}</code></h2>{}</section>", sections.concat())
}

fn messages() -> String {
    let message = |subject: &str, versions: &[u32]| {
        let link = |version: &u32| {
            format!("<a href=\"v1/schemas/{subject}/versions/{version}\">version {version}</a> ")
        };
        let links: Vec<_> = versions.iter().map(link).collect();
        format!("<dt><code>{subject}</code></dt><dd>{}</dd>", links.concat())
    };
    let all = SchemaList::all().schemas;
    let all: Vec<_> = all.iter().map(|one| message(one.subject, &one.versions)).collect();
    format!(
        "<section id=\"messages\"><h2>Messages</h2><p>The JSON Schemas of the messages on Joiner's topics.</p><dl>{}</dl></section>",
        all.concat()
    )
}

#[cfg(test)]
mod tests;

use serde_json::Value;

use super::{
    html::{escaped, fields, items, paragraph, prose, resolved, text},
    schema,
};

/// One method of one path.
pub(super) struct Operation<'a> {
    pub(super) document: &'a Value,
    pub(super) method: &'a str,
    pub(super) path: &'a str,
    pub(super) object: &'a Value,
}

impl Operation<'_> {
    pub(super) fn link(&self) -> String {
        let (id, summary) = (self.id(), prose(&self.object["summary"]));
        format!("<a href=\"#{id}\">{} {summary}</a>", self.badge())
    }

    pub(super) fn section(&self) -> String {
        let (id, path) = (self.id(), escaped(self.path));
        let deprecated = self.object["deprecated"] == true;
        let deprecated = if deprecated { "<p><strong>Deprecated.</strong></p>" } else { "" };
        format!(
            "<section id=\"{id}\" class=\"card\"><h3><a href=\"#{id}\">{} <code>{path}</code></a></h3><p>{}</p>{deprecated}{}<p>{}</p>{}{}{}</section>",
            self.badge(),
            prose(&self.object["summary"]),
            paragraph(&self.object["description"]),
            self.access(),
            self.parameters(),
            self.body(),
            self.answers(),
        )
    }

    fn id(&self) -> String {
        text(&self.object["operationId"])
    }

    fn badge(&self) -> String {
        let method = escaped(self.method);
        format!("<span class=\"method {method}\">{}</span>", method.to_uppercase())
    }

    fn access(&self) -> String {
        let scopes = items(&self.object["security"]).iter().flat_map(|scheme| fields(scheme).values());
        let scopes: Vec<_> =
            scopes.flat_map(items).map(|scope| format!("<code>{}</code>", text(scope))).collect();
        match scopes.as_slice() {
            [] => "Open to everybody.".to_owned(),
            scopes => format!("Takes a key (<code>X-API-Key</code>) with {}.", scopes.join(", ")),
        }
    }

    fn parameters(&self) -> String {
        let parameter = |parameter: &Value| {
            let parameter = resolved(self.document, parameter);
            let required = if parameter["required"] == true { ", required" } else { "" };
            format!(
                "<dt><code>{}</code> <small>{}{required}</small> {}</dt><dd>{}</dd>",
                text(&parameter["name"]),
                text(&parameter["in"]),
                schema::kind(&parameter["schema"]),
                prose(&parameter["description"]),
            )
        };
        let all: Vec<_> = items(&self.object["parameters"]).iter().map(parameter).collect();
        format!("<h4>Parameters</h4><dl>{}</dl>", all.concat())
    }

    fn body(&self) -> String {
        let body = &self.object["requestBody"];
        let content = fields(&body["content"]).iter().map(|(media_type, content)| {
            let examples = fields(&content["examples"]).iter().map(|(name, example)| {
                let example = format!("{:#}", example["value"]);
                let (name, example) = (escaped(name), escaped(&example));
                format!(
                    "<details><summary>Example: {name}</summary><pre tabindex=\"0\">{example}</pre></details>"
                )
            });
            format!(
                "<h4>Body</h4><p><code>{}</code> {}</p>{}{}",
                escaped(media_type),
                schema::kind(&content["schema"]),
                paragraph(&body["description"]),
                examples.collect::<Vec<_>>().concat(),
            )
        });
        content.collect::<Vec<_>>().concat()
    }

    fn answers(&self) -> String {
        let answer = |(status, answer): (&String, &Value)| {
            let answer = resolved(self.document, answer);
            let content = fields(&answer["content"]).iter().map(|(media_type, content)| {
                format!("<code>{}</code> {} ", escaped(media_type), schema::kind(&content["schema"]))
            });
            let headers: Vec<_> = fields(&answer["headers"])
                .keys()
                .map(|name| format!("<code>{}</code>", escaped(name)))
                .collect();
            let headers = match headers.as_slice() {
                [] => String::new(),
                headers => format!("<br><small>Headers: {}</small>", headers.join(", ")),
            };
            format!(
                "<dt><strong>{}</strong> {}</dt><dd>{}{headers}</dd>",
                escaped(status),
                content.collect::<Vec<_>>().concat(),
                prose(&answer["description"]),
            )
        };
        let all: Vec<_> = fields(&self.object["responses"]).iter().map(answer).collect();
        format!("<h4>Answers</h4><dl>{}</dl>", all.concat())
    }
}

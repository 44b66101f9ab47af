use std::collections::{BTreeMap, BTreeSet};

use lambda_http::http::StatusCode;
use schemars::{JsonSchema, Schema, SchemaGenerator, transform::Transform};
use serde::Serialize;
use serde_json::{Map, Value, json};

use super::{Renamed, schema_in};
use crate::{MAX_BODY_BYTES, Route};

/// One method of one path, to be described further.
#[derive(Debug)]
pub struct Operation<'a> {
    object: &'a mut Object,
    read: &'a mut SchemaGenerator,
    answered: &'a mut SchemaGenerator,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Object {
    pub(super) operation_id: &'static str,
    pub(super) summary: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    description: Option<&'static str>,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    deprecated: bool,
    security: Vec<Value>,
    parameters: Vec<Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    request_body: Option<Value>,
    responses: BTreeMap<String, Value>,
    /// The row's.
    #[serde(skip)]
    query: &'static [&'static str],
}

const JSON: &str = "application/json";

impl Object {
    pub(super) fn of<F>(route: &Route<F>) -> Self {
        let mut shared = vec![("400", "UnknownParameter"), ("429", "TooManyRequests"), ("500", "Failed")];
        let mut security = Vec::new();
        if let Some(scope) = route.scope {
            let scheme = if scope.is_admins() { "AdminKey" } else { "ApiKey" };
            security.push(json!({ scheme: [scope.name()] }));
            shared.extend([("401", "ApiKeyMissing"), ("403", "ApiKeyWrong")]);
        }
        let responses =
            shared.into_iter().map(|(status, name)| (status.to_owned(), reference("responses", name)));
        Self {
            operation_id: route.operation,
            summary: "",
            description: None,
            deprecated: route.deprecation.is_some(),
            security,
            parameters: vec![reference("parameters", "CorrelationId")],
            request_body: None,
            responses: responses.collect(),
            query: route.query,
        }
    }

    /// What a row has and its description hasn't, or the other way round.
    pub(super) fn gaps(&self) -> Vec<String> {
        let id = self.operation_id;
        let mut gaps = Vec::new();
        if self.summary.is_empty() {
            gaps.push(format!("{id} is not described"));
        }
        let described: BTreeSet<_> = self.parameters.iter().filter_map(query_parameter).collect();
        let row: BTreeSet<_> = self.query.iter().copied().collect();
        gaps.extend(described.difference(&row).map(|name| format!("{id}: `{name}` is not in its row")));
        gaps.extend(row.difference(&described).map(|name| format!("{id}: `{name}` is not described")));
        gaps
    }

    pub(super) fn is_open(&self) -> bool {
        self.security.is_empty()
    }

    pub(super) fn rename_in_body(&mut self, renamed: &mut Renamed) {
        let body =
            self.request_body.as_mut().and_then(|body| body.pointer_mut("/content/application~1json/schema"));
        if let Some(body) = body
            && let Ok(mut schema) = Schema::try_from(body.clone())
        {
            renamed.transform(&mut schema);
            *body = schema.into();
        }
    }
}

impl<'a> Operation<'a> {
    pub(super) fn new(
        object: &'a mut Object,
        read: &'a mut SchemaGenerator,
        answered: &'a mut SchemaGenerator,
    ) -> Self {
        Self { object, read, answered }
    }

    #[must_use]
    pub fn description(self, text: &'static str) -> Self {
        self.object.description = Some(text);
        self
    }

    /// A `{name}` of the path.
    #[must_use]
    pub fn path<T: JsonSchema>(self, name: &str, example: &str) -> Self {
        let schema = schema_in::<T>(self.read);
        self.object.parameters.push(
            json!({"name": name, "in": "path", "required": true, "schema": schema, "example": example}),
        );
        self
    }

    #[must_use]
    pub fn query<T: JsonSchema>(self, name: &str, description: &str) -> Self {
        let schema = schema_in::<T>(self.read);
        self.object
            .parameters
            .push(json!({"name": name, "in": "query", "description": description, "schema": schema}));
        self
    }

    #[must_use]
    pub fn header(self, name: &str, description: &str, pattern: &str, example: &str) -> Self {
        self.object.parameters.push(json!({
            "name": name, "in": "header", "description": description,
            "schema": {"type": "string", "pattern": pattern}, "example": example,
        }));
        self
    }

    /// The parameters of lists: `limit` and `cursor`.
    #[must_use]
    pub fn pages(self) -> Self {
        let names = ["Limit", "Cursor"].map(|name| reference("parameters", name));
        self.object.parameters.extend(names);
        self
    }

    #[must_use]
    pub fn dry_run(self) -> Self {
        self.object.parameters.push(reference("parameters", "DryRun"));
        self
    }

    /// A JSON body. With it come the ways in which one can be wrong before its fields are looked at.
    #[must_use]
    pub fn body<T: JsonSchema>(self, examples: &[(&str, &str)]) -> Self {
        let schema = schema_in::<T>(self.read);
        let mut content = json!({ "schema": schema });
        if !examples.is_empty() {
            let examples = examples.iter().map(|(name, text)| {
                let value: Value = serde_json::from_str(text).expect("an example is JSON");
                ((*name).to_owned(), json!({ "value": value }))
            });
            content["examples"] = examples.collect::<Map<_, _>>().into();
        }
        self.object.request_body = Some(json!({
            "required": true,
            "description": format!("At most {} KiB.", MAX_BODY_BYTES / 1024),
            "content": { JSON: content },
        }));
        self.shared(413, "BodyTooLarge").shared(415, "NotJson")
    }

    #[must_use]
    pub fn answers<T: JsonSchema>(self, status: StatusCode, description: &str, headers: &[&str]) -> Self {
        self.answers_as::<T>(JSON, status, description, headers)
    }

    /// An answer of another media type.
    #[must_use]
    pub fn answers_as<T: JsonSchema>(
        self,
        media_type: &str,
        status: StatusCode,
        description: &str,
        headers: &[&str],
    ) -> Self {
        let schema = schema_in::<T>(self.answered);
        let announced: &[_] = if self.object.deprecated { &["Deprecation", "Sunset"] } else { &[] };
        self.object.responses.insert(
            status.as_str().to_owned(),
            json!({
                "description": description,
                "headers": headers_of(&[headers, announced].concat()),
                "content": { media_type: {"schema": schema} },
            }),
        );
        self
    }

    /// `codes` are the problem's, with what they mean.
    #[must_use]
    pub fn refuses(self, status: StatusCode, codes: &str, headers: &[&str]) -> Self {
        // Any route may refuse a parameter.
        let every = if status == StatusCode::BAD_REQUEST { "`unknown_parameter`, " } else { "" };
        self.object.responses.insert(
            status.as_str().to_owned(),
            json!({
                "description": format!("{every}{codes}"),
                "headers": headers_of(headers),
                "content": { "application/problem+json": {"schema": reference("schemas", "Problem")} },
            }),
        );
        self
    }

    /// Whoever has the answer may ask whether it is still the same.
    #[must_use]
    pub fn can_be_revalidated(self) -> Self {
        let tag = "\"0123456789abcdef0123456789abcdef\"";
        let asking = self.header(
            "If-None-Match",
            "The `ETag` of the answer that the caller has. Anything else asks for the answer.",
            "^.*$",
            tag,
        );
        asking.object.responses.insert(
            StatusCode::NOT_MODIFIED.as_str().to_owned(),
            json!({ "description": "It is still the same.", "headers": headers_of(&["ETag"]) }),
        );
        asking
    }

    /// What can be called with what was answered: `parameter` of the other operation is at `pointer` in the body.
    #[must_use]
    pub fn leads_to(self, status: StatusCode, operation: &str, parameter: &str, pointer: &str) -> Self {
        if let Some(answer) = self.object.responses.get_mut(status.as_str()) {
            let link = json!({
                "operationId": operation, "parameters": { parameter: format!("$response.body#{pointer}") },
            });
            answer["links"][operation] = link;
        }
        self
    }

    /// Something that is needed may be away.
    #[must_use]
    pub fn may_be_unavailable(self) -> Self {
        self.shared(503, "Unavailable")
    }

    fn shared(self, status: u16, name: &str) -> Self {
        self.object.responses.insert(status.to_string(), reference("responses", name));
        self
    }
}

const SHARED: [(&str, &str); 3] = [("Limit", "limit"), ("Cursor", "cursor"), ("DryRun", "dry_run")];

/// The parameter's name if it is one of the query.
fn query_parameter(parameter: &Value) -> Option<&str> {
    if parameter["in"] == "query" {
        return parameter["name"].as_str();
    }
    let component = parameter["$ref"].as_str()?.rsplit('/').next()?;
    SHARED.into_iter().find(|(shared, _)| *shared == component).map(|(_, name)| name)
}

fn reference(kind: &str, name: &str) -> Value {
    json!({ "$ref": format!("#/components/{kind}/{name}") })
}

fn headers_of(names: &[&str]) -> Value {
    let names = ["X-Correlation-Id"].iter().chain(names);
    names.map(|name| ((*name).to_owned(), reference("headers", name))).collect::<Map<_, _>>().into()
}

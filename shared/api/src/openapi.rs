//! The API's description, made of the types that the code reads and answers: <https://spec.openapis.org/oas/v3.1.1>.

mod operation;

use std::collections::BTreeMap;

use schemars::{
    JsonSchema, Schema, SchemaGenerator,
    generate::SchemaSettings,
    transform::{Transform, transform_subschemas},
};
use serde::Serialize;
use serde_json::{Map, Value, json};

pub use self::operation::Operation;
use crate::{Route, problem::Wire};

/// Each HTTP function adds its operations.
#[derive(Debug)]
pub struct Description {
    operations: BTreeMap<&'static str, BTreeMap<String, operation::Object>>,
    read: SchemaGenerator,
    answered: SchemaGenerator,
}

/// The description as it is written.
#[derive(Debug, Serialize)]
pub struct Document {
    openapi: &'static str,
    info: Value,
    servers: Value,
    paths: BTreeMap<&'static str, BTreeMap<String, operation::Object>>,
    components: Value,
}

/// A type that is read and answered has two schemas: what may be left out differs.
const READ: &str = "Request";

impl Default for Description {
    fn default() -> Self {
        let settings = SchemaSettings::draft2020_12().with(|settings| {
            settings.definitions_path = "/components/schemas".into();
            settings.meta_schema = None;
        });
        Self {
            operations: BTreeMap::new(),
            read: settings.clone().for_deserialize().into_generator(),
            answered: settings.for_serialize().into_generator(),
        }
    }
}

impl Description {
    /// An operation for each row, to be described further.
    pub fn add<F>(&mut self, routes: &[Route<F>]) {
        for route in routes {
            let methods = self.operations.entry(route.path).or_default();
            methods.insert(route.method.to_lowercase(), operation::Object::of(route));
        }
    }

    /// The one of the row with this name.
    pub fn operation(&mut self, id: &str, summary: &'static str) -> Operation<'_> {
        let mut all = self.operations.values_mut().flat_map(BTreeMap::values_mut);
        let object =
            all.find(|object| object.operation_id == id).expect("no row has an operation of this name");
        object.summary = summary;
        Operation::new(object, &mut self.read, &mut self.answered)
    }

    /// What a row has and the description hasn't, or the other way round.
    pub fn gaps(&self) -> Vec<String> {
        self.operations.values().flat_map(BTreeMap::values).flat_map(operation::Object::gaps).collect()
    }

    /// Each row as "GET /v1/users/{id}".
    pub fn keys(&self) -> impl Iterator<Item = String> {
        self.rows().map(|(key, _)| key)
    }

    /// A line for each row, as [`Api::catch_all`](crate::Api::catch_all) reads it.
    pub fn paths(&self) -> String {
        let line = |(key, object): (String, &operation::Object)| {
            key + if object.is_open() { " open\n" } else { "\n" }
        };
        let mut lines: Vec<_> = self.rows().map(line).collect();
        lines.sort();
        lines.concat()
    }

    fn rows(&self) -> impl Iterator<Item = (String, &operation::Object)> {
        self.operations.iter().flat_map(|(path, methods)| {
            methods.iter().map(move |(method, object)| (format!("{} {path}", method.to_uppercase()), object))
        })
    }

    pub fn finish(mut self, version: &str) -> Document {
        let problem = self.answered.subschema_for::<Wire<'static>>();
        let mut schemas = self.answered.take_definitions(true);
        let read = self.read.take_definitions(true);
        let differ = |name: &str| schemas.get(name).is_some_and(|answered| Some(answered) != read.get(name));
        let mut renamed: Renamed = read.keys().filter(|name| differ(name)).cloned().collect();
        // What names a renamed type is another type, too.
        let names_renamed = |schema: &Value, renamed: &Renamed| {
            renamed
                .0
                .iter()
                .any(|name| schema.to_string().contains(&format!("\"#/components/schemas/{name}\"")))
        };
        while let Some(more) = read
            .iter()
            .find(|(name, schema)| {
                schemas.contains_key(*name) && !renamed.0.contains(name) && names_renamed(schema, &renamed)
            })
            .map(|(name, _)| name.clone())
        {
            renamed.0.push(more);
        }
        for (name, schema) in read {
            let mut schema = Schema::try_from(schema).expect("a definition is a schema");
            renamed.transform(&mut schema);
            let name = if renamed.0.contains(&name) { name + READ } else { name };
            schemas.insert(name, schema.into());
        }
        for methods in self.operations.values_mut() {
            for operation in methods.values_mut() {
                operation.rename_in_body(&mut renamed);
            }
        }
        Document {
            openapi: "3.1.1",
            info: json!({
                "title": "Joiner",
                "version": version,
                "summary": "Takes HR events; has each person's full profile (HR and Okta) ready.",
                "description": "Generated from the code's types: tests/tests/openapi. What is not 2xx is a problem \
                    as of RFC 9457, with a stable `code`; only API Gateway's own answers (429, 500, 503, and 413 to more \
                    than it takes) are `{\"message\": …}`. HEAD is answered as GET, without the body; other methods \
                    than those here 405 with `Allow`. docs/api-versions.md says what may change within v1.",
                "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
            }),
            servers: json!([
                {"url": "http://localhost:3000", "description": "joiner dev"},
                {
                    "url": "https://{api}.execute-api.{region}.amazonaws.com",
                    "description": "as deployed: the stack's output ApiUrl",
                    "variables": {"api": {"default": "a1b2c3d4e5"}, "region": {"default": "eu-west-1"}},
                },
            ]),
            paths: self.operations,
            components: components(&schemas, &problem),
        }
    }
}

/// The types that are read otherwise than they are answered.
#[derive(Debug, Clone)]
struct Renamed(Vec<String>);

impl FromIterator<String> for Renamed {
    fn from_iter<I: IntoIterator<Item = String>>(names: I) -> Self {
        Self(names.into_iter().collect())
    }
}

impl Transform for Renamed {
    fn transform(&mut self, schema: &mut Schema) {
        if let Some(Value::String(target)) = schema.get_mut("$ref") {
            let name = target.rsplit('/').next().unwrap_or_default();
            if self.0.iter().any(|renamed| renamed == name) {
                target.push_str(READ);
            }
        }
        transform_subschemas(self, schema);
    }
}

fn components(schemas: &Map<String, Value>, problem: &Schema) -> Value {
    let problem = |description: &str, headers: &[&str]| {
        let named = ["X-Correlation-Id"].iter().chain(headers);
        let headers: Map<_, _> = named
            .map(|name| ((*name).to_owned(), json!({"$ref": format!("#/components/headers/{name}")})))
            .collect();
        json!({
            "description": description,
            "headers": headers,
            "content": {"application/problem+json": {"schema": problem}},
        })
    };
    let gateways = |description: &str| {
        json!({
            "description": description,
            "content": {"application/json": {"schema": {
                "type": "object", "properties": {"message": {"type": "string"}}, "required": ["message"],
            }}},
        })
    };
    json!({
        "securitySchemes": {
            "ApiKey": {
                "type": "apiKey", "in": "header", "name": "X-API-Key",
                "description": "One of the keys in API_KEY, with the scopes hr:write and users:read. With AUTH=off, \
                    everybody is let in.",
            },
            "AdminKey": {
                "type": "apiKey", "in": "header", "name": "X-API-Key",
                "description": "One of the keys in ADMIN_KEY, with the scopes dead-letters:read, dead-letters:write, \
                    facts:read, facts:write and users:erase. Where there is none, one of API_KEY. With AUTH=off, everybody is let in.",
            },
        },
        "parameters": {
            "CorrelationId": {
                "name": "X-Correlation-Id", "in": "header",
                "description": "Kept if it is 1 to 128 letters, digits, '.', '_' or '-'; else replaced by a new one. \
                    Without it X-Request-Id is taken.",
                "schema": {"type": "string"}, "example": "hr-job-42",
            },
            "Limit": {
                "name": "limit", "in": "query", "description": "How many items a page has.",
                "schema": {"type": "integer", "minimum": 1, "maximum": 100, "default": 50},
            },
            "Cursor": {
                "name": "cursor", "in": "query",
                "description": "The last page's `next_cursor`. Good for the query that it came with only.",
                "schema": {"type": "string"},
            },
            "DryRun": {
                "name": "dry_run", "in": "query", "description": "Say what would happen, and do nothing.",
                "schema": {"type": "boolean", "default": false},
            },
        },
        "headers": {
            "X-Correlation-Id": {
                "description": "The request's, as in log lines and Kafka headers.", "required": true,
                "schema": {"$ref": "#/components/schemas/CorrelationId"},
            },
            "ETag": {"description": "Changes with the answer.", "schema": {"type": "string"}},
            "Retry-After": {"description": "Seconds.", "schema": {"type": "integer", "minimum": 1}},
            "Idempotency-Replayed": {
                "description": "`true`: this is the first answer again.", "schema": {"const": "true"},
            },
            "Deprecation": {
                "description": "RFC 9745: since when, as \"@\" and seconds.", "schema": {"type": "string"},
            },
            "Sunset": {
                "description": "RFC 8594: from when on it may be gone.", "schema": {"type": "string"},
            },
            "WWW-Authenticate": {
                "description": "`ApiKey header=\"X-API-Key\"`", "schema": {"type": "string"},
            },
            "Link": {
                "description": "RFC 8288: the next page as rel=\"next\"; absent on the last.",
                "schema": {"type": "string"},
            },
        },
        "responses": {
            "ApiKeyMissing": problem("`api_key_missing`", &["WWW-Authenticate"]),
            "ApiKeyWrong": problem("`api_key_wrong`: no key of ours, or one without the scope.", &[]),
            "BodyTooLarge": problem("`body_too_large`", &[]),
            "UnknownParameter": problem("`unknown_parameter`", &[]),
            "NotJson": problem("`not_json`: the `Content-Type` is another.", &[]),
            "Unavailable": problem(
                "`unavailable`: something that is needed is away. Or API Gateway's: the function is.",
                &["Retry-After"],
            ),
            "TooManyRequests": gateways("API Gateway's: more requests a second than the stage lets through."),
            "Failed": gateways("API Gateway's: the function crashed or took too long."),
        },
        "schemas": schemas,
    })
}

/// What a type looks like inside an operation.
fn schema_in<T: JsonSchema>(generator: &mut SchemaGenerator) -> Value {
    generator.subschema_for::<T>().into()
}

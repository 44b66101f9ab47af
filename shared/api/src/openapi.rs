//! The API's description, made of the types that the code reads and answers: <https://spec.openapis.org/oas/v3.1.1>.

mod operation;

use std::collections::BTreeMap;

use lambda_http::http::Method;
use schemars::{
    JsonSchema, Schema, SchemaGenerator,
    generate::SchemaSettings,
    transform::{Transform, transform_subschemas},
};
use serde::Serialize;
use serde_json::{Map, Value, json};

pub use self::operation::{Key, Operation};
use crate::problem::Wire;

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
    /// `id` is unique and reads like a function's name.
    pub fn operation(
        &mut self,
        method: &Method,
        path: &'static str,
        id: &'static str,
        summary: &'static str,
    ) -> Operation<'_> {
        let methods = self.operations.entry(path).or_default();
        let object =
            methods.entry(method.as_str().to_lowercase()).or_insert(operation::Object::new(id, summary));
        Operation::new(object, &mut self.read, &mut self.answered)
    }

    /// Which methods each path has, such as "get".
    pub fn methods(&self) -> impl Iterator<Item = (&'static str, Vec<&str>)> {
        self.operations.iter().map(|(path, methods)| (*path, methods.keys().map(String::as_str).collect()))
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
                "description": "Generated from the code's types: tests/tests/openapi.rs. What is not 2xx is a problem \
                    as of RFC 9457, with a stable `code`; only API Gateway's own answers (429, 500, 503) are \
                    `{\"message\": …}`. Other methods than those here are answered 405 with `Allow`.",
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
                "description": "One of the keys in API_KEY. With AUTH=off, everybody is let in.",
            },
            "AdminKey": {
                "type": "apiKey", "in": "header", "name": "X-API-Key",
                "description": "One of the keys in ADMIN_KEY. With AUTH=off, everybody is let in.",
            },
        },
        "parameters": {
            "CorrelationId": {
                "name": "X-Correlation-Id", "in": "header",
                "description": "Kept if it is 1 to 128 letters, digits, '.', '_' or '-'; else replaced by a new one.",
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
            "Retry-After": {"description": "Seconds.", "schema": {"type": "integer", "minimum": 1}},
            "Idempotency-Replayed": {
                "description": "`true`: this is the first answer again.", "schema": {"const": "true"},
            },
            "Link": {
                "description": "RFC 8288: the next page as rel=\"next\"; absent on the last.",
                "schema": {"type": "string"},
            },
        },
        "responses": {
            "ApiKeyMissing": problem("`api_key_missing`", &[]),
            "ApiKeyWrong": problem("`api_key_wrong`", &[]),
            "BodyTooLarge": problem("`body_too_large`", &[]),
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

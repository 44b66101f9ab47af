use std::future::ready;

use api::Route;

use crate::{Function, healthz, list, openapi, schema};

type Row = Route<Function>;

/// Open to everybody, as none of it is about anybody: who has no key yet has to read how to call the API.
pub(crate) static ROUTES: [Row; 5] = [
    Row::open("/docs", "showReference", |f, call| Box::pin(ready(Ok(f.reference(call))))),
    Row::open("/openapi.json", "showOpenApi", |_, call| Box::pin(ready(Ok(openapi(call))))),
    Row::open("/v1/schemas", "listSchemas", |_, call| Box::pin(ready(Ok(list(call))))),
    Row::open("/v1/schemas/{subject}/versions/{version}", "showSchema", |_, call| {
        Box::pin(ready(schema(call)))
    }),
    Row::open("/v1/schemas/healthz", "checkReferenceHealth", |_, _| Box::pin(ready(Ok(healthz())))),
];

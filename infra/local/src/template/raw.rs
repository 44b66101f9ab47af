//! The template's own words, and what we make of them.

use std::{collections::BTreeMap, time::Duration};

use dynamo::{Index, TableSpec};
use serde::{Deserialize, de::DeserializeOwned};
use serde_norway::{Mapping, Value};

use super::{
    FunctionSpec, Route, Template, Trigger,
    resolve::{Names, scalar},
};

#[derive(Debug)]
pub(super) struct Wrong {
    pub(super) place: String,
    pub(super) detail: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Document {
    #[serde(default)]
    parameters: Mapping,
    #[serde(default)]
    globals: Globals,
    resources: Mapping,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Globals {
    #[serde(default)]
    function: Settings,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Settings {
    timeout: Option<u64>,
    #[serde(default)]
    environment: Environment,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Environment {
    #[serde(default)]
    variables: BTreeMap<String, Value>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Function {
    metadata: Metadata,
    properties: FunctionProperties,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Metadata {
    build_properties: BuildProperties,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct BuildProperties {
    binary: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct FunctionProperties {
    timeout: Option<u64>,
    #[serde(default)]
    environment: Environment,
    #[serde(default)]
    events: BTreeMap<String, Event>,
}

#[derive(Deserialize)]
#[serde(tag = "Type", content = "Properties")]
enum Event {
    HttpApi(HttpApi),
    #[serde(rename = "MSK")]
    Msk(Box<Msk>),
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct HttpApi {
    path: Option<String>,
    method: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Msk {
    topics: [String; 1],
    consumer_group_id: String,
    #[serde(default = "batch_size")]
    batch_size: usize,
    #[serde(default)]
    maximum_batching_window_in_seconds: u64,
    #[serde(default = "forever")]
    maximum_retry_attempts: i64,
    #[serde(default)]
    bisect_batch_on_function_error: bool,
    #[serde(default = "forever")]
    maximum_record_age_in_seconds: i64,
    destination_config: Option<DestinationConfig>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct DestinationConfig {
    on_failure: OnFailure,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct OnFailure {
    destination: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Table {
    properties: TableProperties,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct TableProperties {
    table_name: String,
    key_schema: Vec<KeyElement>,
    #[serde(default)]
    global_secondary_indexes: Vec<GlobalIndex>,
    time_to_live_specification: Option<TimeToLive>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct KeyElement {
    attribute_name: String,
    key_type: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct GlobalIndex {
    index_name: String,
    key_schema: Vec<KeyElement>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct TimeToLive {
    attribute_name: String,
}

/// Lambda's defaults.
const TIMEOUT_SECONDS: u64 = 3;

fn batch_size() -> usize {
    100
}

fn forever() -> i64 {
    -1
}

pub(super) fn read(document: Value, parameters: &[(&str, &str)]) -> Result<Template, Wrong> {
    let document: Document = typed("the template", document)?;
    let names = Names::of(&document.parameters, parameters, &document.resources);
    let globals = document.globals.function;
    let mut template = Template { functions: Vec::new(), tables: Vec::new() };
    for (logical, resource) in document.resources {
        let logical = logical.as_str().unwrap_or_default().to_owned();
        let place = format!("Resources.{logical}");
        let kind = resource.get("Type").and_then(Value::as_str).unwrap_or_default().to_owned();
        match kind.as_str() {
            "AWS::Serverless::Function" => {
                let function = typed(&place, names.resolve(resource))?;
                template.functions.push(function_spec(&place, function, &globals, &names)?);
            }
            "AWS::DynamoDB::Table" => {
                let table = typed(&place, names.resolve(resource))?;
                template.tables.push(table_spec(&place, table)?);
            }
            _ => {}
        }
    }
    Ok(template)
}

fn function_spec(
    place: &str,
    function: Function,
    globals: &Settings,
    names: &Names,
) -> Result<FunctionSpec, Wrong> {
    let Function { metadata, properties } = function;
    let name = metadata.build_properties.binary;
    let seconds = properties.timeout.or(globals.timeout).unwrap_or(TIMEOUT_SECONDS);
    let global = globals.environment.variables.clone().into_iter();
    let global = global.map(|(name, value)| (name, names.resolve(value)));
    let variables = global
        .chain(properties.environment.variables)
        .filter_map(|(name, value)| Some((name, scalar(&value)?)))
        .collect();
    let (mut routes, mut triggers) = (Vec::new(), Vec::new());
    for (event_name, event) in properties.events {
        match event {
            Event::HttpApi(HttpApi { path, method }) => {
                let method = method.filter(|method| !method.eq_ignore_ascii_case("any"));
                routes.push(Route { method: method.map(|method| method.to_uppercase()), path });
            }
            Event::Msk(msk) => triggers.push(trigger(&format!("{place}.Events.{event_name}"), *msk)?),
        }
    }
    Ok(FunctionSpec { name, timeout: Duration::from_secs(seconds), variables, routes, triggers })
}

fn trigger(place: &str, msk: Msk) -> Result<Trigger, Wrong> {
    let wrong = |detail: &str| Wrong { place: place.to_owned(), detail: detail.to_owned() };
    let [topic] = msk.topics;
    let on_failure = msk.destination_config.map(|config| config.on_failure.destination);
    let on_failure = on_failure
        .map(|destination| destination.strip_prefix("kafka://").map(str::to_owned))
        .map(|topic| {
            topic.ok_or_else(|| wrong("the local cloud has on-failure topics only: kafka://<topic>"))
        })
        .transpose()?;
    if !(1..=10_000).contains(&msk.batch_size) {
        return Err(wrong("BatchSize must be 1 to 10000"));
    }
    if on_failure.as_ref() == Some(&topic) {
        return Err(wrong("the on-failure topic must not be the source"));
    }
    Ok(Trigger {
        topic,
        group: msk.consumer_group_id,
        batch_size: msk.batch_size,
        window: Duration::from_secs(msk.maximum_batching_window_in_seconds),
        retries: u32::try_from(msk.maximum_retry_attempts).ok(),
        bisect: msk.bisect_batch_on_function_error,
        max_age: u64::try_from(msk.maximum_record_age_in_seconds).ok().map(Duration::from_secs),
        on_failure,
    })
}

fn table_spec(place: &str, table: Table) -> Result<TableSpec, Wrong> {
    let TableProperties { table_name, key_schema, global_secondary_indexes, time_to_live_specification } =
        table.properties;
    let (hash, range) = keys(place, key_schema)?;
    let index = |index: GlobalIndex| {
        let (hash, range) = keys(place, index.key_schema)?;
        Ok(Index { name: index.index_name, hash, range })
    };
    Ok(TableSpec {
        name: table_name,
        hash,
        range,
        indexes: global_secondary_indexes.into_iter().map(index).collect::<Result<_, _>>()?,
        ttl: time_to_live_specification.map(|ttl| ttl.attribute_name),
    })
}

fn keys(place: &str, schema: Vec<KeyElement>) -> Result<(String, Option<String>), Wrong> {
    let (hash, range): (Vec<_>, Vec<_>) = schema.into_iter().partition(|key| key.key_type == "HASH");
    let name = |keys: Vec<KeyElement>| keys.into_iter().next().map(|key| key.attribute_name);
    let hash = name(hash)
        .ok_or_else(|| Wrong { place: place.to_owned(), detail: "KeySchema has no HASH key".to_owned() })?;
    Ok((hash, name(range)))
}

fn typed<T: DeserializeOwned>(place: &str, value: Value) -> Result<T, Wrong> {
    serde_path_to_error::deserialize(value).map_err(|error| {
        let path = error.path().to_string();
        let place = if path == "." { place.to_owned() } else { format!("{place}.{path}") };
        Wrong { place, detail: error.into_inner().to_string() }
    })
}

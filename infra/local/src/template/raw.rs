//! The template's own words, and what we make of them.

use std::{collections::BTreeMap, fs, path::Path, time::Duration};

use dynamo::{Index, TableSpec};
use serde::{Deserialize, de::DeserializeOwned};
use serde_norway::{Mapping, Value};

use super::{
    Cors, FunctionSpec, Template, Trigger,
    events::{Event, Msk},
    resolve::{Names, scalar},
    wrong::Wrong,
};

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Document {
    #[serde(default)]
    parameters: Mapping,
    #[serde(default)]
    conditions: Mapping,
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
    memory_size: Option<u64>,
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
    memory_size: Option<u64>,
    #[serde(default)]
    environment: Environment,
    #[serde(default)]
    events: BTreeMap<String, Event>,
    event_invoke_config: Option<EventInvokeConfig>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct EventInvokeConfig {
    maximum_retry_attempts: Option<u32>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct HttpApi {
    #[serde(default)]
    properties: HttpApiProperties,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct HttpApiProperties {
    cors_configuration: Option<Cors>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Stack {
    properties: StackProperties,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct StackProperties {
    #[serde(rename = "TemplateURL")]
    template_url: String,
    #[serde(default)]
    parameters: Mapping,
}

/// What `AWS::Lambda::EventSourceMapping` has and SAM's event has not.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Source {
    function_name: String,
    amazon_managed_kafka_event_source_config: ConsumerGroup,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct ConsumerGroup {
    consumer_group_id: String,
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
const ASYNC_RETRIES: u32 = 2;

/// SAM's default, in MB.
const MEMORY: u64 = 128;

/// <https://docs.aws.amazon.com/lambda/latest/dg/with-msk-configure.html>
const MAX_KAFKA_TIMEOUT: Duration = Duration::from_mins(14);

/// `folder` is where the templates of nested stacks are looked for.
pub(super) fn read(document: Value, parameters: &[(&str, &str)], folder: &Path) -> Result<Template, Wrong> {
    let document: Document = typed("the template", document)?;
    if let Some((name, _)) = parameters.iter().find(|(name, _)| document.parameters.get(*name).is_none()) {
        return Err(Wrong { place: "Parameters".to_owned(), detail: format!("there is no {name}") });
    }
    let names = Names::of(&document.parameters, parameters, &document.resources);
    let globals = document.globals.function;
    let mut template = Template { functions: Vec::new(), tables: Vec::new(), cors: None };
    let (mut logicals, mut triggers) = (Vec::new(), Vec::new());
    for (logical, resource) in document.resources {
        let logical = logical.as_str().unwrap_or_default().to_owned();
        let place = format!("Resources.{logical}");
        let kind = resource.get("Type").and_then(Value::as_str).unwrap_or_default().to_owned();
        match kind.as_str() {
            _ if !names.makes(&resource, &document.conditions) => {}
            "AWS::Serverless::Function" => {
                let function = typed(&place, names.resolve(resource))?;
                template.functions.push(function_spec(&logical, function, &globals, &names)?);
                logicals.push(logical);
            }
            "AWS::Serverless::HttpApi" => {
                let api: HttpApi = typed(&place, names.resolve(resource))?;
                template.cors = api.properties.cors_configuration;
            }
            "AWS::DynamoDB::Table" => {
                let table = typed(&place, names.resolve(resource))?;
                template.tables.push(table_spec(&place, table)?);
            }
            // Only whoever is given a function can invoke it.
            "AWS::CloudFormation::Stack" if is_given_a_function(&resource) => {
                triggers.extend(nested_triggers(&place, typed(&place, names.resolve(resource))?, folder)?);
            }
            _ => {}
        }
    }
    for (place, function, trigger) in triggers {
        let Some(index) = logicals.iter().position(|logical| *logical == function) else {
            return Err(Wrong { place, detail: format!("there is no function {function}") });
        };
        template.functions[index].triggers.push(trigger);
    }
    for (logical, function) in logicals.iter().zip(&template.functions) {
        if !function.triggers.is_empty() && function.timeout > MAX_KAFKA_TIMEOUT {
            let detail = "Timeout must be 14 minutes at most, as Kafka invokes it".to_owned();
            return Err(Wrong { place: format!("Resources.{logical}"), detail });
        }
    }
    Ok(template)
}

fn is_given_a_function(stack: &Value) -> bool {
    let parameters = stack["Properties"]["Parameters"].as_mapping();
    parameters.into_iter().flat_map(Mapping::values).any(|value| match value {
        Value::Tagged(tagged) => {
            tagged.tag == "Ref" && tagged.value.as_str().is_some_and(|name| name.ends_with(".Alias"))
        }
        _ => false,
    })
}

/// The event source mappings that a nested stack makes: where, of which function, and what.
fn nested_triggers(
    place: &str,
    stack: Stack,
    folder: &Path,
) -> Result<Vec<(String, String, Trigger)>, Wrong> {
    let StackProperties { template_url, parameters } = stack.properties;
    let url = |detail: String| Wrong { place: format!("{place}.Properties.TemplateURL"), detail };
    let text = fs::read_to_string(folder.join(&template_url))
        .map_err(|error| url(format!("{template_url} can't be read: {error}")))?;
    let document =
        serde_norway::from_str(&text).map_err(|error| url(format!("{template_url} is not YAML: {error}")))?;
    let document: Document = typed(&template_url, document)?;
    let given: Vec<_> = parameters
        .iter()
        .filter_map(|(name, value)| Some((name.as_str()?.to_owned(), scalar(value)?)))
        .collect();
    let given: Vec<_> = given.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    let names =
        Names::of(&document.parameters, &given, &document.resources).with_conditions(document.conditions);
    let mut found = Vec::new();
    for (logical, resource) in document.resources {
        if resource["Type"] == "AWS::Lambda::EventSourceMapping" {
            let place = format!("{place}.{}", logical.as_str().unwrap_or_default());
            let mut properties = names.resolve(resource["Properties"].clone());
            let source: Source = typed(&place, properties.clone())?;
            properties["ConsumerGroupId"] =
                source.amazon_managed_kafka_event_source_config.consumer_group_id.into();
            let trigger = typed::<Msk>(&place, properties)?.into_trigger(&place)?;
            found.push((place, source.function_name, trigger));
        }
    }
    Ok(found)
}

fn function_spec(
    logical: &str,
    function: Function,
    globals: &Settings,
    names: &Names,
) -> Result<FunctionSpec, Wrong> {
    let place = format!("Resources.{logical}");
    let Function { metadata, properties } = function;
    let name = metadata.build_properties.binary;
    let seconds = properties.timeout.or(globals.timeout).unwrap_or(TIMEOUT_SECONDS);
    let global = globals.environment.variables.clone().into_iter();
    let global = global.map(|(name, value)| (name, names.resolve(value)));
    let variables = global
        .chain(properties.environment.variables)
        .filter_map(|(name, value)| Some((name, scalar(&value)?)))
        .collect();
    let retries = properties.event_invoke_config.and_then(|config| config.maximum_retry_attempts);
    let mut spec = FunctionSpec {
        name,
        timeout: Duration::from_secs(seconds),
        memory: properties.memory_size.or(globals.memory_size).unwrap_or(MEMORY),
        variables,
        routes: Vec::new(),
        triggers: Vec::new(),
        schedules: Vec::new(),
        async_retries: retries.unwrap_or(ASYNC_RETRIES),
    };
    for (event_name, event) in properties.events {
        match event {
            Event::HttpApi(api) => spec.routes.push(api.into_route()),
            Event::Msk(msk) => {
                spec.triggers.push(msk.into_trigger(&format!("{place}.Events.{event_name}"))?);
            }
            Event::Schedule(rule) => spec.schedules.extend(rule.into_schedule(logical, &event_name)),
            Event::ScheduleV2(schedule) => {
                spec.schedules.extend(schedule.into_schedule(logical, &event_name));
            }
        }
    }
    Ok(spec)
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

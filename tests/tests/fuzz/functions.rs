//! Every function, by what `template.yaml` says that invokes it, with input made up from its samples.

use base64::{Engine, prelude::BASE64_STANDARD};
use joiner::{Function, template::FunctionSpec};
use proptest::{prelude::*, sample::select};
use runtime::Clock;
use scenarios::{functions, samples};
use serde_json::{Value, json};
use testkit::World;
use tokio::runtime::Runtime;

use crate::{
    api::event,
    damage::{garbled, text},
    for_each,
    records::record,
    world,
};

/// What invokes those that `is_meant`, started in this world.
fn start(
    world: &World,
    runtime: &Runtime,
    is_meant: impl Fn(&FunctionSpec) -> bool,
) -> Vec<(FunctionSpec, Function)> {
    let _entered = runtime.enter();
    let meant = functions().into_iter().filter(is_meant);
    let start = |spec: FunctionSpec| {
        let function = Function::start(&spec, &world.vars_of(&spec.name), Clock::system()).unwrap();
        (spec, function)
    };
    let started: Vec<_> = meant.map(start).collect();
    assert!(!started.is_empty(), "nothing was fuzzed");
    started
}

fn events_of(function: &str) -> impl Iterator<Item = Value> {
    samples(function).into_iter().map(|sample| serde_json::from_str(&sample.event).unwrap())
}

fn invoke(function: &Function, event: String, runtime: &Runtime) -> Value {
    let answer = runtime.block_on(function.invoke(event.into_bytes())).unwrap();
    serde_json::from_slice(&answer).unwrap()
}

#[test]
fn no_request_to_any_route_is_answered_with_a_5xx() {
    let runtime = Runtime::new().unwrap();
    let world = runtime.block_on(world());
    for (spec, function) in start(&world, &runtime, |spec| !spec.routes.is_empty()) {
        // Whether all is well is not asked here, of a machine that may be busy.
        let is_health = |path: &&Option<String>| path.as_ref().is_some_and(|path| path.ends_with("/healthz"));
        let routes = spec.routes.iter().map(|route| &route.path).filter(|path| !is_health(path));
        let routes: Vec<_> = routes.cloned().collect();
        let bodies =
            events_of(&spec.name).filter_map(|event| serde_json::from_str(event["body"].as_str()?).ok());
        let bodies: Vec<Value> = bodies.chain([json!({})]).collect();
        let query = prop::collection::vec((text(), text()), 0..3);
        let methods = select(&["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"][..]);
        let cases = (select(routes), methods, query, text(), garbled(bodies, 2));
        for_each(100, &cases, |(route, method, query, id, body)| {
            let route = route.as_deref().unwrap_or("$default");
            let event = event(route, method, &query, &id, &body);
            let answer = invoke(&function, event.clone(), &runtime);
            let status = answer["statusCode"].as_u64().unwrap();
            prop_assert!((200..500).contains(&status), "{status} for {event}");
            Ok(())
        });
    }
    runtime.block_on(async {
        world.settle().await;
        world.stop().await;
    });
}

#[test]
fn no_record_on_any_topic_is_reported_back_for_what_it_is() {
    let runtime = Runtime::new().unwrap();
    let world = runtime.block_on(world());
    for (spec, function) in start(&world, &runtime, |spec| !spec.triggers.is_empty()) {
        let value = |record: &Value| {
            let value = BASE64_STANDARD.decode(record["value"].as_str()?).unwrap();
            serde_json::from_slice(&value).ok()
        };
        let records = |event: Value| -> Vec<Value> {
            let records = event["records"].as_object().into_iter().flat_map(|partitions| partitions.values());
            records.flat_map(|records| records.as_array().unwrap()).filter_map(value).collect()
        };
        let values: Vec<Value> = events_of(&spec.name).flat_map(records).collect();
        for_each(50, &record(values), |record| {
            let event = json!({"eventSource": "aws:kafka", "records": {"t-0": [record]}}).to_string();
            let answer = invoke(&function, event, &runtime);
            prop_assert_eq!(&answer["batchItemFailures"], &json!([]), "{}", spec.name);
            Ok(())
        });
    }
    runtime.block_on(async {
        world.settle().await;
        world.stop().await;
    });
}

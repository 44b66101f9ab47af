//! The spans of a run, as a collector receives them.

mod collector;
mod tree;

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::{
    company::{hire, people},
    running::dev,
    traces::{collector::Collector, tree::Tree},
};

const ENDPOINT: &str = "OTEL_EXPORTER_OTLP_ENDPOINT";

/// Their last span to end, where all goes well.
const PROCESSED: &str = "process user.enrichment.requested";

#[test]
fn a_hire_is_one_tree_from_the_webhook_to_its_facts() {
    let mut collector = Collector::start();
    let dev = dev().var(ENDPOINT, &collector.url).ready();
    let person = &people()[0];
    let status_url = dev.hires(&hire("E7001", person), &[("X-Correlation-ID", "c-traced")]);
    assert_eq!(dev.outcome(&status_url)["status"], "enriched");
    collector.until(|spans| spans.iter().any(|span| span.name == PROCESSED));
    dev.stops();

    let tree = Tree::of(&collector.spans, |span| *span.attribute("joiner.correlation_id") == "c-traced");
    println!("{tree}");
    let webhook = "POST /v1/hr/webhook";
    let published = format!("{webhook} > publish user.enrichment.requested");
    let taken = format!("{published} > {PROCESSED}");
    let below = |name: &str| format!("{taken} > {name}");
    let expected = BTreeMap::from([
        (webhook.to_owned(), 1),
        (published.clone(), 1),
        (taken.clone(), 1),
        (below("PutItem requests"), 1),
        (below("GetItem users"), 1),
        (below("GET /api/v1/users/{id}"), 1),
        (below("GET /api/v1/users/{id}/groups"), 1),
        (below("GET /api/v1/users/{id}/appLinks"), 1),
        (below("GetItem history"), 1),
        (below("TransactWriteItems users"), 1),
        (below("TransactWriteItems requests"), 1),
        // user.created, user.completed, request.enriched
        (below("publish joiner.events"), 3),
    ]);
    assert_eq!(tree.paths(), expected, "{tree}");
    for span in tree.spans() {
        let is_webhooks = [webhook, "publish user.enrichment.requested"].contains(&span.name.as_str());
        assert_eq!(span.service, if is_webhooks { "hr-webhook" } else { "enrichment" }, "{tree}");
        assert!(span.start <= span.end && !span.has_failed, "{tree}");
    }

    let find = |name: &str| tree.spans().find(|span| span.name == name).unwrap();
    for (name, kind, attribute, value) in [
        (webhook, 2, "http.response.status_code", json!("202")),
        ("publish user.enrichment.requested", 4, "messaging.operation.type", json!("send")),
        (PROCESSED, 5, "messaging.destination.name", json!("user.enrichment.requested")),
        ("GET /api/v1/users/{id}", 3, "http.response.status_code", json!("200")),
        ("TransactWriteItems users", 3, "db.system.name", json!("aws.dynamodb")),
        ("publish joiner.events", 4, "messaging.system", json!("kafka")),
    ] {
        let span = find(name);
        assert_eq!((span.kind, span.attribute(attribute)), (kind, &value), "{name}: {span:?}");
    }
    for (field, value) in person.as_object().unwrap() {
        let Some(value) = value.as_str().filter(|value| value.len() > 3 && *field != "status") else {
            continue;
        };
        assert!(!collector.text.contains(value), "{field} is in a span");
    }
    // The event's own is allowed, as in a log line.
    let text = collector.text.replace("event-E7001", "");
    assert!(!text.contains("E7001"), "an employee's id is in a span");
}

#[test]
fn a_callers_trace_goes_on_and_one_that_it_does_not_record_is_not_recorded() {
    let mut collector = Collector::start();
    let dev = dev().var(ENDPOINT, &collector.url).ready();
    let recorded = "4bf92f3577b34da6a3ce929d0e0e4736";
    let other = "5bf92f3577b34da6a3ce929d0e0e4736";
    // The one that must not come goes first.
    for (id, trace, flags) in [("E1", other, "00"), ("E2", recorded, "01")] {
        let traceparent = format!("00-{trace}-00f067aa0ba902b7-{flags}");
        let status_url = dev.hires(&hire(id, &people()[0]), &[("traceparent", &traceparent)]);
        dev.outcome(&status_url);
    }
    collector.until(|spans| spans.iter().any(|span| span.name == PROCESSED && span.trace == recorded));
    dev.stops();
    collector.drain();
    let root = collector.spans.iter().find(|span| span.trace == recorded && span.kind == 2).unwrap();
    assert_eq!(root.parent.as_deref(), Some("00f067aa0ba902b7"));
    assert!(collector.spans.iter().all(|span| span.trace != other));
}

#[test]
fn a_collector_that_is_away_costs_no_event_and_is_warned_of_once() {
    let dev = dev().with(&["--log-format", "json"]).var(ENDPOINT, "http://127.0.0.1:1").ready();
    for id in ["E1", "E2", "E3"] {
        let status_url = dev.hires(&hire(id, &people()[0]), &[]);
        dev.outcome(&status_url);
    }
    assert_eq!(dev.get("/v1/users/E1").json["onboarded"], true);
    let lines = dev.stops().stderr;
    let lines: Vec<Value> = lines.iter().map(|line| serde_json::from_str(line).unwrap()).collect();
    let is_dropped =
        |line: &&Value| line["message"].as_str().is_some_and(|said| said.starts_with("spans are"));
    assert_eq!(lines.iter().filter(is_dropped).count(), 1, "{lines:#?}");
    assert!(lines.iter().all(|line| line.get("otel.kind").is_none()), "the log has no spans of traces");
}

//! What Joiner promises, tried from the outside: HTTP in, the Kafka protocol, Okta over HTTP, DynamoDB, HTTP out.

#![expect(clippy::unwrap_used, reason = "a test that can't go on has failed")]

mod account;
mod canary;
mod changes;
mod cors;
mod dead_letters;
mod dry_run;
mod events;
mod facts;
mod forget;
mod group;
mod history;
mod idempotency;
mod ids;
mod onboarding;
mod pre_traffic;
mod queries;
mod readings;
mod redis;
mod redrive;
mod reference;
mod republish;
mod rotation;
mod topics;
mod trouble;
mod versions;
mod waiting;
mod webhook;

use insta::Settings;

/// Whole answers are compared; what differs from run to run is replaced.
fn redacted(compare: impl FnOnce()) {
    let mut settings = Settings::clone_current();
    settings.set_sort_maps(true);
    for field in ["correlation_id", "correlationId", "event_id"] {
        settings.add_redaction(&format!(".**.{field}"), "[id]");
    }
    for field in ["updated_at", "updatedAt", "failed_at", "parked_at", "timestamp", "at", "since"] {
        settings.add_redaction(&format!(".**.{field}"), "[time]");
    }
    for step in ["received", "published", "taken", "asked", "stored", "failed"] {
        settings.add_redaction(&format!(".**.{step}"), "[time]");
    }
    // Among real parts each world's topics have a prefix.
    settings.add_redaction(
        ".**.topic",
        insta::dynamic_redaction(|value, _| {
            match value.as_str().and_then(|topic| topic.split_once("user.")) {
                Some((_prefix, rest)) => format!("user.{rest}").into(),
                None => value,
            }
        }),
    );
    // It is made of the topic, too.
    settings.add_redaction(".**.group", "[fingerprint]");
    settings.add_redaction(".**.status_url", "/v1/requests/[id]");
    settings.add_redaction(".**.latency_ms", "[number]");
    settings.add_redaction(
        ".**.id",
        insta::dynamic_redaction(|value, _| match value.as_str() {
            // A letter's id is made from its record's time.
            Some(id) if id.len() == 32 => "[id]".into(),
            _ => value,
        }),
    );
    settings.bind(compare);
}

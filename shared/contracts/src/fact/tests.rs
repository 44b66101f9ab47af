use std::collections::{HashMap, HashSet};

use super::*;
use crate::EmployeeId;

fn facts(subject: Subject, position: &str) -> Facts {
    Facts {
        types: vec![FactType::UserCreated, FactType::UserCompleted],
        subject,
        position: position.to_owned(),
        time: "2026-01-31T18:42:05Z".parse().unwrap(),
        cause: Cause {
            correlation_id: CorrelationId::parse("c-1").ok(),
            event_id: Some(EventId::parse("evt-1").unwrap()),
            traceparent: None,
        },
        data: "{}".to_owned(),
    }
}

fn of_user(id: &str, position: &str) -> Facts {
    facts(Subject::user(&EmployeeId::parse(id).unwrap()), position)
}

#[test]
fn an_id_is_one_fact_s_for_ever() {
    // Consumers remember ids: a change of how they are made would tell them everything a second time.
    assert_eq!(of_user("E1", "1").id(FactType::UserCreated), "569f8fbc-5268-8bc1-8075-b62095b940a0");
    let of_request = facts(Subject::request(&CorrelationId::parse("E1").unwrap()), "1");
    let ids = [
        of_user("E1", "1").id(FactType::UserCreated),
        of_user("E1", "1").id(FactType::UserCompleted),
        of_user("E1", "2").id(FactType::UserCreated),
        of_user("E11", "").id(FactType::UserCreated),
        of_user("E1", "1#").id(FactType::UserCreated),
        of_request.id(FactType::UserCreated),
    ];
    assert_eq!(ids.iter().collect::<HashSet<_>>().len(), ids.len());
}

#[test]
fn a_fact_is_a_cloud_event_in_binary_mode() {
    let facts = of_user("E1", "1");
    let headers: HashMap<_, _> = facts.headers(FactType::UserCreated).collect();
    for (name, expected) in [
        ("ce_specversion", "1.0"),
        ("ce_type", "user.created"),
        ("ce_source", "/joiner"),
        ("ce_subject", "E1"),
        ("ce_time", "2026-01-31T18:42:05Z"),
        ("ce_dataschema", "urn:joiner:schema:user.created:1"),
        ("ce_dataversion", "1"),
        ("content-type", "application/json"),
        ("correlation-id", "c-1"),
        ("event-id", "evt-1"),
    ] {
        assert_eq!(headers.get(name).map(AsRef::as_ref), Some(expected), "{name}");
    }
    assert_eq!(headers.get("traceparent"), None);
}

#[test]
fn a_type_is_stored_under_the_name_that_it_is_published_under() {
    for &fact in FactType::ALL {
        assert_eq!(serde_json::to_value(fact).unwrap(), fact.as_str());
    }
}

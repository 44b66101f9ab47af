use contracts::EventType;
use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;

fn clock() -> Clock {
    Clock::fixed("2026-01-31T18:42:00Z".parse().unwrap())
}

fn defaults() -> Defaults {
    Defaults {
        correlation_id: CorrelationId::parse("c-1").unwrap(),
        event_id: None,
        event_type: Some(EventType::Hired),
    }
}

fn parsed(body: &Value) -> Result<EnrichmentRequestedV2, Error> {
    parse(body.to_string().as_bytes(), defaults(), clock())
}

fn hire() -> Value {
    json!({"employee_id": "E1", "first_name": "Ada", "last_name": "Lovelace", "email": "ada@acme.example"})
}

fn with(name: &str, value: impl Into<Value>) -> Value {
    let mut body = hire();
    body[name] = value.into();
    body
}

fn update(name: &str, value: impl Into<Value>) -> Value {
    let mut body = json!({"employee_id": "E1", "event_type": "updated"});
    body[name] = value.into();
    body
}

fn pointers(body: &Value) -> Vec<String> {
    match parsed(body) {
        Err(Error::Invalid(faults)) => faults.into_iter().map(|fault| fault.pointer).collect(),
        other => panic!("{other:?}"),
    }
}

/// What is stated of the field, as JSON; `None` where nothing is.
fn stated(body: &Value, field: Field) -> Option<Value> {
    let event = parsed(body).unwrap();
    event.stated.get(field).map(|value| serde_json::to_value(value).unwrap())
}

fn warnings(body: &Value) -> Vec<(String, WarningCode)> {
    parsed(body).unwrap().warnings.into_iter().map(|warning| (warning.pointer, warning.code)).collect()
}

#[test]
fn the_least_is_a_hire_of_which_nobody_says_when_it_occurred() {
    let event = parsed(&hire()).unwrap();
    assert_eq!((event.event_type, event.occurred_at), (EventType::Hired, None));
    assert_eq!((event.employee_id.as_str(), event.received_at), ("E1", clock().now()));
}

#[test]
fn an_update_and_a_termination_need_the_id_only() {
    for event_type in ["updated", "terminated"] {
        let event = parsed(&json!({"employee_id": "E1", "event_type": event_type})).unwrap();
        assert!(event.stated.is_empty() && event.warnings.is_empty());
        assert_eq!(pointers(&json!({"event_type": event_type})), ["/employee_id"]);
    }
    let hired = json!({"employee_id": "E1", "event_type": "hired"});
    assert_eq!(pointers(&hired), ["/first_name", "/last_name", "/email"]);
}

#[test]
fn the_id_that_hr_gave_goes_before_the_one_that_the_request_has() {
    let id = |body: &Value, event_id: Option<&str>| {
        let event_id = event_id.map(|id| EventId::parse(id).unwrap());
        let event = parse(body.to_string().as_bytes(), Defaults { event_id, ..defaults() }, clock()).unwrap();
        event.event_id.as_str().to_owned()
    };
    assert_eq!(id(&with("event_id", "hr-1"), Some("request-1")), "hr-1");
    assert_eq!(id(&hire(), Some("request-1")), "request-1");
    assert_ne!(id(&hire(), None), id(&hire(), None), "two requests, for all that we know");
}

#[test]
fn everything_that_is_sent_arrives() {
    let body = include_str!("../../../../../events/hr-webhook/full-profile.body.json");
    let event = parse(body.as_bytes(), defaults(), clock()).unwrap();
    insta::assert_json_snapshot!(event);
}

#[test]
fn what_an_event_cannot_do_without_is_a_fault_and_the_rest_is_left_out() {
    let body = json!({
        "employee_id": [7], "last_name": "", "email": "nobody", "event_type": "hired", "occurred_at": "yesterday",
        "start_date": "soon", "country": "Sweden", "time_zone": "CEST", "title": ["CEO"],
    });
    let expected = ["/employee_id", "/occurred_at", "/first_name", "/last_name", "/email"];
    assert_eq!(pointers(&body), expected);
    let mut body = hire();
    for (name, value) in
        [("start_date", "soon"), ("country", "Sweden"), ("time_zone", "CEST"), ("manager_email", "nobody")]
    {
        body[name] = value.into();
        assert_eq!(stated(&body, Field::sent(name).unwrap()), None);
    }
    // In the order of the body's members, which here is that of their names.
    let left_out = ["/country", "/manager_email", "/start_date", "/time_zone"];
    let left_out = left_out.map(|pointer| (pointer.to_owned(), WarningCode::Unreadable));
    assert_eq!(warnings(&body), left_out);
}

#[test]
fn what_is_wrong_is_said_and_never_what_was_found() {
    let Err(Error::Invalid(faults)) = parsed(&with("email", "ada at acme")) else { panic!("accepted") };
    assert_eq!(faults[0].detail, "must be an e-mail address");
    let event = parsed(&with("personal_email", "ada at acme")).unwrap();
    assert_eq!(event.warnings[0].message, "must be an e-mail address: left out");
}

#[test]
fn null_and_white_space_clear_what_can_be_cleared() {
    for nothing in [Value::Null, json!(""), json!(" ")] {
        assert_eq!(stated(&update("title", nothing.clone()), Field::Title), Some(Value::Null));
        assert_eq!(stated(&with("title", nothing.clone()), Field::Title), Some(Value::Null));
        for lasting in ["first_name", "last_name", "email"] {
            let body = update(lasting, nothing.clone());
            assert_eq!(stated(&body, Field::sent(lasting).unwrap()), None);
            assert_eq!(warnings(&body), [(format!("/{lasting}"), WarningCode::NotClearable)]);
        }
        assert_eq!(pointers(&with("email", nothing)), ["/email"], "a hire needs one");
    }
    assert_eq!(stated(&update("office", "2"), Field::Title), None, "what is absent is not spoken of");
}

#[test]
fn a_type_that_is_there_and_empty_is_not_taken_for_a_hire() {
    for nothing in [Value::Null, json!(""), json!(" "), json!(7), json!("erased")] {
        assert_eq!(pointers(&with("event_type", nothing.clone())), ["/event_type"], "{nothing}");
    }
}

#[test]
fn what_is_plainly_meant_is_read() {
    let id = |sent: Value| parsed(&with("employee_id", sent)).unwrap().employee_id.as_str().to_owned();
    for (sent, expected) in [
        (json!(4711), "4711"),
        (json!(" EMP/12 "), "EMP/12"),
        (json!("EMP:1"), "EMP:1"),
        (json!("a b#c"), "a b#c"),
        (json!(u64::MAX), "18446744073709551615"),
    ] {
        assert_eq!(id(sent), expected);
    }
    for (name, sent, expected) in [
        ("country", json!("se"), "SE"),
        ("country", json!("SWE"), "SE"),
        ("start_date", json!("2026-02-01T00:00:00Z"), "2026-02-01"),
        ("start_date", json!("2026-02-01T23:30:00+0200"), "2026-02-01"),
        ("end_date", json!("2026-02-01 00:00"), "2026-02-01"),
        ("cost_center", json!(4711), "4711"),
        ("job_level", json!(-1), "-1"),
        ("title", json!(" Engineer "), "Engineer"),
    ] {
        let value = stated(&with(name, sent.clone()), Field::sent(name).unwrap());
        assert_eq!(value, Some(expected.into()), "{name}: {sent}");
    }
}

#[test]
fn a_number_that_json_cannot_hold_is_no_id() {
    for id in [json!(1.5), json!(1e300), serde_json::from_str("47114711471147114711471147114711").unwrap()] {
        assert_eq!(pointers(&with("employee_id", id)), ["/employee_id"]);
    }
}

#[test]
fn what_is_no_text_is_left_out_whatever_it_is() {
    for value in [json!(true), json!(1.5), json!([1, "a"]), json!({"a": [1]})] {
        let body = with("title", value.clone());
        assert_eq!(warnings(&body), [("/title".to_owned(), WarningCode::Unreadable)], "{value}");
        match parsed(&with("first_name", value.clone())) {
            Err(Error::Invalid(faults)) => assert_eq!(faults[0].detail, "must be a string", "{value}"),
            other => panic!("{other:?}"),
        }
    }
}

#[test]
fn what_is_there_twice_is_a_fault_where_we_read_it_and_ignored_where_we_do_not() {
    let twice = |member: &str| {
        let body = hire().to_string();
        let body = format!("{},{member},{member}}}", body.trim_end_matches('}'));
        parse(body.as_bytes(), defaults(), clock())
    };
    for name in ["title", "event_id", "occurred_at"] {
        match twice(&format!(r#""{name}":null"#)) {
            Err(Error::Invalid(faults)) => assert_eq!(faults[0].pointer, format!("/{name}")),
            other => panic!("{other:?}"),
        }
    }
    assert!(twice(r#""shoe_size":44"#).is_ok());
}

#[test]
fn an_event_may_be_as_far_in_the_future_as_clocks_differ_and_keeps_its_time() {
    let ahead = parsed(&with("occurred_at", "2026-01-31T18:46:59Z")).unwrap();
    assert_eq!(ahead.occurred_at, "2026-01-31T18:46:59Z".parse().ok(), "its order is HR's");
    assert_eq!(pointers(&with("occurred_at", "2026-01-31T18:48:00Z")), ["/occurred_at"]);
}

#[test]
fn what_is_no_json_object_is_malformed() {
    for body in ["", "null", "[]", r#"["E1"]"#, "{", r#"{"email": }"#, "{} {}", "\u{feff}{}"] {
        let result = parse(body.as_bytes(), defaults(), clock());
        assert!(matches!(result, Err(Error::Malformed { .. })), "{body:?}: {result:?}");
    }
}

#[test]
fn what_is_no_utf_8_is_malformed_where_nobody_reads_it_too() {
    for (body, line, column) in [
        (&b"{\"employee_id\": \"\xff\"}"[..], 1, 18),
        (b"{\n \"event_type\": \"hired\",\n \"unknown\": \"a\xc3\"\n}", 3, 15),
    ] {
        let Err(Error::Malformed { line: l, column: c }) = parse(body, defaults(), clock()) else {
            panic!("{}", body.escape_ascii());
        };
        assert_eq!((l, c), (line, column), "{}", body.escape_ascii());
    }
}

#[test]
fn an_id_has_no_character_that_nobody_sees() {
    for id in ["E\u{200b}1", "\u{202e}E1", "E1\u{feff}", "E1\u{ad}"] {
        assert_eq!(pointers(&with("employee_id", id)), ["/employee_id"], "{}", id.escape_unicode());
    }
    assert!(parsed(&with("first_name", "نور\u{200c}ا")).is_ok(), "a name may need one");
}

proptest! {
    #[test]
    fn any_name_without_control_characters_survives(name in "[^\\p{C}\\p{Z}][^\\p{C}]{0,100}[^\\p{C}\\p{Z}]") {
        let event = parsed(&with("first_name", name.clone())).unwrap();
        let decoded = EnrichmentRequestedV2::decode(None, &event.encode()).unwrap();
        let first_name = decoded.stated.get(Field::FirstName).flatten().and_then(contracts::Value::text);
        prop_assert_eq!(first_name.unwrap().as_str(), name);
    }

    #[test]
    fn no_bytes_make_it_panic(body in prop::collection::vec(any::<u8>(), 0..200)) {
        let _outcome = parse(&body, defaults(), clock());
    }
}

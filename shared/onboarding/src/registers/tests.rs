use super::*;

fn position(second: i64, id: &str) -> Position {
    let at = Timestamp::from_second(1_700_000_000 + second).unwrap();
    Position::new(Some(at), at, EventId::parse(id).unwrap())
}

fn stated(json: &str) -> Stated {
    serde_json::from_str(json).unwrap()
}

fn merge(registers: &mut Registers, second: i64, id: &str, json: &str) -> bool {
    let (position, stated) = (&position(second, id), &stated(json));
    registers.merge(Statements { position, stated, employment: None })
}

#[test]
fn each_field_keeps_what_was_said_last() {
    let mut registers = Registers::default();
    assert!(merge(&mut registers, 2, "b", r#"{"title":"Engineer","office":"2"}"#));
    assert!(merge(&mut registers, 1, "a", r#"{"title":"Analyst","phone":"1"}"#), "its phone is news");
    assert!(merge(&mut registers, 3, "c", r#"{"office":null}"#));
    let text = |field| registers.text(field).map(|text| text.as_str().to_owned());
    assert_eq!(text(Field::Title).as_deref(), Some("Engineer"));
    assert_eq!(text(Field::Phone).as_deref(), Some("1"));
    assert_eq!(text(Field::Office), None);
}

#[test]
fn what_was_cleared_stays_cleared_whatever_older_comes() {
    let mut registers = Registers::default();
    merge(&mut registers, 2, "b", r#"{"title":null}"#);
    assert!(!merge(&mut registers, 1, "a", r#"{"title":"Analyst"}"#));
    assert_eq!(registers.text(Field::Title), None);
}

#[test]
fn a_name_and_an_address_are_never_cleared() {
    let mut registers = Registers::default();
    merge(&mut registers, 1, "a", r#"{"email":"ada@acme.example"}"#);
    assert!(!merge(&mut registers, 2, "b", r#"{"email":null,"firstName":null}"#));
    assert!(registers.value(Field::Email).is_some());
}

#[test]
fn only_events_that_hold_a_register_are_kept() {
    let mut registers = Registers::default();
    for second in 0..100 {
        merge(&mut registers, second, &format!("e{second}"), r#"{"title":"Engineer"}"#);
    }
    merge(&mut registers, 200, "office", r#"{"office":"2"}"#);
    merge(&mut registers, 300, "title", r#"{"title":"Analyst"}"#);
    let ids: Vec<_> = registers.events.iter().map(|event| event.event_id.as_str()).collect();
    assert_eq!(ids, ["office", "title"]);
}

#[test]
fn an_event_that_comes_again_sets_nothing() {
    let mut registers = Registers::default();
    assert!(merge(&mut registers, 1, "a", r#"{"title":"Analyst"}"#));
    assert!(!merge(&mut registers, 1, "a", r#"{"title":"Analyst"}"#));
}

#[test]
fn registers_are_read_back_as_they_were_stored() {
    let mut registers = Registers::default();
    merge(&mut registers, 1, "a", r#"{"title":"Analyst","startDate":"2026-02-01","country":"SE"}"#);
    merge(&mut registers, 2, "b", r#"{"office":null}"#);
    let json = serde_json::to_string(&registers).unwrap();
    assert_eq!(serde_json::from_str::<Registers>(&json).unwrap(), registers, "{json}");
}

#[test]
fn registers_that_point_nowhere_are_refused() {
    let stored = r#"{"events":[],"fields":{"title":["Analyst",0]}}"#;
    assert!(serde_json::from_str::<Registers>(stored).is_err());
}

#[test]
fn an_event_speaks_of_the_employment_by_its_type_or_by_hrs_own_word() {
    use EmploymentStatus::{Employed, Terminated};
    for (event_type, status, expected) in [
        (EventType::Hired, None, Some(Employed)),
        (EventType::Hired, Some("Probation"), Some(Employed)),
        (EventType::Hired, Some("Terminated"), Some(Terminated)),
        (EventType::Updated, None, None),
        (EventType::Updated, Some("Probation"), None),
        (EventType::Updated, Some("ACTIVE"), Some(Employed)),
        (EventType::Updated, Some("On Leave"), Some(Employed)),
        (EventType::Updated, Some("inactive"), Some(Terminated)),
        (EventType::Terminated, None, Some(Terminated)),
        (EventType::Terminated, Some("Active"), Some(Terminated)),
        (EventType::Erased, None, None),
    ] {
        let mut stated = Stated::default();
        if let Some(status) = status {
            stated.state(Field::Status, Some(Field::Status.parse(status).unwrap()));
        }
        assert_eq!(employment(event_type, &stated), expected, "{event_type} {status:?}");
    }
}

//! The rules by which events make a person, once more: field by field, from what was accepted.

use std::collections::BTreeSet;

use jiff::Timestamp;

use crate::evidence::{Accepted, Event, Person};

/// The person that these events make, whatever their order; `None` if nothing is said of anybody.
pub(crate) fn person(events: &[&Accepted]) -> Option<Person> {
    let names: BTreeSet<&String> = events.iter().flat_map(|accepted| accepted.event.stated.keys()).collect();
    let employment = newest(events, employment);
    if names.is_empty() && employment.is_none() {
        return None;
    }
    let value = |name: &String| newest(events, |event| event.stated.get(name).cloned()).flatten();
    let fields = names.into_iter().filter_map(|name| Some((name.clone(), value(name)?))).collect();
    Some(Person { fields, has_left: employment == Some(Employment::Left) })
}

/// Of two copies of one event, whether `one` counts: the higher edition, then the one that was received first.
pub(crate) fn counts(one: (u32, Timestamp), other: (u32, Timestamp)) -> bool {
    one.0 > other.0 || (one.0 == other.0 && one.1 <= other.1)
}

/// As the API shows it: first and last name are one.
pub(crate) fn shown(mut person: Person) -> Person {
    let names: Vec<_> =
        ["firstName", "lastName"].into_iter().filter_map(|name| person.fields.remove(name)).collect();
    if !names.is_empty() {
        person.fields.insert("name".to_owned(), names.join(" "));
    }
    person
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Employment {
    Employed,
    Left,
}

/// What the last of those says who say something.
fn newest<T>(events: &[&Accepted], says: impl Fn(&Event) -> Option<T>) -> Option<T> {
    let said = events.iter().filter_map(|accepted| Some((position(accepted), says(&accepted.event)?)));
    said.max_by_key(|(position, _)| *position).map(|(_, said)| said)
}

fn position(accepted: &Accepted) -> (Timestamp, Timestamp, &str) {
    let Accepted { event, received_at, .. } = accepted;
    (event.occurred_at.unwrap_or(*received_at), *received_at, &event.id)
}

fn employment(event: &Event) -> Option<Employment> {
    let word = event.stated.get("status").cloned().flatten().unwrap_or_default().to_lowercase();
    let said = match word.as_str() {
        "terminated" | "inactive" | "former" | "left" | "resigned" | "retired" | "dismissed" | "deceased" => {
            Some(Employment::Left)
        }
        "active" | "employed" | "hired" | "rehired" | "on leave" => Some(Employment::Employed),
        _ => None,
    };
    match event.kind.as_str() {
        "terminated" => Some(Employment::Left),
        "hired" => said.or(Some(Employment::Employed)),
        _ => said,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(
        id: &str,
        kind: &str,
        occurred: Option<i64>,
        received: i64,
        stated: &[(&str, Option<&str>)],
    ) -> Accepted {
        let at = |second| Timestamp::from_second(1_750_000_000 + second).unwrap();
        let stated =
            stated.iter().map(|(name, value)| ((*name).to_owned(), value.map(str::to_owned))).collect();
        let event = Event {
            id: id.to_owned(),
            employee: "E1".to_owned(),
            kind: kind.to_owned(),
            occurred_at: occurred.map(at),
            stated,
        };
        Accepted { correlation_id: id.to_owned(), event, received_at: at(received), edition: 0 }
    }

    #[test]
    fn each_field_says_what_its_newest_statement_does_in_any_order() {
        let hired = event("1", "hired", Some(10), 11, &[("title", Some("A")), ("office", Some("Oslo"))]);
        let cleared = event("2", "updated", Some(30), 31, &[("office", None)]);
        let late = event("3", "updated", Some(20), 41, &[("title", Some("B")), ("office", Some("Bergen"))]);
        let ahead = event("4", "updated", Some(90), 12, &[("title", Some("C"))]);
        let fields = |events: &[&Accepted]| person(events).unwrap().fields;
        let title = |title: &str| [("title".to_owned(), title.to_owned())].into();
        assert_eq!(fields(&[&hired, &cleared, &late]), title("B"));
        assert_eq!(fields(&[&late, &ahead, &cleared, &hired]), title("C"));
        let unsaid = event("5", "updated", None, 95, &[("title", Some("D"))]);
        assert_eq!(fields(&[&unsaid, &ahead, &cleared]), title("D"));
    }

    #[test]
    fn employment_is_a_field_of_its_own() {
        let hired = event("1", "hired", Some(10), 11, &[]);
        let left = event("2", "terminated", Some(20), 21, &[]);
        let silent = event("3", "updated", Some(30), 31, &[("title", Some("A"))]);
        let other_word = event("4", "updated", Some(40), 41, &[("status", Some("sabbatical"))]);
        let back = event("5", "updated", Some(50), 51, &[("status", Some("On Leave"))]);
        let has_left = |events: &[&Accepted]| person(events).unwrap().has_left;
        assert!(has_left(&[&silent, &left, &other_word, &hired]));
        assert!(!has_left(&[&back, &silent, &left]));
        assert!(!has_left(&[&silent]), "whoever was never said to have left is employed");
        assert!(has_left(&[&event("6", "hired", Some(60), 61, &[("status", Some("Retired"))])]));
        assert_eq!(person(&[&event("7", "updated", None, 1, &[])]), None);
    }
}

use axum::http::HeaderMap;
use jiff::Timestamp;
use serde_json::Value;

use super::{Names, attribute::plain_item};
use crate::evidence::{Entry, Event, Person, Write};

/// A person that a request writes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Seen {
    pub(super) write: Write,
    /// A request with a token that was carried out is answered alike when it comes again, and not carried out.
    pub(super) token: Option<String>,
}

/// The person and the entries that this request writes, if it is one that does.
pub(super) fn person_written(tables: &Names, headers: &HeaderMap, body: &[u8]) -> Option<Seen> {
    let target = headers.get("x-amz-target")?.to_str().ok()?;
    let request: Value = match target.rsplit('.').next()? {
        "PutItem" | "TransactWriteItems" => serde_json::from_slice(body).ok()?,
        _ => return None,
    };
    let alone = [&request];
    let puts = match request["TransactItems"].as_array() {
        Some(items) => items.iter().map(|item| &item["Put"]).collect(),
        None => alone.to_vec(),
    };
    let of = |table: &str| {
        let puts = puts.iter().filter(|put| put["TableName"] == table);
        puts.map(|put| plain_item(&put["Item"])).collect::<Vec<_>>()
    };
    let history = of(&tables.history);
    let entries = history.iter().filter(|item| !is_claim(item)).map(entry).collect::<Option<_>>()?;
    let write = write(of(&tables.users).first()?, entries)?;
    Some(Seen { write, token: text(&request["ClientRequestToken"]) })
}

fn write(item: &Value, entries: Vec<Entry>) -> Option<Write> {
    let person = &item["person"];
    Some(Write {
        employee: text(&item["id"])?,
        number: item["writes"].as_u64()?,
        version: person["version"].as_u64()?,
        correlation_id: text(&person["correlation_id"])?,
        person: self::person(&person["hr"])?,
        account: text(&person["okta"]["account"]["id"]),
        missing: text(&person["okta"]["missing"]),
        entries,
    })
}

#[expect(clippy::option_option, reason = "what can't be read is not what says nothing")]
fn person(hr: &Value) -> Option<Option<Person>> {
    if hr["events"].as_array()?.is_empty() {
        return Some(None);
    }
    let fields = hr["fields"].as_object()?.iter();
    let fields = fields.filter_map(|(name, register)| Some((name.clone(), text(&register[0])?)));
    Some(Some(Person { fields: fields.collect(), has_left: hr["employment"][0] == "terminated" }))
}

/// The history table also holds who has which Okta account, under keys that are nobody's id.
pub(super) fn is_claim(item: &Value) -> bool {
    item["employee_id"].as_str().is_some_and(|key| key.starts_with(char::is_control))
}

/// As it stands in the history table.
pub(super) fn entry(item: &Value) -> Option<Entry> {
    let entry = &item["entry"];
    let time = |value: &Value| value.as_str()?.parse::<Timestamp>().ok();
    let stated = entry["stated"].as_object()?.iter();
    Some(Entry {
        event: Event {
            id: text(&item["event_id"])?,
            employee: text(&item["employee_id"])?,
            kind: text(&entry["event_type"])?,
            occurred_at: time(&entry["occurred_at"]),
            stated: stated.map(|(name, value)| (name.clone(), text(value))).collect(),
        },
        received_at: time(&entry["received_at"])?,
        edition: u32::try_from(entry["edition"].as_u64()?).ok()?,
    })
}

fn text(value: &Value) -> Option<String> {
    value.as_str().map(str::to_owned)
}

#[cfg(test)]
pub(super) mod tests {
    use axum::http::HeaderValue;
    use serde_json::json;

    use super::*;

    pub(in super::super) fn names() -> Names {
        Names { users: "users".to_owned(), history: "history".to_owned(), outbox: "outbox".to_owned() }
    }

    pub(in super::super) fn headers(operation: &str) -> HeaderMap {
        let target = HeaderValue::from_str(&format!("DynamoDB_20120810.{operation}")).unwrap();
        HeaderMap::from_iter([("x-amz-target".parse().unwrap(), target)])
    }

    /// What the enrichment sends for an update of somebody who has left, said to occur a minute after it was received.
    pub(in super::super) fn transaction() -> Value {
        let position = |id: &str, stated: &str| {
            json!({"M": {
                "id": {"S": id}, "received": {"S": "2026-01-31T18:42:00Z"},
                "stated": {"S": stated}, "effective": {"S": stated},
            }})
        };
        let register = |value: Value, by: &str| json!({"L": [value, {"N": by}]});
        let person = json!({
            "version": {"N": "3"}, "writes": {"N": "4"}, "correlation_id": {"S": "c-9"},
            "okta": {"M": {"account": {"M": {"id": {"S": "00u1"}}}}},
            "hr": {"M": {
                "events": {"L": [position("e1", "2025-01-01T00:00:00Z"), position("e2", "2026-01-31T18:43:00Z")]},
                "fields": {"M": {
                    "title": register(json!({"S": "Engineer"}), "1"), "office": register(json!({"NULL": true}), "0"),
                }},
                "employment": register(json!({"S": "terminated"}), "0"),
            }},
        });
        let entry = json!({
            "event_type": {"S": "updated"}, "received_at": {"S": "2026-01-31T18:42:00Z"}, "edition": {"N": "0"},
            "occurred_at": {"S": "2026-01-31T18:43:00Z"}, "stated": {"M": {"title": {"S": "Engineer"}}},
        });
        json!({
            "ClientRequestToken": "token",
            "TransactItems": [
                {"Put": {
                    "TableName": "users", "ConditionExpression": "writes = :read",
                    "ExpressionAttributeValues": {":read": {"N": "3"}},
                    "Item": {"id": {"S": "E1"}, "writes": {"N": "4"}, "person": {"M": person}},
                }},
                {"Put": {
                    "TableName": "history",
                    "Item": {"employee_id": {"S": "E1"}, "event_id": {"S": "e2"}, "entry": {"M": entry}},
                }},
            ],
        })
    }

    fn seen(operation: &str, body: &Value) -> Option<Seen> {
        person_written(&names(), &headers(operation), body.to_string().as_bytes())
    }

    #[test]
    fn a_person_and_the_entry_of_the_event_are_witnessed() {
        let Seen { write, token } = seen("TransactWriteItems", &transaction()).unwrap();
        assert_eq!(token.as_deref(), Some("token"));
        assert_eq!((write.employee.as_str(), write.number, write.version), ("E1", 4, 3));
        assert_eq!((write.account.as_deref(), write.missing), (Some("00u1"), None));
        let fields = [("title".to_owned(), "Engineer".to_owned())].into();
        assert_eq!(write.person, Some(Person { fields, has_left: true }), "what is cleared has no value");
        let [Entry { event, edition: 0, .. }] = &write.entries[..] else { panic!("{:?}", write.entries) };
        assert_eq!((event.id.as_str(), event.kind.as_str(), event.stated.len()), ("e2", "updated", 1));
    }

    #[test]
    fn whose_an_account_is_stands_beside_the_entries_and_is_none() {
        let mut body = transaction();
        let claim = json!({"holder": {"S": "E1"}, "writes": {"N": "4"}});
        let item =
            json!({"employee_id": {"S": "\u{1}00u1"}, "event_id": {"S": "claim"}, "claim": {"M": claim}});
        let items = body["TransactItems"].as_array_mut().unwrap();
        items.push(json!({"Put": {"TableName": "history", "Item": item}}));
        assert_eq!(seen("TransactWriteItems", &body), seen("TransactWriteItems", &transaction()));
    }

    #[test]
    fn a_person_without_an_event_is_witnessed_and_other_tables_are_not() {
        let mut put = transaction()["TransactItems"][0]["Put"].clone();
        assert_eq!(seen("PutItem", &put).unwrap().write.entries, []);
        assert_eq!(seen("GetItem", &put), None);
        put["TableName"] = "requests".into();
        assert_eq!(seen("PutItem", &put), None);
    }
}

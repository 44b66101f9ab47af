//! Stored users, as many as a bench wants.

use std::ops::Range;

use anyhow::{Context, Result, ensure};
use aws::Aws;
use aws_sdk_dynamodb::types::{AttributeValue, PutRequest, WriteRequest};
use contracts::EmployeeId;
use futures_util::{StreamExt, TryStreamExt, stream};
use okta::fake::Person;
use onboarding::{Entry, Person as Stored, Store, store::Saved};
use runtime::Vars;
use serde_json::{Map, json};

use crate::hr::{self, Hr};

/// How many are written at once.
const AT_ONCE: usize = 64;

/// What DynamoDB takes in one request, and how many of them are on their way at once.
const MAX_BATCH_ITEMS: usize = 25;
const BATCHES_AT_ONCE: usize = 4;

/// How many users are stored one by one, where the others are copies.
const COPIED: usize = 100;

/// The employee of that number, enriched, with the entry of the event that hired them.
pub(crate) fn user(directory: &Hr, number: usize) -> Result<(Stored, Entry)> {
    let Person { id, email, first_name, last_name, title, department, groups, apps, .. } =
        directory.person(number);
    let groups: Vec<_> =
        groups.iter().map(|name| json!({"id": format!("00g{name}"), "name": name})).collect();
    let apps: Vec<_> = apps
        .iter()
        .map(|label| json!({"id": format!("0oa{label}"), "name": label, "label": label}))
        .collect();
    let stated = json!({
        "firstName": first_name, "lastName": last_name, "email": email, "title": title, "department": department,
        "managerEmail": "grace.hopper@acme.example", "startDate": "2026-02-01",
        "location": "Stockholm", "country": "SE", "timeZone": "Europe/Stockholm",
    });
    let fields: Map<_, _> = stated
        .as_object()
        .into_iter()
        .flatten()
        .map(|(field, value)| (field.clone(), json!([value, 0])))
        .collect();
    let (event_id, correlation_id) = (format!("hr-2026-{number:09}"), format!("c-{number:09}"));
    let person = json!({
        "id": hr::id(number),
        "hr": {
            "events": [{
                "effective": "2026-01-31T18:42:00Z", "stated": "2026-01-31T18:42:00Z",
                "received": "2026-01-31T18:42:01Z", "id": event_id,
            }],
            "fields": fields,
            "employment": ["employed", 0],
        },
        "okta": {
            "account": {"id": id, "status": "ACTIVE", "groups": groups, "applications": apps},
            "read_at": "2026-01-31T18:42:05Z",
            "since": "2026-01-31T18:42:05Z",
        },
        "version": 1,
        "writes": 1,
        "updated_at": "2026-01-31T18:42:05Z",
        "correlation_id": correlation_id,
    });
    let changes: Vec<_> = stated
        .as_object()
        .into_iter()
        .flatten()
        .map(|(field, value)| json!({"field": field, "old": null, "new": value}))
        .chain([json!({"field": "groups", "added": groups, "removed": []})])
        .chain([json!({"field": "applications", "added": apps, "removed": []})])
        .collect();
    let entry = json!({
        "employee_id": hr::id(number), "event_id": event_id, "event_type": "hired", "correlation_id": correlation_id,
        "occurred_at": "2026-01-31T18:42:00Z", "received_at": "2026-01-31T18:42:01Z", "stated": stated,
        "changes": changes, "version": 1, "applied_at": "2026-01-31T18:42:05Z", "sequence": 1,
    });
    Ok((serde_json::from_value(person)?, serde_json::from_value(entry)?))
}

/// The entry of an event that changed the person's title.
pub(crate) fn update(person: &Stored) -> Result<Entry> {
    let entry = json!({
        "employee_id": person.id, "event_id": format!("update-{}", person.writes), "event_type": "updated",
        "correlation_id": person.correlation_id, "received_at": "2026-02-01T00:00:00Z", "stated": {"title": "Engineer"},
        "changes": [{"field": "title", "old": "Analyst", "new": "Engineer"}], "version": person.version,
        "applied_at": "2026-02-01T00:00:00Z", "sequence": person.writes,
    });
    Ok(serde_json::from_value(entry)?)
}

/// Stores new users of these numbers.
pub(crate) async fn fill(store: &Store, hr: &Hr, numbers: Range<usize>) -> Result<()> {
    let saving = stream::iter(numbers).map(async |number| {
        let (person, entry) = user(hr, number)?;
        let saved = store.commit(&person, None, Some(&entry)).await?;
        ensure!(saved == Saved::Yes, "somebody has stored the user {number}");
        Ok(())
    });
    saving.buffer_unordered(AT_ONCE).try_collect().await
}

/// The same for DynamoDB, by many at once: the first, whom the store writes, are copied under the others' ids.
pub(crate) async fn fill_table(store: &Store, hr: &Hr, vars: &Vars, count: usize) -> Result<()> {
    let first = count.min(COPIED);
    fill(store, hr, 0..first).await?;
    let (client, table) =
        (&dynamo::client(vars, &Aws::from_vars(vars)?)?, vars.require("USERS_TABLE", "a table")?);
    let written = client.scan().table_name(table).send().await?.items.context("there is nobody")?;
    let copy = |number: usize| {
        let (mut item, id) = (written[number % written.len()].clone(), AttributeValue::S(hr::id(number)));
        if let Some(AttributeValue::M(person)) = item.get_mut("person") {
            person.insert("id".to_owned(), id.clone());
        }
        item.insert("id".to_owned(), id);
        let put = PutRequest::builder().set_item(Some(item)).build()?;
        anyhow::Ok(WriteRequest::builder().put_request(put).build())
    };
    let numbers: Vec<_> = (first..count).collect();
    let writing = stream::iter(numbers.chunks(MAX_BATCH_ITEMS)).map(async |numbers| {
        let batch = numbers.iter().copied().map(copy).collect::<Result<_>>()?;
        let answer = client.batch_write_item().request_items(table, batch).send().await?;
        ensure!(answer.unprocessed_items.is_none_or(|left| left.is_empty()), "DynamoDB Local left users out");
        Ok(())
    });
    writing.buffer_unordered(BATCHES_AT_ONCE).try_collect().await
}

/// An error if one of these numbers isn't stored.
pub(crate) async fn expect(vars: &Vars, numbers: Range<usize>) -> Result<()> {
    let store = &Store::from_vars(vars, &Aws::from_vars(vars)?)?;
    let reading = stream::iter(numbers).map(async |number| {
        let found = store.person(&EmployeeId::parse(hr::id(number))?).await?;
        ensure!(found.is_some(), "the hire {number} was not stored");
        Ok(())
    });
    reading.buffer_unordered(AT_ONCE).try_collect().await
}

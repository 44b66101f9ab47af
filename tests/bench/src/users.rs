//! Stored users, as many as a bench wants.

use std::ops::Range;

use anyhow::{Context, Result, ensure};
use aws::Aws;
use aws_sdk_dynamodb::types::{AttributeValue, PutRequest, WriteRequest};
use contracts::EmployeeId;
use futures_util::{StreamExt, TryStreamExt, stream};
use okta::fake::Person;
use onboarding::{Store, StoredUser, store::Saved};
use runtime::Vars;
use serde_json::json;

use crate::hr::{self, Hr};

/// How many are written at once.
const AT_ONCE: usize = 64;

/// What DynamoDB takes in one request, and how many of them are on their way at once.
const MOST_IN_A_BATCH: usize = 25;
const BATCHES_AT_ONCE: usize = 4;

/// How many users are stored one by one, where the others are copies.
const COPIED: usize = 100;

/// The enriched profile of the employee of that number.
pub(crate) fn user(directory: &Hr, number: usize) -> Result<StoredUser> {
    let Person { id, email, first_name, last_name, title, department, groups, apps, .. } =
        directory.person(number);
    let groups: Vec<_> =
        groups.iter().map(|name| json!({"id": format!("00g{name}"), "name": name})).collect();
    let apps: Vec<_> = apps
        .iter()
        .map(|label| json!({"id": format!("0oa{label}"), "name": label, "label": label}))
        .collect();
    let stored = json!({
        "user": {
            "id": hr::id(number),
            "name": format!("{first_name} {last_name}"),
            "email": email,
            "title": title,
            "department": department,
            "managerEmail": "grace.hopper@acme.example",
            "startDate": "2026-02-01",
            "endDate": null,
            "employmentStatus": "employed",
            "onboarded": true,
            "oktaId": id,
            "oktaStatus": "ACTIVE",
            "groups": groups,
            "applications": apps,
            "details": {"location": "Stockholm", "country": "SE", "timeZone": "Europe/Stockholm"},
            "version": 1,
            "updatedAt": "2026-01-31T18:42:05Z",
            "correlationId": format!("c-{number:09}"),
        },
        "last": {
            "occurred_at": "2026-01-31T18:42:00Z",
            "received_at": "2026-01-31T18:42:01Z",
            "recent": [format!("hr-2026-{number:09}")],
        },
    });
    Ok(serde_json::from_value(stored)?)
}

/// Stores new users of these numbers.
pub(crate) async fn fill(store: &Store, hr: &Hr, numbers: Range<usize>) -> Result<()> {
    let saving = stream::iter(numbers).map(async |number| {
        let saved = store.save(&user(hr, number)?, None).await?;
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
        if let Some(AttributeValue::M(user)) = item.get_mut("user") {
            user.insert("id".to_owned(), id.clone());
        }
        item.insert("id".to_owned(), id);
        let put = PutRequest::builder().set_item(Some(item)).build()?;
        anyhow::Ok(WriteRequest::builder().put_request(put).build())
    };
    let numbers: Vec<_> = (first..count).collect();
    let writing = stream::iter(numbers.chunks(MOST_IN_A_BATCH)).map(async |numbers| {
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
        let found = store.user(&EmployeeId::parse(hr::id(number))?).await?;
        ensure!(found.is_some(), "the hire {number} was not stored");
        Ok(())
    });
    reading.buffer_unordered(AT_ONCE).try_collect().await
}

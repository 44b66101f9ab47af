mod items;

use std::{borrow::Cow, collections::HashMap};

use aws::Aws;
use aws_sdk_dynamodb::{operation::query::builders::QueryFluentBuilder, types::AttributeValue};
use contracts::{CorrelationId, EmployeeId, EventId, Facts};
use dynamo::{Client, Committed, Error, Inserted, Put, Transaction, Written};
use runtime::{ConfigError, Vars};
use serde::de::DeserializeOwned;

use self::items::{ClaimItem, EntryItem, PersonItem, RequestItem, StoredItem, sortable};
use super::{Filter, Saved, Write};
use crate::{
    claim::Claim, entry::Entry, person::Person, request::RequestEvent, request_events::RequestEvents,
    timeline::Timeline,
};

/// The index of people by department.
const BY_DEPARTMENT: &str = "by-department";
/// The index of people by e-mail address.
const BY_EMAIL: &str = "by-email";
/// The index of a person's entries by when they were applied.
const BY_SEQUENCE: &str = "by-sequence";

#[derive(Debug, Clone)]
pub struct DynamoDb {
    client: Client,
    /// `USERS_TABLE`: key `id`.
    users: String,
    /// `HISTORY_TABLE`: key `employee_id` and `event_id`. It holds the claims, too.
    history: String,
    /// `REQUESTS_TABLE`: key `correlation_id` and `event_key`.
    requests: String,
    pub(super) outbox: facts::DynamoDb,
}

impl DynamoDb {
    pub fn from_vars(vars: &Vars, aws: &Aws) -> Result<Self, ConfigError> {
        let client = dynamo::client(vars, aws)?;
        let table = |name| vars.require(name, "a table's name").map(str::to_owned);
        Ok(Self {
            outbox: facts::DynamoDb::from_vars(vars, client.clone())?,
            client,
            users: table("USERS_TABLE")?,
            history: table("HISTORY_TABLE")?,
            requests: table("REQUESTS_TABLE")?,
        })
    }

    pub(super) async fn person(&self, id: &EmployeeId) -> Result<Option<Person>, Error> {
        let request = self.client.get_item().table_name(&self.users).key("id", string(id.as_str()));
        let item = request.consistent_read(true).send().await?.item;
        item.map(|item| dynamo::from_item::<StoredItem>(item)?.person()).transpose()
    }

    pub(super) async fn write(&self, write: Write<'_>) -> Result<Saved, Error> {
        let Write { new, read, entry, claims, facts } = write;
        let item = PersonItem::of(new);
        let (condition, values) = match read {
            None => ("attribute_not_exists(id)", vec![]),
            // Stored by the version before, whose writes counted as versions.
            Some(Person { writes: 0, version, .. }) => (
                "attribute_not_exists(writes) AND version = :read",
                vec![(":read", AttributeValue::N(version.to_string()))],
            ),
            Some(read) => ("writes = :read", vec![(":read", AttributeValue::N(read.writes.to_string()))]),
        };
        let put = Put { table: &self.users, condition, names: &[], values };
        let is_alone =
            entry.is_none() && new.applied_before.is_empty() && claims.is_empty() && facts.is_none();
        if is_alone {
            return Ok(match dynamo::put(&self.client, &item, put).await? {
                Written::Yes => Saved::Yes,
                Written::ConditionFailed => Saved::Conflict,
            });
        }
        let mut transaction = Transaction::default();
        transaction.put(&item, put)?;
        // That the person is as they were read says that their entries are, too.
        for entry in new.applied_before.iter().chain(entry) {
            transaction.replace(&self.history, &EntryItem::of(entry))?;
        }
        for change in claims {
            let item = ClaimItem::of(&change.account, change.new.as_ref());
            transaction.put(&item, self.if_still_claimed_by(change.read.as_ref()))?;
        }
        if let Some(facts) = facts {
            self.outbox.add(&mut transaction, facts)?;
        }
        match transaction.commit(&self.client).await? {
            Committed::Yes => Ok(Saved::Yes),
            // What was read before is outdated, or is about to be.
            Committed::ConditionFailed | Committed::Contended => Ok(Saved::Conflict),
        }
    }

    fn if_still_claimed_by(&self, claim: Option<&Claim>) -> Put<'_> {
        let (condition, values) = match claim {
            None => ("attribute_not_exists(claim)", vec![]),
            Some(claim) => (
                "claim.holder = :holder AND claim.writes = :writes",
                vec![
                    (":holder", string(claim.holder.as_str())),
                    (":writes", AttributeValue::N(claim.writes.to_string())),
                ],
            ),
        };
        Put { table: &self.history, condition, names: &[], values }
    }

    pub(super) async fn claim(&self, account: &str) -> Result<Option<Claim>, Error> {
        let request = self
            .client
            .get_item()
            .table_name(&self.history)
            .key("employee_id", AttributeValue::S(ClaimItem::key(account)))
            .key("event_id", string(ClaimItem::SORT_KEY));
        let Some(item) = request.consistent_read(true).send().await?.item else { return Ok(None) };
        Ok(dynamo::from_item::<ClaimItem>(item)?.claim.map(Cow::into_owned))
    }

    pub(super) async fn entry(&self, id: &EmployeeId, event_id: &EventId) -> Result<Option<Entry>, Error> {
        let request = self
            .client
            .get_item()
            .table_name(&self.history)
            .key("employee_id", string(id.as_str()))
            .key("event_id", string(event_id.as_str()));
        let item = request.consistent_read(true).send().await?.item;
        item.map(|item| Ok(dynamo::from_item::<EntryItem>(item)?.entry.into_owned())).transpose()
    }

    pub(super) async fn entries(&self, id: &EmployeeId) -> Result<Vec<Entry>, Error> {
        let mut entries = Vec::new();
        let all = self.client.query().table_name(&self.history).consistent_read(true);
        let all = all
            .key_condition_expression("employee_id = :id")
            .expression_attribute_values(":id", string(id.as_str()));
        every_page(all, |items: Vec<EntryItem>| {
            entries.extend(items.into_iter().map(|item| item.entry.into_owned()));
        })
        .await?;
        Ok(entries)
    }

    pub(super) async fn replace_entry(&self, entry: &Entry) -> Result<(), Error> {
        dynamo::replace(&self.client, &self.history, &EntryItem::of(entry)).await
    }

    pub(super) async fn history(
        &self,
        id: &EmployeeId,
        before: Option<u64>,
        limit: usize,
    ) -> Result<Vec<Entry>, Error> {
        let (mut entries, mut start) = (Vec::new(), None);
        while entries.len() < limit {
            let left = i32::try_from(limit - entries.len()).unwrap_or(i32::MAX);
            let query = self.client.query().table_name(&self.history).index_name(BY_SEQUENCE).limit(left);
            let page = query
                .scan_index_forward(false)
                .key_condition_expression("employee_id = :id AND #sequence < :before")
                .expression_attribute_names("#sequence", "sequence")
                .expression_attribute_values(":id", string(id.as_str()))
                .expression_attribute_values(
                    ":before",
                    AttributeValue::S(sortable(before.unwrap_or(u64::MAX))),
                )
                .set_exclusive_start_key(start)
                .send()
                .await?;
            let items: Vec<EntryItem> = dynamo::from_items(page.items)?;
            entries.extend(items.into_iter().map(|item| item.entry.into_owned()));
            start = page.last_evaluated_key;
            if start.is_none() {
                break;
            }
        }
        Ok(entries)
    }

    pub(super) async fn list(
        &self,
        filter: &Filter,
        after: Option<&EmployeeId>,
        limit: usize,
    ) -> Result<Vec<Person>, Error> {
        let mut people = Vec::new();
        let mut start = after.map(|id| filter.position(id));
        // DynamoDB filters after it has counted, and ends a page at 1 MB: either can leave a page short.
        while people.len() < limit {
            let (page, next) = self.page(filter, start, limit - people.len()).await?;
            people.extend(seen(page)?);
            match next {
                Some(next) => start = Some(next),
                None => break,
            }
        }
        Ok(people)
    }

    /// Without the code for filters, which asks the indexes: who calls this may not. What was written a moment before is
    /// among them, which a scan doesn't promise otherwise.
    pub(super) async fn everybody(
        &self,
        after: Option<&EmployeeId>,
        limit: usize,
    ) -> Result<Vec<EmployeeId>, Error> {
        let mut ids = Vec::new();
        let mut start = after.map(|id| Filter::default().position(id));
        while ids.len() < limit {
            let left = i32::try_from(limit - ids.len()).unwrap_or(i32::MAX);
            let scan = self.client.scan().table_name(&self.users).consistent_read(true).limit(left);
            let page = scan.set_exclusive_start_key(start).send().await?;
            ids.extend(page.items.into_iter().flatten().filter_map(left_of));
            start = page.last_evaluated_key;
            if start.is_none() {
                break;
            }
        }
        Ok(ids)
    }

    /// Without the code for lists, which may scan the table: who calls this may not.
    pub(super) async fn with_email(&self, key: &str, limit: usize) -> Result<Vec<Person>, Error> {
        let page = self
            .client
            .query()
            .table_name(&self.users)
            .index_name(BY_EMAIL)
            .limit(i32::try_from(limit).unwrap_or(i32::MAX))
            .key_condition_expression("email_key = :email")
            .expression_attribute_values(":email", string(key))
            .send()
            .await?;
        let items: Vec<StoredItem> = dynamo::from_items(page.items)?;
        items.into_iter().map(StoredItem::person).collect()
    }

    async fn page(
        &self,
        filter: &Filter,
        start: Option<HashMap<String, AttributeValue>>,
        limit: usize,
    ) -> Result<(Vec<StoredItem>, Option<HashMap<String, AttributeValue>>), Error> {
        let limit = i32::try_from(limit).unwrap_or(i32::MAX);
        let (department, email) = (filter.department_key(), filter.email_key());
        let query = self.client.query().table_name(&self.users).limit(limit);
        let query = match (email, department) {
            (None, None) => {
                let scan = self.client.scan().table_name(&self.users).limit(limit);
                let page = scan.set_exclusive_start_key(start).send().await?;
                return Ok((dynamo::from_items(page.items)?, page.last_evaluated_key));
            }
            (None, Some(department)) => query
                .index_name(BY_DEPARTMENT)
                .key_condition_expression("department_key = :department")
                .expression_attribute_values(":department", AttributeValue::S(department)),
            (Some(email), None) => query
                .index_name(BY_EMAIL)
                .key_condition_expression("email_key = :email")
                .expression_attribute_values(":email", AttributeValue::S(email)),
            (Some(email), Some(department)) => query
                .index_name(BY_EMAIL)
                .key_condition_expression("email_key = :email")
                .filter_expression("department_key = :department")
                .expression_attribute_values(":email", AttributeValue::S(email))
                .expression_attribute_values(":department", AttributeValue::S(department)),
        };
        let page = query.set_exclusive_start_key(start).send().await?;
        Ok((dynamo::from_items(page.items)?, page.last_evaluated_key))
    }

    /// Whoever writes to the request at the same time, or wrote it in a newer layout, knows more: it isn't asked what.
    pub(super) async fn accept_request(
        &self,
        id: &CorrelationId,
        event: &RequestEvent,
    ) -> Result<Option<Timeline>, Error> {
        let item = RequestItem::of(id, event);
        match dynamo::insert_or_known(&self.client, &self.requests, "correlation_id", &item).await {
            Ok(Inserted::Yes) => Ok(None),
            Ok(Inserted::Known(known)) => Ok(Some(known.event.timeline)),
            Ok(Inserted::Contended) | Err(Error::Layout) => Ok(Some(Timeline::default())),
            Err(error) => Err(error),
        }
    }

    pub(super) async fn end_request(
        &self,
        id: &CorrelationId,
        event: &RequestEvent,
        facts: Option<&Facts>,
    ) -> Result<bool, Error> {
        let item = RequestItem::of(id, event);
        let put = Put {
            table: &self.requests,
            condition: "attribute_not_exists(correlation_id) OR #status <> :enriched",
            names: &[("#status", "status")],
            values: vec![(":enriched", string("enriched"))],
        };
        let Some(facts) = facts else {
            return Ok(dynamo::put(&self.client, &item, put).await? == Written::Yes);
        };
        let mut transaction = Transaction::default();
        transaction.put(&item, put)?;
        self.outbox.add(&mut transaction, facts)?;
        match transaction.commit(&self.client).await? {
            Committed::Yes => Ok(true),
            Committed::ConditionFailed => Ok(false),
            // Whoever is writing may write something older.
            Committed::Contended => Err(Error::Unavailable("another writes to the request".into())),
        }
    }

    pub(super) async fn request(&self, id: &CorrelationId) -> Result<RequestEvents, Error> {
        let mut events = RequestEvents::default();
        let all = self.client.query().table_name(&self.requests).consistent_read(true);
        let all = all
            .key_condition_expression("correlation_id = :id")
            .expression_attribute_values(":id", string(id.as_str()));
        every_page(all, |items: Vec<RequestItem>| {
            events.extend(items.into_iter().map(|item| item.event.into_owned()));
        })
        .await?;
        Ok(events)
    }

    pub(super) async fn request_event(
        &self,
        id: &CorrelationId,
        key: &str,
    ) -> Result<Option<RequestEvent>, Error> {
        let query = self.client.query().table_name(&self.requests).consistent_read(true);
        let page = query
            .key_condition_expression("correlation_id = :id AND event_key = :key")
            .expression_attribute_values(":id", string(id.as_str()))
            .expression_attribute_values(":key", string(key))
            .send()
            .await?;
        let mut items: Vec<RequestItem> = dynamo::from_items(page.items)?;
        Ok(items.pop().map(|item| item.event.into_owned()))
    }

    pub(super) async fn ping(&self) -> Result<(), Error> {
        tokio::try_join!(
            dynamo::ping(&self.client, &self.users, "id", None),
            dynamo::ping(&self.client, &self.history, "employee_id", Some("event_id")),
            dynamo::ping(&self.client, &self.requests, "correlation_id", Some("event_key")),
        )?;
        Ok(())
    }
}

/// Those of whom a reader sees something.
fn seen(items: Vec<StoredItem>) -> Result<Vec<Person>, Error> {
    let people = items.into_iter().map(StoredItem::person);
    people.filter(|person| person.as_ref().map_or(true, |person| person.user().is_some())).collect()
}

/// The id of somebody of whom something is left, or who can't be read: that is for whoever needs more of them.
fn left_of(item: HashMap<String, AttributeValue>) -> Option<EmployeeId> {
    let id = EmployeeId::parse(item.get("id")?.as_s().ok()?.clone()).ok()?;
    let person = dynamo::from_item::<StoredItem>(item).and_then(StoredItem::person);
    person.map_or(true, |person| person.user().is_some()).then_some(id)
}

/// Gives the items of each page to `take`.
async fn every_page<T: DeserializeOwned>(
    query: QueryFluentBuilder,
    mut take: impl FnMut(Vec<T>),
) -> Result<(), Error> {
    let mut start = None;
    loop {
        let page = query.clone().set_exclusive_start_key(start).send().await?;
        take(dynamo::from_items(page.items)?);
        start = page.last_evaluated_key;
        if start.is_none() {
            return Ok(());
        }
    }
}

impl Filter {
    /// The key of the last user of a page, in the index that the filter reads.
    fn position(&self, id: &EmployeeId) -> HashMap<String, AttributeValue> {
        let mut key = HashMap::from([("id".to_owned(), string(id.as_str()))]);
        if let Some(email) = self.email_key() {
            key.insert("email_key".to_owned(), AttributeValue::S(email));
        } else if let Some(department) = self.department_key() {
            key.insert("department_key".to_owned(), AttributeValue::S(department));
        }
        key
    }
}

fn string(value: &str) -> AttributeValue {
    AttributeValue::S(value.to_owned())
}

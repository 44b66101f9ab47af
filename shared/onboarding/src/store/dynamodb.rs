use std::{borrow::Cow, collections::HashMap};

use aws::Aws;
use aws_sdk_dynamodb::types::AttributeValue;
use contracts::{CorrelationId, EmployeeId, Text};
use dynamo::{Client, Error, Put, Written};
use runtime::{ConfigError, Vars};
use serde::{Deserialize, Serialize};

use super::{Filter, MOST_EVENTS, Saved};
use crate::{
    request::{self, RequestEvent},
    user::{EnrichedUser, LastEvent, StoredUser},
};

/// The index of users by department.
const BY_DEPARTMENT: &str = "by-department";
/// The index of users by e-mail address.
const BY_EMAIL: &str = "by-email";

#[derive(Debug, Clone)]
pub struct DynamoDb {
    client: Client,
    /// `USERS_TABLE`: key `id`.
    users: String,
    /// `REQUESTS_TABLE`: key `correlation_id` and `event_key`.
    requests: String,
}

#[derive(Serialize, Deserialize)]
struct UserItem<'a> {
    id: Cow<'a, EmployeeId>,
    email_key: String,
    /// A key of an index can't be null: who has no department isn't in it.
    #[serde(skip_serializing_if = "Option::is_none")]
    department_key: Option<String>,
    version: u64,
    user: Cow<'a, EnrichedUser>,
    last: Cow<'a, LastEvent>,
}

#[derive(Serialize, Deserialize)]
struct RequestItem<'a> {
    correlation_id: Cow<'a, CorrelationId>,
    event_key: String,
    /// Epoch seconds.
    expires_at: i64,
    #[serde(flatten)]
    event: Cow<'a, RequestEvent>,
}

impl DynamoDb {
    pub fn from_vars(vars: &Vars, aws: &Aws) -> Result<Self, ConfigError> {
        let client = dynamo::client(vars, aws)?;
        let table = |name| vars.require(name, "a table's name").map(str::to_owned);
        Ok(Self { client, users: table("USERS_TABLE")?, requests: table("REQUESTS_TABLE")? })
    }

    pub(super) async fn user(&self, id: &EmployeeId) -> Result<Option<StoredUser>, Error> {
        let request = self.client.get_item().table_name(&self.users).key("id", string(id.as_str()));
        let Some(item) = request.consistent_read(true).send().await?.item else { return Ok(None) };
        let UserItem { user, last, .. } = dynamo::from_item(item)?;
        Ok(Some(StoredUser { user: user.into_owned(), last: last.into_owned() }))
    }

    pub(super) async fn save(&self, new: &StoredUser, read: Option<&StoredUser>) -> Result<Saved, Error> {
        let item = UserItem {
            id: Cow::Borrowed(&new.user.id),
            email_key: new.user.email.key(),
            department_key: new.user.department.as_ref().map(Text::key),
            version: new.user.version,
            user: Cow::Borrowed(&new.user),
            last: Cow::Borrowed(&new.last),
        };
        let put = match read {
            None => {
                Put { table: &self.users, condition: "attribute_not_exists(id)", names: &[], values: vec![] }
            }
            Some(read) => Put {
                table: &self.users,
                condition: "#version = :read",
                names: &[("#version", "version")],
                values: vec![(":read", AttributeValue::N(read.user.version.to_string()))],
            },
        };
        match dynamo::put(&self.client, &item, put).await? {
            Written::Yes => Ok(Saved::Yes),
            Written::ConditionFailed => Ok(Saved::Conflict),
        }
    }

    pub(super) async fn list(
        &self,
        filter: &Filter,
        after: Option<&EmployeeId>,
        limit: usize,
    ) -> Result<Vec<EnrichedUser>, Error> {
        let mut users = Vec::new();
        let mut start = after.map(|id| filter.position(id));
        // DynamoDB filters after it has counted, and ends a page at 1 MB: either can leave a page short.
        while users.len() < limit {
            let (page, next) = self.page(filter, start, limit - users.len()).await?;
            users.extend(page.into_iter().map(|item| item.user.into_owned()));
            match next {
                Some(next) => start = Some(next),
                None => break,
            }
        }
        Ok(users)
    }

    async fn page(
        &self,
        filter: &Filter,
        start: Option<HashMap<String, AttributeValue>>,
        limit: usize,
    ) -> Result<(Vec<UserItem<'static>>, Option<HashMap<String, AttributeValue>>), Error> {
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

    pub(super) async fn record_request(&self, id: &CorrelationId, event: &RequestEvent) -> Result<(), Error> {
        let item = RequestItem {
            correlation_id: Cow::Borrowed(id),
            event_key: event.key(),
            expires_at: (event.updated_at + request::KEPT).as_second(),
            event: Cow::Borrowed(event),
        };
        let unless_finished = "attribute_not_exists(correlation_id) OR #status <> :enriched";
        let put = match event.state {
            request::RequestState::Accepted => Put {
                table: &self.requests,
                condition: "attribute_not_exists(correlation_id)",
                names: &[],
                values: vec![],
            },
            request::RequestState::Failed { .. } | request::RequestState::Enriched { .. } => Put {
                table: &self.requests,
                condition: unless_finished,
                names: &[("#status", "status")],
                values: vec![(":enriched", string("enriched"))],
            },
        };
        // That a later state is there already is as good as having written this one.
        dynamo::put(&self.client, &item, put).await.map(|_written| ())
    }

    pub(super) async fn request(&self, id: &CorrelationId) -> Result<Vec<RequestEvent>, Error> {
        let query = self.client.query().table_name(&self.requests).consistent_read(true);
        let page = query
            .key_condition_expression("correlation_id = :id")
            .expression_attribute_values(":id", string(id.as_str()))
            .limit(i32::try_from(MOST_EVENTS).unwrap_or(i32::MAX))
            .send()
            .await?;
        let items: Vec<RequestItem> = dynamo::from_items(page.items)?;
        Ok(items.into_iter().map(|item| item.event.into_owned()).collect())
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
            dynamo::ping(&self.client, &self.requests, "correlation_id", Some("event_key")),
        )?;
        Ok(())
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

use std::{sync::LazyLock, time::Duration};

use aws::Aws;
use contracts::{CorrelationId, EmployeeId, Text};
use redis::{AsyncCommands, Script};
use runtime::{ConfigError, Vars};
use valkey::Connection;

use super::{Error, Filter, MOST_EVENTS, Saved};
use crate::{
    request::{self, RequestEvent},
    user::{EnrichedUser, StoredUser},
};

/// Users in Redis alone. It has to keep its data: append-only file on, no eviction.
///
/// Keys share a hash tag per kind, so that a script finds all of its keys on one node of a cluster. Every command may
/// run twice: the scripts compare before they set.
#[derive(Debug, Clone)]
pub struct Redis(Connection);

/// Compare and set. KEYS: the user, the indexes to leave, the indexes to enter. ARGV: the version that was read or "",
/// the new version, the new value, the id, how many indexes to leave.
static SAVE: LazyLock<Script> = LazyLock::new(|| {
    Script::new(
        r"
        local stored = redis.call('HGET', KEYS[1], 'version') or ''
        if stored ~= ARGV[1] then return 0 end
        redis.call('HSET', KEYS[1], 'version', ARGV[2], 'value', ARGV[3])
        local leave = tonumber(ARGV[5])
        for i = 2, 1 + leave do redis.call('ZREM', KEYS[i], ARGV[4]) end
        for i = 2 + leave, #KEYS do redis.call('ZADD', KEYS[i], 0, ARGV[4]) end
        return 1
        ",
    )
});

/// States only move forward. KEYS: the request. ARGV: the event, its new status, its new value, the seconds to keep.
static RECORD: LazyLock<Script> = LazyLock::new(|| {
    Script::new(
        r"
        local stored = redis.call('HGET', KEYS[1], ARGV[1])
        if stored and (ARGV[2] == 'accepted' or cjson.decode(stored).status == 'enriched') then return 0 end
        redis.call('HSET', KEYS[1], ARGV[1], ARGV[3])
        redis.call('EXPIRE', KEYS[1], ARGV[4])
        return 1
        ",
    )
});

impl Redis {
    /// Reads `STORAGE_URL` (`redis://host:port/db`) and what belongs to it ([`valkey::Config`]), and
    /// `STORAGE_TIMEOUT_SECONDS` (3).
    pub fn from_vars(vars: &Vars, aws: &Aws) -> Result<Self, ConfigError> {
        vars.require("STORAGE_URL", "a URL such as redis://localhost:6379")?;
        let timeout = vars.seconds_or("STORAGE_TIMEOUT_SECONDS", Duration::from_secs(3))?;
        let connection = Connection::from_vars(vars, "STORAGE", timeout, aws)?;
        Ok(Self(connection.expect("its URL is set, as was just seen")))
    }

    pub(super) async fn user(&self, id: &EmployeeId) -> Result<Option<StoredUser>, Error> {
        let value: Option<String> =
            self.0.run(async |mut redis| redis.hget(user_key(id), "value").await).await?;
        Ok(value.map(|value| serde_json::from_str(&value)).transpose()?)
    }

    pub(super) async fn save(&self, new: &StoredUser, read: Option<&StoredUser>) -> Result<Saved, Error> {
        let leave = read.map(|read| indexes(&read.user)).unwrap_or_default();
        let mut script = SAVE.key(user_key(&new.user.id));
        for index in leave.iter().chain(&indexes(&new.user)) {
            script.key(index);
        }
        script
            .arg(read.map(|read| read.user.version.to_string()).unwrap_or_default())
            .arg(new.user.version)
            .arg(serde_json::to_string(new)?)
            .arg(new.user.id.as_str())
            .arg(leave.len());
        let saved: bool = self.0.run(async |mut redis| script.invoke_async(&mut redis).await).await?;
        Ok(if saved { Saved::Yes } else { Saved::Conflict })
    }

    pub(super) async fn list(
        &self,
        filter: &Filter,
        after: Option<&EmployeeId>,
        limit: usize,
    ) -> Result<Vec<EnrichedUser>, Error> {
        let (department, email) = (filter.department_key(), filter.email_key());
        let index = match (&email, &department) {
            (Some(email), _) => email_index(email),
            (None, Some(department)) => department_index(department),
            (None, None) => ALL.to_owned(),
        };
        let mut users = Vec::new();
        let mut start = after.map_or_else(|| "-".to_owned(), |id| format!("({id}"));
        while users.len() < limit {
            let wanted = limit - users.len();
            let count = isize::try_from(wanted).unwrap_or(isize::MAX);
            let (index, from) = (&index, &start);
            let ids: Vec<String> = self
                .0
                .run(async |mut redis| redis.zrangebylex_limit(index, from, "+", 0, count).await)
                .await?;
            let Some(last) = ids.last() else { break };
            start = format!("({last}");
            let mut values = redis::pipe();
            for id in &ids {
                values.hget(format!("{USERS}:{id}"), "value");
            }
            let values: Vec<Option<String>> =
                self.0.run(async |mut redis| values.query_async(&mut redis).await).await?;
            for value in values.into_iter().flatten() {
                let StoredUser { user, .. } = serde_json::from_str(&value)?;
                if department.is_none() || user.department.as_ref().map(Text::key) == department {
                    users.push(user);
                }
            }
            if ids.len() < wanted {
                break;
            }
        }
        Ok(users)
    }

    pub(super) async fn record_request(&self, id: &CorrelationId, event: &RequestEvent) -> Result<(), Error> {
        let mut script = RECORD.key(request_key(id));
        script
            .arg(event.key())
            .arg(event.state.name())
            .arg(serde_json::to_string(event)?)
            .arg(request::KEPT.as_secs());
        let _changed: bool = self.0.run(async |mut redis| script.invoke_async(&mut redis).await).await?;
        Ok(())
    }

    pub(super) async fn request(&self, id: &CorrelationId) -> Result<Vec<RequestEvent>, Error> {
        let mut events: Vec<(String, String)> =
            self.0.run(async |mut redis| redis.hgetall(request_key(id)).await).await?;
        events.sort();
        let events = events.into_iter().take(MOST_EVENTS);
        Ok(events.map(|(_, value)| serde_json::from_str(&value)).collect::<Result<_, _>>()?)
    }

    pub(super) async fn request_event(
        &self,
        id: &CorrelationId,
        key: &str,
    ) -> Result<Option<RequestEvent>, Error> {
        let event: Option<String> =
            self.0.run(async |mut redis| redis.hget(request_key(id), key).await).await?;
        Ok(event.map(|value| serde_json::from_str(&value)).transpose()?)
    }

    pub(super) async fn ping(&self) -> Result<(), Error> {
        Ok(self.0.run(async |mut redis| redis.ping().await).await?)
    }
}

const USERS: &str = "joiner:{users}:user";
const ALL: &str = "joiner:{users}:all";

fn user_key(id: &EmployeeId) -> String {
    format!("{USERS}:{id}")
}

fn request_key(id: &CorrelationId) -> String {
    format!("joiner:{{requests}}:{id}")
}

fn department_index(key: &str) -> String {
    format!("joiner:{{users}}:department:{key}")
}

fn email_index(key: &str) -> String {
    format!("joiner:{{users}}:email:{key}")
}

fn indexes(user: &EnrichedUser) -> Vec<String> {
    let department = user.department.as_ref().map(|department| department_index(&department.key()));
    [ALL.to_owned(), email_index(&user.email.key())].into_iter().chain(department).collect()
}

use std::{sync::LazyLock, time::Duration};

use aws::Aws;
use contracts::{CorrelationId, EmployeeId, EventId, Text};
use redis::{AsyncCommands, Script};
use runtime::{ConfigError, Vars};
use valkey::Connection;

use super::{Error, Filter, Saved};
use crate::{
    entry::Entry,
    person::{Person, v1},
    request::{self, RequestEvent},
    request_events::RequestEvents,
    user::EnrichedUser,
};

/// People in Redis alone. It has to keep its data: append-only file on, no eviction.
///
/// Keys share a hash tag per kind, so that a script finds all of its keys on one node of a cluster. Every command may
/// run twice: the scripts compare before they set.
#[derive(Debug, Clone)]
pub struct Redis(Connection);

/// Compare and set. KEYS: the person, their entries, their history, the indexes to leave, the indexes to enter. ARGV: what
/// was read or "", what is written, the new value, the id, how many indexes to leave, how many entries, and for each of
/// them its event's id, its value and its sequence or "".
static COMMIT: LazyLock<Script> = LazyLock::new(|| {
    Script::new(
        r"
        local stored = redis.call('HGET', KEYS[1], 'version') or ''
        if stored ~= ARGV[1] then return 0 end
        redis.call('HSET', KEYS[1], 'version', ARGV[2], 'value', ARGV[3])
        local leave = tonumber(ARGV[5])
        for i = 4, 3 + leave do redis.call('ZREM', KEYS[i], ARGV[4]) end
        for i = 4 + leave, #KEYS do redis.call('ZADD', KEYS[i], 0, ARGV[4]) end
        for i = 7, 6 + 3 * tonumber(ARGV[6]), 3 do
            redis.call('HSET', KEYS[2], ARGV[i], ARGV[i + 1])
            if ARGV[i + 2] == '' then redis.call('ZREM', KEYS[3], ARGV[i])
            else redis.call('ZADD', KEYS[3], ARGV[i + 2], ARGV[i]) end
        end
        return 1
        ",
    )
});

/// KEYS: the person's entries, their history. ARGV: the event's id, its entry, its sequence or "".
static REPLACE: LazyLock<Script> = LazyLock::new(|| {
    Script::new(
        r"
        redis.call('HSET', KEYS[1], ARGV[1], ARGV[2])
        if ARGV[3] == '' then redis.call('ZREM', KEYS[2], ARGV[1])
        else redis.call('ZADD', KEYS[2], ARGV[3], ARGV[1]) end
        return 1
        ",
    )
});

/// How many events of a request are read at once.
const AT_ONCE: usize = 500;

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

    pub(super) async fn person(&self, id: &EmployeeId) -> Result<Option<Person>, Error> {
        let value: Option<String> =
            self.0.run(async |mut redis| redis.hget(person_key(id), "value").await).await?;
        value.map(|value| person(&value)).transpose()
    }

    pub(super) async fn commit(
        &self,
        new: &Person,
        read: Option<&Person>,
        entry: Option<&Entry>,
    ) -> Result<Saved, Error> {
        let leave = read.map(indexes).unwrap_or_default();
        let mut script = COMMIT.key(person_key(&new.id));
        script.key(entries_key(&new.id)).key(history_key(&new.id));
        for index in leave.iter().chain(&indexes(new)) {
            script.key(index);
        }
        let entries: Vec<&Entry> = new.applied_before.iter().chain(entry).collect();
        script
            .arg(read.map(token).unwrap_or_default())
            .arg(token(new))
            .arg(serde_json::to_string(new)?)
            .arg(new.id.as_str())
            .arg(leave.len())
            .arg(entries.len());
        for entry in entries {
            script.arg(entry.event_id.as_str()).arg(serde_json::to_string(entry)?).arg(sequence(entry));
        }
        let saved: bool = self.0.run(async |mut redis| script.invoke_async(&mut redis).await).await?;
        Ok(if saved { Saved::Yes } else { Saved::Conflict })
    }

    pub(super) async fn entry(&self, id: &EmployeeId, event_id: &EventId) -> Result<Option<Entry>, Error> {
        let entry: Option<String> =
            self.0.run(async |mut redis| redis.hget(entries_key(id), event_id.as_str()).await).await?;
        Ok(entry.map(|entry| serde_json::from_str(&entry)).transpose()?)
    }

    pub(super) async fn entries(&self, id: &EmployeeId) -> Result<Vec<Entry>, Error> {
        let entries: Vec<String> = self.0.run(async |mut redis| redis.hvals(entries_key(id)).await).await?;
        Ok(entries.iter().map(|entry| serde_json::from_str(entry)).collect::<Result<_, _>>()?)
    }

    pub(super) async fn replace_entry(&self, entry: &Entry) -> Result<(), Error> {
        let mut script = REPLACE.key(entries_key(&entry.employee_id));
        script.key(history_key(&entry.employee_id));
        script.arg(entry.event_id.as_str()).arg(serde_json::to_string(entry)?).arg(sequence(entry));
        let _replaced: bool = self.0.run(async |mut redis| script.invoke_async(&mut redis).await).await?;
        Ok(())
    }

    pub(super) async fn history(
        &self,
        id: &EmployeeId,
        before: Option<u64>,
        limit: usize,
    ) -> Result<Vec<Entry>, Error> {
        let newest = before.map_or_else(|| "+inf".to_owned(), |before| format!("({before}"));
        let count = isize::try_from(limit).unwrap_or(isize::MAX);
        let (key, newest) = (&history_key(id), &newest);
        let ids: Vec<String> = self
            .0
            .run(async |mut redis| redis.zrevrangebyscore_limit(key, newest, "-inf", 0, count).await)
            .await?;
        if ids.is_empty() {
            return Ok(Vec::new());
        }
        let ids = &ids;
        let entries: Vec<Option<String>> =
            self.0.run(async |mut redis| redis.hmget(entries_key(id), ids).await).await?;
        let entries = entries.iter().flatten();
        Ok(entries.map(|entry| serde_json::from_str(entry)).collect::<Result<_, _>>()?)
    }

    pub(super) async fn with_email(&self, key: &str, limit: usize) -> Result<Vec<Person>, Error> {
        let index = &email_index(key);
        let count = isize::try_from(limit).unwrap_or(isize::MAX);
        let ids: Vec<String> =
            self.0.run(async |mut redis| redis.zrangebylex_limit(index, "-", "+", 0, count).await).await?;
        self.people(&ids).await
    }

    /// Those of them who are there.
    async fn people(&self, ids: &[String]) -> Result<Vec<Person>, Error> {
        if ids.is_empty() {
            return Ok(Vec::new());
        }
        let mut values = redis::pipe();
        for id in ids {
            values.hget(format!("{USERS}:{id}"), "value");
        }
        let values: Vec<Option<String>> =
            self.0.run(async |mut redis| values.query_async(&mut redis).await).await?;
        values.iter().flatten().map(|value| person(value)).collect()
    }

    pub(super) async fn list(
        &self,
        filter: &Filter,
        after: Option<&EmployeeId>,
        limit: usize,
    ) -> Result<Vec<Person>, Error> {
        let (department, email) = (filter.department_key(), filter.email_key());
        let index = match (&email, &department) {
            (Some(email), _) => email_index(email),
            (None, Some(department)) => department_index(department),
            (None, None) => ALL.to_owned(),
        };
        let mut people = Vec::new();
        let mut start = after.map_or_else(|| "-".to_owned(), |id| format!("({id}"));
        while people.len() < limit {
            let wanted = limit - people.len();
            let count = isize::try_from(wanted).unwrap_or(isize::MAX);
            let (index, from) = (&index, &start);
            let ids: Vec<String> = self
                .0
                .run(async |mut redis| redis.zrangebylex_limit(index, from, "+", 0, count).await)
                .await?;
            let Some(last) = ids.last() else { break };
            start = format!("({last}");
            for person in self.people(&ids).await? {
                let in_department =
                    |user: &EnrichedUser| user.department.as_ref().map(Text::key) == department;
                if person.user().is_some_and(|user| department.is_none() || in_department(&user)) {
                    people.push(person);
                }
            }
            if ids.len() < wanted {
                break;
            }
        }
        Ok(people)
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

    pub(super) async fn request(&self, id: &CorrelationId) -> Result<RequestEvents, Error> {
        let (mut events, mut cursor) = (RequestEvents::default(), 0_u64);
        loop {
            let (next, read): (u64, Vec<(String, String)>) = self
                .0
                .run(async |mut redis| {
                    let mut scan = redis::cmd("HSCAN");
                    scan.arg(request_key(id)).arg(cursor).arg("COUNT").arg(AT_ONCE);
                    scan.query_async(&mut redis).await
                })
                .await?;
            let read: Vec<RequestEvent> =
                read.iter().map(|(_, event)| serde_json::from_str(event)).collect::<Result<_, _>>()?;
            events.extend(read);
            cursor = next;
            if cursor == 0 {
                // A scan may meet an event twice.
                events.total = self.0.run(async |mut redis| redis.hlen(request_key(id)).await).await?;
                return Ok(events);
            }
        }
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

fn person_key(id: &EmployeeId) -> String {
    format!("{USERS}:{id}")
}

fn entries_key(id: &EmployeeId) -> String {
    format!("joiner:{{users}}:entries:{id}")
}

fn history_key(id: &EmployeeId) -> String {
    format!("joiner:{{users}}:history:{id}")
}

/// What compare and set is on. The version before counted versions.
fn token(person: &Person) -> String {
    match person.writes {
        0 => person.version.to_string(),
        writes => format!("w{writes}"),
    }
}

fn sequence(entry: &Entry) -> String {
    entry.sequence.map(|sequence| sequence.to_string()).unwrap_or_default()
}

/// A person, or a user as the version before stored them.
fn person(value: &str) -> Result<Person, Error> {
    match serde_json::from_str::<Person>(value) {
        Ok(person) => Ok(person),
        Err(error) => match serde_json::from_str::<v1::StoredUser>(value) {
            Ok(user) => Ok(user.into()),
            Err(_) => Err(error.into()),
        },
    }
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

/// Somebody who was forgotten is in none.
fn indexes(person: &Person) -> Vec<String> {
    let Some(user) = person.user() else { return Vec::new() };
    let email = user.email.as_ref().map(|email| email_index(&email.key()));
    let department = user.department.as_ref().map(|department| department_index(&department.key()));
    [ALL.to_owned()].into_iter().chain(email).chain(department).collect()
}

use std::sync::LazyLock;

use aws::Aws;
use contracts::{CorrelationId, EmployeeId, EnrichedUser, EventId, Facts, Subject, Text};
use redis::{AsyncCommands, Script};
use runtime::{ConfigError, Vars};
use valkey::{Connection, KeyPrefix};

use super::{Error, Filter, Saved, Write};
use crate::{
    claim::{Claim, ClaimChange},
    entry::Entry,
    person::{Person, v1},
    request::{self, RequestEvent},
    request_events::RequestEvents,
    timeline::Timeline,
};

/// People in Redis alone. It has to keep its data: append-only file on, no eviction.
///
/// Keys share a hash tag per kind, so that a script finds all of its keys on one node of a cluster. Every command may
/// run twice: the scripts compare before they set.
#[derive(Debug, Clone)]
pub struct Redis {
    connection: Connection,
    keys: Keys,
    pub(super) outbox: facts::Redis,
}

/// What each thing is stored under. Stages that share a server have a prefix each.
#[derive(Debug, Clone)]
struct Keys(KeyPrefix);

/// Compare and set. KEYS: the person, their entries, their history, the claims, the outbox's two, the indexes to leave, the
/// indexes to enter. ARGV: what was read or "", what is written, the new value, the id, how many indexes to leave, how many
/// entries, the outbox's three, for each entry its event's id, its value and its sequence or "", and for each claim its
/// account, what was read or "", and the new value or "".
static COMMIT: LazyLock<Script> = LazyLock::new(|| {
    let script = r"
        local stored = redis.call('HGET', KEYS[1], 'version') or ''
        if stored ~= ARGV[1] then return 0 end
        local claims = 10 + 3 * tonumber(ARGV[6])
        for i = claims, #ARGV, 3 do
            if (redis.call('HGET', KEYS[4], ARGV[i]) or '') ~= ARGV[i + 1] then return 0 end
        end
        for i = claims, #ARGV, 3 do
            if ARGV[i + 2] == '' then redis.call('HDEL', KEYS[4], ARGV[i])
            else redis.call('HSET', KEYS[4], ARGV[i], ARGV[i + 2]) end
        end
        redis.call('HSET', KEYS[1], 'version', ARGV[2], 'value', ARGV[3])
        local leave = tonumber(ARGV[5])
        for i = 7, 6 + leave do redis.call('ZREM', KEYS[i], ARGV[4]) end
        for i = 7 + leave, #KEYS do redis.call('ZADD', KEYS[i], 0, ARGV[4]) end
        for i = 10, claims - 1, 3 do
            redis.call('HSET', KEYS[2], ARGV[i], ARGV[i + 1])
            if ARGV[i + 2] == '' then redis.call('ZREM', KEYS[3], ARGV[i])
            else redis.call('ZADD', KEYS[3], ARGV[i + 2], ARGV[i]) end
        end
        ";
    Script::new(&format!("{script}{}\nreturn 1", facts::add_in_redis!(5, 7)))
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

/// Returns the value that is stored already, if there is one. KEYS: the request. ARGV: the event, its value, the seconds to
/// keep.
static ACCEPT: LazyLock<Script> = LazyLock::new(|| {
    Script::new(
        r"
        local stored = redis.call('HGET', KEYS[1], ARGV[1])
        if stored then return stored end
        redis.call('HSET', KEYS[1], ARGV[1], ARGV[2])
        redis.call('EXPIRE', KEYS[1], ARGV[3])
        return false
        ",
    )
});

/// States only move forward. KEYS: the request, the outbox's two. ARGV: the event, its new value, the seconds to keep, the
/// outbox's three.
static END: LazyLock<Script> = LazyLock::new(|| {
    let script = r"
        local stored = redis.call('HGET', KEYS[1], ARGV[1])
        if stored and cjson.decode(stored).status == 'enriched' then return 0 end
        redis.call('HSET', KEYS[1], ARGV[1], ARGV[2])
        redis.call('EXPIRE', KEYS[1], ARGV[3])
        ";
    Script::new(&format!("{script}{}\nreturn 1", facts::add_in_redis!(2, 4)))
});

impl Redis {
    /// Reads what [`Connection::storage`] does.
    pub fn from_vars(vars: &Vars, aws: &Aws) -> Result<Self, ConfigError> {
        let (connection, prefix) = Connection::storage(vars, aws)?;
        let outbox = facts::Redis::new(connection.clone(), prefix.clone());
        Ok(Self { connection, keys: Keys(prefix), outbox })
    }

    pub(super) async fn person(&self, id: &EmployeeId) -> Result<Option<Person>, Error> {
        let value: Option<String> =
            self.connection.run(async |mut redis| redis.hget(self.keys.person(id), "value").await).await?;
        value.map(|value| person(&value)).transpose()
    }

    pub(super) async fn write(&self, write: Write<'_>) -> Result<Saved, Error> {
        let Write { new, read, entry, claims, facts } = write;
        let leave = read.map(|read| self.keys.indexes(read)).unwrap_or_default();
        let mut script = COMMIT.key(self.keys.person(&new.id));
        script.key(self.keys.entries(&new.id)).key(self.keys.history(&new.id)).key(self.keys.claims());
        for key in self.outbox.keys(&Subject::user(&new.id)) {
            script.key(key);
        }
        for index in leave.iter().chain(&self.keys.indexes(new)) {
            script.key(index);
        }
        let entries: Vec<&Entry> = new.applied_before.iter().chain(entry).collect();
        script
            .arg(read.map(token).unwrap_or_default())
            .arg(token(new))
            .arg(serde_json::to_string(new)?)
            .arg(new.id.as_str())
            .arg(leave.len())
            .arg(entries.len())
            .arg(&facts::Redis::values(facts)?[..]);
        for entry in entries {
            script.arg(entry.event_id.as_str()).arg(serde_json::to_string(entry)?).arg(sequence(entry));
        }
        for ClaimChange { account, read, new } in claims {
            script.arg(account).arg(claim_value(read.as_ref())?).arg(claim_value(new.as_ref())?);
        }
        let saved: bool =
            self.connection.run(async |mut redis| script.invoke_async(&mut redis).await).await?;
        Ok(if saved { Saved::Yes } else { Saved::Conflict })
    }

    pub(super) async fn claim(&self, account: &str) -> Result<Option<Claim>, Error> {
        let claim: Option<String> =
            self.connection.run(async |mut redis| redis.hget(self.keys.claims(), account).await).await?;
        Ok(claim.map(|claim| serde_json::from_str(&claim)).transpose()?)
    }

    pub(super) async fn entry(&self, id: &EmployeeId, event_id: &EventId) -> Result<Option<Entry>, Error> {
        let entry: Option<String> = self
            .connection
            .run(async |mut redis| redis.hget(self.keys.entries(id), event_id.as_str()).await)
            .await?;
        Ok(entry.map(|entry| serde_json::from_str(&entry)).transpose()?)
    }

    pub(super) async fn entries(&self, id: &EmployeeId) -> Result<Vec<Entry>, Error> {
        let entries: Vec<String> =
            self.connection.run(async |mut redis| redis.hvals(self.keys.entries(id)).await).await?;
        Ok(entries.iter().map(|entry| serde_json::from_str(entry)).collect::<Result<_, _>>()?)
    }

    pub(super) async fn replace_entry(&self, entry: &Entry) -> Result<(), Error> {
        let mut script = REPLACE.key(self.keys.entries(&entry.employee_id));
        script.key(self.keys.history(&entry.employee_id));
        script.arg(entry.event_id.as_str()).arg(serde_json::to_string(entry)?).arg(sequence(entry));
        let _replaced: bool =
            self.connection.run(async |mut redis| script.invoke_async(&mut redis).await).await?;
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
        let (key, newest) = (&self.keys.history(id), &newest);
        let ids: Vec<String> = self
            .connection
            .run(async |mut redis| redis.zrevrangebyscore_limit(key, newest, "-inf", 0, count).await)
            .await?;
        if ids.is_empty() {
            return Ok(Vec::new());
        }
        let ids = &ids;
        let entries: Vec<Option<String>> =
            self.connection.run(async |mut redis| redis.hmget(self.keys.entries(id), ids).await).await?;
        let entries = entries.iter().flatten();
        Ok(entries.map(|entry| serde_json::from_str(entry)).collect::<Result<_, _>>()?)
    }

    pub(super) async fn with_email(&self, key: &str, limit: usize) -> Result<Vec<Person>, Error> {
        let index = &self.keys.email(key);
        let count = isize::try_from(limit).unwrap_or(isize::MAX);
        let ids: Vec<String> = self
            .connection
            .run(async |mut redis| redis.zrangebylex_limit(index, "-", "+", 0, count).await)
            .await?;
        self.people(&ids).await
    }

    /// Those of them who are there.
    async fn people(&self, ids: &[String]) -> Result<Vec<Person>, Error> {
        if ids.is_empty() {
            return Ok(Vec::new());
        }
        let mut values = redis::pipe();
        for id in ids {
            values.hget(self.keys.user(id), "value");
        }
        let values: Vec<Option<String>> =
            self.connection.run(async |mut redis| values.query_async(&mut redis).await).await?;
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
            (Some(email), _) => self.keys.email(email),
            (None, Some(department)) => self.keys.department(department),
            (None, None) => self.keys.all(),
        };
        let mut people = Vec::new();
        let mut start = after.map_or_else(|| "-".to_owned(), |id| format!("({id}"));
        while people.len() < limit {
            let wanted = limit - people.len();
            let count = isize::try_from(wanted).unwrap_or(isize::MAX);
            let (index, from) = (&index, &start);
            let ids: Vec<String> = self
                .connection
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

    pub(super) async fn everybody(
        &self,
        after: Option<&EmployeeId>,
        limit: usize,
    ) -> Result<Vec<EmployeeId>, Error> {
        let count = isize::try_from(limit).unwrap_or(isize::MAX);
        let (all, from) = (&self.keys.all(), &after.map_or_else(|| "-".to_owned(), |id| format!("({id}")));
        let ids: Vec<String> = self
            .connection
            .run(async |mut redis| redis.zrangebylex_limit(all, from, "+", 0, count).await)
            .await?;
        Ok(ids.into_iter().filter_map(|id| EmployeeId::parse(id).ok()).collect())
    }

    pub(super) async fn accept_request(
        &self,
        id: &CorrelationId,
        event: &RequestEvent,
    ) -> Result<Option<Timeline>, Error> {
        let mut script = ACCEPT.key(self.keys.request(id));
        script.arg(event.key()).arg(serde_json::to_string(event)?).arg(request::KEPT.as_secs());
        let known: Option<String> =
            self.connection.run(async |mut redis| script.invoke_async(&mut redis).await).await?;
        // Of a newer layout nothing is known.
        let timeline =
            |known: String| serde_json::from_str::<RequestEvent>(&known).map(|known| known.timeline);
        Ok(known.map(|known| timeline(known).unwrap_or_default()))
    }

    pub(super) async fn end_request(
        &self,
        id: &CorrelationId,
        event: &RequestEvent,
        facts: Option<&Facts>,
    ) -> Result<bool, Error> {
        let [subjects, waiting] = self.outbox.keys(&Subject::request(id));
        let mut script = END.key(self.keys.request(id));
        script
            .key(subjects)
            .key(waiting)
            .arg(event.key())
            .arg(serde_json::to_string(event)?)
            .arg(request::KEPT.as_secs())
            .arg(&facts::Redis::values(facts)?[..]);
        Ok(self.connection.run(async |mut redis| script.invoke_async(&mut redis).await).await?)
    }

    pub(super) async fn request(&self, id: &CorrelationId) -> Result<RequestEvents, Error> {
        let (mut events, mut cursor) = (RequestEvents::default(), 0_u64);
        loop {
            let (next, read): (u64, Vec<(String, String)>) = self
                .connection
                .run(async |mut redis| {
                    let mut scan = redis::cmd("HSCAN");
                    scan.arg(self.keys.request(id)).arg(cursor).arg("COUNT").arg(AT_ONCE);
                    scan.query_async(&mut redis).await
                })
                .await?;
            let read: Vec<RequestEvent> =
                read.iter().map(|(_, event)| serde_json::from_str(event)).collect::<Result<_, _>>()?;
            events.extend(read);
            cursor = next;
            if cursor == 0 {
                // A scan may meet an event twice.
                events.total =
                    self.connection.run(async |mut redis| redis.hlen(self.keys.request(id)).await).await?;
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
            self.connection.run(async |mut redis| redis.hget(self.keys.request(id), key).await).await?;
        Ok(event.map(|value| serde_json::from_str(&value)).transpose()?)
    }

    pub(super) async fn ping(&self) -> Result<(), Error> {
        Ok(self.connection.ping().await?)
    }
}

impl Keys {
    fn person(&self, id: &EmployeeId) -> String {
        self.user(id.as_str())
    }

    fn user(&self, id: &str) -> String {
        self.0.key(&format!("{{users}}:user:{id}"))
    }

    fn entries(&self, id: &EmployeeId) -> String {
        self.0.key(&format!("{{users}}:entries:{id}"))
    }

    fn history(&self, id: &EmployeeId) -> String {
        self.0.key(&format!("{{users}}:history:{id}"))
    }

    /// Of all accounts.
    fn claims(&self) -> String {
        self.0.key("{users}:claims")
    }

    fn request(&self, id: &CorrelationId) -> String {
        self.0.key(&format!("{{requests}}:{id}"))
    }

    fn all(&self) -> String {
        self.0.key("{users}:all")
    }

    fn department(&self, key: &str) -> String {
        self.0.key(&format!("{{users}}:department:{key}"))
    }

    fn email(&self, key: &str) -> String {
        self.0.key(&format!("{{users}}:email:{key}"))
    }

    /// Somebody who was forgotten is in none.
    fn indexes(&self, person: &Person) -> Vec<String> {
        let Some(user) = person.user() else { return Vec::new() };
        let email = user.email.as_ref().map(|email| self.email(&email.key()));
        let department = user.department.as_ref().map(|department| self.department(&department.key()));
        [self.all()].into_iter().chain(email).chain(department).collect()
    }
}

/// What compare and set is on. The version before counted versions.
fn token(person: &Person) -> String {
    match person.writes {
        0 => person.version.to_string(),
        writes => format!("w{writes}"),
    }
}

/// A claim is written the same way each time, so that the script compares it as text.
fn claim_value(claim: Option<&Claim>) -> Result<String, Error> {
    Ok(claim.map(serde_json::to_string).transpose()?.unwrap_or_default())
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

use std::{collections::BTreeMap, sync::LazyLock};

use aws::Aws;
use contracts::{Facts, Subject, SubjectKind};
use redis::{AsyncCommands, Script};
use runtime::{ConfigError, Vars};
use valkey::{Connection, KeyPrefix};

use super::{Key, Next, Page};
use crate::Error;

/// Beside people and requests that are stored in Redis, under their hash tags, so that their scripts can write it.
#[derive(Debug, Clone)]
pub struct Redis {
    connection: Connection,
    prefix: KeyPrefix,
}

/// Which kind's subjects are being read, and how far.
#[derive(Debug, Default)]
pub(crate) struct Start {
    kind: usize,
    cursor: u64,
}

/// KEYS: who has some, then each subject's. ARGV, for each subject: its id, how many of its positions are done, and these.
static CLEAR: LazyLock<Script> = LazyLock::new(|| {
    Script::new(
        r"
        local at = 1
        for key = 2, #KEYS do
          local last = at + 1 + ARGV[at + 1]
          redis.call('HDEL', KEYS[key], unpack(ARGV, at + 2, last))
          if redis.call('EXISTS', KEYS[key]) == 0 then redis.call('SREM', KEYS[1], ARGV[at]) end
          at = last + 1
        end
        return 1
        ",
    )
});

/// What adds facts to the outbox within a store's script: KEYS i and i + 1 are [`Redis::keys`], ARGV j to j + 2
/// [`Redis::values`].
#[macro_export]
macro_rules! add_in_redis {
    ($key:literal, $value:literal) => {
        concat!(
            "if ARGV[",
            $value,
            "] ~= '' then redis.call('SADD', KEYS[",
            $key,
            "], ARGV[",
            $value,
            "])",
            " redis.call('HSET', KEYS[",
            $key,
            " + 1], ARGV[",
            $value,
            " + 1], ARGV[",
            $value,
            " + 2]) end"
        )
    };
}

/// Dead letters are in DynamoDB wherever people are.
const KINDS: [SubjectKind; 2] = [SubjectKind::User, SubjectKind::Request];

/// Subjects that are read, or cleared, at once.
const AT_ONCE: usize = 100;

impl Redis {
    pub fn new(connection: Connection, prefix: KeyPrefix) -> Self {
        Self { connection, prefix }
    }

    /// As the people's store does.
    pub(super) fn from_vars(vars: &Vars, aws: &Aws) -> Result<Self, ConfigError> {
        let (connection, prefix) = Connection::storage(vars, aws)?;
        Ok(Self::new(connection, prefix))
    }

    /// Who has facts that wait, and this subject's.
    pub fn keys(&self, subject: &Subject) -> [String; 2] {
        [self.subjects(subject.kind), self.of(subject.kind, &subject.id)]
    }

    /// The subject, its position and the facts; empty where there are none.
    pub fn values(facts: Option<&Facts>) -> Result<[String; 3], serde_json::Error> {
        let Some(facts) = facts else { return Ok(Default::default()) };
        Ok([facts.subject.id.clone(), facts.position.clone(), serde_json::to_string(facts)?])
    }

    pub(super) async fn backlog(&self, subject: &Subject) -> Result<Vec<Facts>, Error> {
        self.read(self.of(subject.kind, &subject.id)).await
    }

    pub(super) async fn clear(&self, keys: &[Key]) -> Result<(), Error> {
        let mut by_subject = BTreeMap::<&Subject, Vec<&str>>::new();
        for Key { subject, position } in keys {
            by_subject.entry(subject).or_default().push(position);
        }
        // Subjects of one kind have a hash tag in common.
        for kind in KINDS {
            let of_kind: Vec<_> = by_subject.iter().filter(|(subject, _)| subject.kind == kind).collect();
            for some in of_kind.chunks(AT_ONCE) {
                let mut script = CLEAR.key(self.subjects(kind));
                for (subject, positions) in some {
                    script.key(self.of(kind, &subject.id));
                    script.arg(&subject.id).arg(positions.len()).arg(positions);
                }
                let _cleared: bool =
                    self.connection.run(async |mut redis| script.invoke_async(&mut redis).await).await?;
            }
        }
        Ok(())
    }

    pub(super) async fn waiting(&self, Start { kind: at, cursor }: Start) -> Result<Page, Error> {
        let Some(kind) = KINDS.get(at) else { return Ok(Page { facts: Vec::new(), next: None }) };
        let (next, ids): (u64, Vec<String>) = self
            .connection
            .run(async |mut redis| {
                let mut scan = redis::cmd("SSCAN");
                scan.arg(self.subjects(*kind)).arg(cursor).arg("COUNT").arg(AT_ONCE);
                scan.query_async(&mut redis).await
            })
            .await?;
        let (mut facts, mut illegible) = (Vec::new(), 0);
        for id in ids {
            match self.read(self.of(*kind, &id)).await {
                Ok(some) => facts.extend(some),
                // They hold up nobody but their subject.
                Err(Error::Layout) => illegible += 1,
                Err(error) => return Err(error),
            }
        }
        if illegible > 0 {
            tracing::error!(illegible, "facts stay in the outbox");
        }
        let kind = if next == 0 { at + 1 } else { at };
        Ok(Page { facts, next: Some(Next::Redis(Start { kind, cursor: next })) })
    }

    async fn read(&self, key: String) -> Result<Vec<Facts>, Error> {
        let key = &key;
        let facts: BTreeMap<String, String> =
            self.connection.run(async |mut redis| redis.hgetall(key).await).await?;
        Ok(facts.values().map(|facts| serde_json::from_str(facts)).collect::<Result<_, _>>()?)
    }

    fn subjects(&self, kind: SubjectKind) -> String {
        self.prefix.key(&format!("{{{}s}}:outbox-subjects:", kind.as_str()))
    }

    fn of(&self, kind: SubjectKind, id: &str) -> String {
        self.prefix.key(&format!("{{{}s}}:outbox:{id}", kind.as_str()))
    }
}

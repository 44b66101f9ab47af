//! What a run leaves, read while nothing moves.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use anyhow::bail;
use tokio::task::spawn_blocking;

use crate::{
    api::Api,
    evidence::{Content, Evidence, Write},
    stage::{CACHE_TTL, Stage},
    topics,
};

/// How long after its time a cached profile may still be read.
const GRACE: Duration = Duration::from_secs(3);

/// A reading takes some ten seconds. Letters are tried again after one minute and after five, each ±20 %, and then much later.
const MAX_READINGS: usize = 40;

impl Stage {
    /// What is left, once nothing is under way. To read it all takes a while, in which a letter's next attempt may come
    /// due: then it is read again, as a whole.
    pub(crate) async fn read_at_rest(
        &self,
        strangers: &BTreeSet<String>,
        say: &impl Fn(&str),
    ) -> anyhow::Result<(Evidence, usize)> {
        let (api, mut stale) = (Api::new(self.fleet.clone()), 0);
        for _ in 0..MAX_READINGS {
            self.backlog.settle(&self.tables, say).await?;
            say("settled");
            // Whoever a cache shows too old is waited for before what has to be short.
            stale = stale.max(api.users(&newest(&self.tables.writes()), CACHE_TTL + GRACE).await?.1);
            let before = self.written().await?;
            let evidence = self.read(&api, strangers).await?;
            if self.written().await? == before {
                return Ok((evidence, stale));
            }
            say("something was written meanwhile");
        }
        bail!("something was written each of the {MAX_READINGS} times that all was read")
    }

    /// How far both topics and the people's table have come.
    async fn written(&self) -> anyhow::Result<impl PartialEq + use<>> {
        let (servers, topics) = (self.servers.clone(), [self.topic.clone(), self.events.clone()]);
        let ends = move || topics.iter().map(|topic| topics::ends(&servers, topic)).collect();
        let ends: anyhow::Result<Vec<_>> = spawn_blocking(ends).await?;
        Ok((ends?, self.tables.writes().len()))
    }

    async fn read(&self, api: &Api, strangers: &BTreeSet<String>) -> anyhow::Result<Evidence> {
        let (servers, topic, events) = (self.servers.clone(), self.topic.clone(), self.events.clone());
        let (log, told) = spawn_blocking(move || {
            anyhow::Ok((topics::log(&servers, &topic)?, topics::told(&servers, &events)?))
        })
        .await??;
        let (writes, entries) = (self.tables.writes(), self.tables.entries().await?);
        let (users, _stale) = api.users(&newest(&writes), CACHE_TTL + GRACE).await?;
        let ids = log.iter().filter_map(|logged| match &logged.content {
            Content::Accepted(accepted) => Some(accepted.correlation_id.clone()),
            Content::Poison { .. } | Content::Unknown => None,
        });
        let requests = api.requests(ids).await?;
        let letters = api.letters().await?;
        let (posts, poison) = self.hr.log();
        let strangers = strangers.clone();
        Ok(Evidence { posts, log, poison, strangers, writes, entries, users, requests, letters, told })
    }
}

/// The last version of everybody.
fn newest(writes: &[Write]) -> BTreeMap<String, u64> {
    let mut newest = BTreeMap::new();
    for write in writes {
        let version = newest.entry(write.employee.clone()).or_insert(write.version);
        *version = write.version.max(*version);
    }
    newest
}

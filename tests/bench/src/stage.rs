//! What the benches need around what they measure, started once.

use std::{
    fs,
    path::{Path, PathBuf},
    sync::atomic::{AtomicUsize, Ordering::Relaxed},
    thread::available_parallelism,
};

use anyhow::{Context, Result};
use real_parts::{Part, Parts};
use runtime::Vars;
use serde_json::Value;

use crate::{peers::Peers, server::Server};

/// The seed of the company that is in the directory and that the HR system tells of.
pub(crate) const COMPANY: u64 = 1;
pub(crate) const OKTA_TOKEN: &str = "bench";
pub(crate) const API_KEY: &str = "a-key-that-only-the-bench-knows";

pub(crate) struct Stage {
    pub(crate) kafka: String,
    redis: String,
    next_database: AtomicUsize,
    pub(crate) okta: Server,
    pub(crate) peers: Peers,
    pub(crate) cores: usize,
    /// Ends with the stage.
    _parts: Parts,
}

impl Stage {
    /// Apache Kafka, Redis, and Okta at 0 ms.
    pub(crate) fn start() -> Result<Self> {
        let parts = Parts::start(&[Part::Kafka, Part::Redis], |_, _, _| {})?;
        Ok(Self {
            kafka: parts.kafka.as_ref().context("there is no Kafka")?.bootstrap_servers(),
            redis: parts.redis.as_ref().context("there is no Redis")?.url(),
            next_database: AtomicUsize::new(0),
            okta: okta(0)?,
            peers: Peers::find(),
            cores: available_parallelism()?.get(),
            _parts: parts,
        })
    }

    /// And with peers that have shown that they do what they are compared in.
    pub(crate) fn with_peers() -> Result<Self> {
        let stage = Self::start()?;
        stage.peers.check(&stage.vars())?;
        Ok(stage)
    }

    /// What the functions, and the peers, are told. Each time with a database of Redis that nobody else has: no part of a
    /// run meets what another has stored.
    pub(crate) fn vars(&self) -> Vars {
        let database = self.next_database.fetch_add(1, Relaxed);
        let redis = format!("{}/{database}", self.redis);
        let mut vars = Vars::from_iter(aws::EMULATED);
        vars.extend([
            ("API_KEY", API_KEY.to_owned()),
            ("CURSOR_KEY", "a-key-of-32-characters-for-cursors".to_owned()),
            ("KAFKA_BOOTSTRAP_SERVERS", self.kafka.clone()),
            ("STORAGE_BACKEND", "redis".to_owned()),
            ("STORAGE_URL", redis.clone()),
            ("CACHE_URL", redis),
            ("CACHE_TTL_SECONDS", "3600".to_owned()),
            ("OKTA_ORG_URL", format!("http://{}", self.okta.addresses[0])),
            ("OKTA_API_TOKEN", OKTA_TOKEN.to_owned()),
            // Of the enrichment's, to forget people with: no bench does.
            ("DEAD_LETTERS_TABLE", "dead-letters".to_owned()),
            ("OUTBOX_TABLE", "outbox".to_owned()),
        ]);
        vars
    }
}

/// An Okta that takes so many milliseconds.
pub(crate) fn okta(latency: u64) -> Result<Server> {
    Server::ourselves(&["okta", "--latency", &latency.to_string()], &Vars::default())
}

/// The repository's.
pub(crate) fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// A sample event of `events/`.
pub(crate) fn sample(name: &str) -> Result<Value> {
    let path = root().join("events").join(name);
    let text = fs::read(&path).with_context(|| format!("{} can't be read", path.display()))?;
    Ok(serde_json::from_slice(&text)?)
}
